import { render } from "preact";
import { pageElement } from "../shared/page";
import { Closed } from "./closed";
import { type LinkApi, openLinkApi } from "./link";
import { UploadPage } from "./uploadPage";
import { useLink } from "./useLink";

import "../shared/shared.css";
import "./page.css";

function App({ api }: { api: LinkApi }) {
  const { link, closed, error, reload } = useLink(api);
  if (link) {
    return <UploadPage api={api} link={link} closed={closed} reload={reload} />;
  }
  if (closed) {
    return (
      <main>
        <Closed error={closed} isHeading />
      </main>
    );
  }
  return (
    <main>
      <h1>Upload files</h1>
      {error ? (
        <div class="notice notice-bad" role="alert">
          <p>The page cannot reach its server: {error.message}</p>
          <button type="button" onClick={reload}>
            Try again
          </button>
        </div>
      ) : (
        <p class="muted">One moment…</p>
      )}
    </main>
  );
}

render(<App api={openLinkApi(location.href)} />, pageElement());
