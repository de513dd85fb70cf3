import type { RestApis } from "./apiGateway/restApis";
import { STARTING } from "./gateway/listener";
import type { OwnHosts } from "./gateway/ownHosts";
import type { HttpRequest, HttpResponse } from "./http";
import { inboxPage, type PageLink } from "./mail/inboxPage";
import type { Mailbox } from "./mail/mailbox";
import type { Sns } from "./sns/engine";
import { subscriptionPages } from "./sns/subscriptionPages";
import { stackPage } from "./stackPage";

const INBOX = "/_inbox";

const STACK = "/_stack";

/** The path of the pages that confirm and end subscriptions. */
export const SUBSCRIPTION_PAGES = "/_sns";

const SAFE_METHODS = new Set(["GET", "HEAD", "OPTIONS"]);

const FOREIGN_SITE =
  "This request came from a page of another site. The API has to allow its origin: by an answer " +
  "to OPTIONS with Access-Control-Allow-Origin.\n";

/** What the pages show, known once the program has run. */
export interface PageContent {
  outputs: Record<string, unknown>;
  links: PageLink[];
}

/** The answers to requests without a signature: REST APIs and the pages for people and programs. */
export interface Pages {
  inboxUrl: string;
  /** Begins to answer; before, every request is answered with 503. */
  start(content: PageContent): void;
  handle(request: HttpRequest): Promise<HttpResponse>;
}

export function createPages({
  mailbox,
  restApis,
  sns,
  baseUrl,
  hosts,
}: {
  mailbox: Mailbox;
  restApis: Pick<RestApis, "handle" | "allowsOrigin">;
  sns: Pick<Sns, "confirm" | "unsubscribe">;
  baseUrl: string;
  hosts: Pick<OwnHosts, "isForeign">;
}): Pages {
  const inboxUrl = `${baseUrl}${INBOX}`;
  let content: PageContent | undefined;
  const inbox = inboxPage(mailbox, INBOX, { links: () => content?.links ?? [], ownUrl: baseUrl });
  const subscriptions = subscriptionPages(sns, SUBSCRIPTION_PAGES);

  /**
   * Whether a web page of another site sends what may change something. A form needs nobody's
   * permission for that; on AWS the same page would have to know the API's address.
   */
  async function isForbidden(request: HttpRequest): Promise<boolean> {
    const { method, headers } = request;
    const isSafe = SAFE_METHODS.has(method);
    return !isSafe && hosts.isForeign(headers) && !(await restApis.allowsOrigin(request));
  }

  return {
    inboxUrl,
    start(shown) {
      content = shown;
    },
    async handle(request) {
      const { url } = request;
      if (!content) {
        return STARTING;
      }
      if (url === "/") {
        return textResponse(302, "", { location: INBOX });
      }
      if (url.startsWith(INBOX)) {
        return inbox(request);
      }
      if (url === STACK) {
        return stackPage(request, content.outputs);
      }
      if (await isForbidden(request)) {
        return textResponse(403, FOREIGN_SITE);
      }
      if (url.startsWith(`${SUBSCRIPTION_PAGES}/`)) {
        return subscriptions(request);
      }
      return (await restApis.handle(request)) ?? notFound(inboxUrl);
    },
  };
}

function notFound(inboxUrl: string): HttpResponse {
  return textResponse(
    404,
    `There is nothing here. Mails are at ${inboxUrl}; AWS clients have to sign their ` +
      "requests.\n",
  );
}

function textResponse(status: number, text: string, headers: Record<string, string> = {}) {
  return {
    status,
    headers: {
      "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
      "content-type": "text/plain; charset=utf-8",
      "x-content-type-options": "nosniff",
      ...headers,
    },
    body: Buffer.from(text),
  };
}
