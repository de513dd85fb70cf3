import type { RestApis } from "./apiGateway/restApis";
import { STARTING } from "./gateway/listener";
import type { HttpRequest, HttpResponse } from "./http";
import { inboxPage, type PageLink } from "./mail/inboxPage";
import type { Mailbox } from "./mail/mailbox";
import { stackPage } from "./stackPage";

const INBOX = "/_inbox";

const STACK = "/_stack";

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
  baseUrl,
}: {
  mailbox: Mailbox;
  restApis: Pick<RestApis, "handle">;
  baseUrl: string;
}): Pages {
  const inboxUrl = `${baseUrl}${INBOX}`;
  let content: PageContent | undefined;
  const inbox = inboxPage(mailbox, INBOX, () => content?.links ?? []);
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
    headers: { "content-type": "text/plain; charset=utf-8", ...headers },
    body: Buffer.from(text),
  };
}
