import { useEffect, useMemo, useState } from "preact/hooks";
import type { ApiError } from "../shared/apiError";
import { managerApi } from "./api/api";
import { EventPage } from "./events/eventPage";
import { EventsPage } from "./events/eventsPage";
import { LinksPage, OneLinkPage } from "./links/linksPage";
import type { Route } from "./route";
import { SignIn } from "./signIn";
import { type Notice, type Session, SessionProvider } from "./ui/context";
import { openOwnUploads } from "./uploads/ownUploads";
import { UploadPage } from "./uploads/uploadPage";
import { useRoute } from "./useRoute";

/** In sessionStorage: the key ends with the tab. */
const KEY_NAME = "manager-key";

const PAGES: [name: string, href: string, pages: Route["page"][]][] = [
  ["Events", "#/events", ["events", "event"]],
  ["Links", "#/links", ["links", "link"]],
  ["Upload", "#/upload", ["upload"]],
];

/** The API's URL: this page is its route `/console`. */
function baseUrl(): string {
  return location.origin + location.pathname.replace(/\/console\/*$/, "");
}

function PageOf({ route }: { route: Route }) {
  switch (route.page) {
    case "events":
      return <EventsPage filter={route.filter} />;
    case "event":
      return <EventPage key={route.eventId} eventId={route.eventId} />;
    case "links":
      return <LinksPage />;
    case "link":
      return <OneLinkPage key={route.linkId} linkId={route.linkId} />;
    case "upload":
      return <UploadPage />;
  }
}

/** The console of a signed-in operator. */
function Console(props: {
  apiKey: string;
  onRefusedKey: (error: ApiError) => void;
  signOut: () => void;
}) {
  const { apiKey, onRefusedKey, signOut } = props;
  const route = useRoute();
  const [notice, setNotice] = useState<Notice>();
  const session = useMemo<Session>(() => {
    const api = managerApi(baseUrl(), apiKey, onRefusedKey);
    return { api, notify: setNotice, left: {}, uploads: openOwnUploads(api) };
  }, [apiKey]);

  useEffect(
    () => () => {
      session.uploads.close();
    },
    [session],
  );
  // A message stays for the page on which it came, and for the one that its action led to.
  const [shownPage, setShownPage] = useState({ page: route.page, notice });
  useEffect(() => {
    if (shownPage.page !== route.page) {
      if (notice === shownPage.notice) {
        setNotice(undefined);
      }
      setShownPage({ page: route.page, notice });
    }
  }, [route.page]);

  return (
    <SessionProvider value={session}>
      <header class="top">
        <span class="brand">Console</span>
        <nav aria-label="Pages">
          {PAGES.map(([name, href, pages]) => (
            <a
              key={name}
              href={href}
              aria-current={pages.includes(route.page) ? "page" : undefined}
            >
              {name}
            </a>
          ))}
        </nav>
        <button type="button" onClick={signOut}>
          Sign out
        </button>
      </header>
      <main>
        <div role="status">
          {notice && (
            <div class={`notice${notice.isBad ? " notice-bad" : ""}`}>
              <p>{notice.text}</p>
              <button
                type="button"
                aria-label="Close the message"
                onClick={() => {
                  setNotice(undefined);
                }}
              >
                Close
              </button>
            </div>
          )}
        </div>
        <PageOf route={route} />
      </main>
    </SessionProvider>
  );
}

/** The whole page: the key first. */
export function App() {
  const [key, setKey] = useState(() => sessionStorage.getItem(KEY_NAME) ?? undefined);
  const [refusal, setRefusal] = useState<ApiError>();

  const forget = (error?: ApiError) => {
    sessionStorage.removeItem(KEY_NAME);
    setRefusal(error);
    setKey(undefined);
  };

  return key === undefined ? (
    <SignIn
      baseUrl={baseUrl()}
      refusal={refusal}
      onKey={(given) => {
        sessionStorage.setItem(KEY_NAME, given);
        setRefusal(undefined);
        setKey(given);
      }}
    />
  ) : (
    <Console
      apiKey={key}
      onRefusedKey={forget}
      signOut={() => {
        forget();
      }}
    />
  );
}
