import { createHash } from "node:crypto";
import type { HttpRequest, HttpResponse } from "../http";
import type { Mail, Mailbox, OpenMail } from "./mailbox";

const STYLE = `
:root { color-scheme: light dark; --line: light-dark(#dfe3e8, #3a4149); --soft: light-dark(#5a6572, #a3adb8);
  --link: light-dark(#0b5cad, #7ab8ff); --hover: light-dark(#f3f6f9, #22272d); }
body { margin: 0 auto; padding: 2rem 1rem; max-width: 60rem; font: 1rem/1.5 system-ui, sans-serif;
  color: light-dark(#1b2026, #e6eaee); background: light-dark(#fff, #181b1f); }
header { display: flex; align-items: baseline; gap: .75rem; border-bottom: 2px solid var(--line); }
h1 { margin: 0 0 .5rem; font-size: 1.5rem; overflow-wrap: anywhere; }
a { color: var(--link); } a:focus-visible { outline: 2px solid; outline-offset: 2px; }
#count, time, .to, dt, .none { color: var(--soft); }
ol { list-style: none; margin: 0; padding: 0; }
li { display: grid; grid-template-columns: max-content 1fr; column-gap: 1rem; padding: .6rem .25rem; border-bottom: 1px solid var(--line); }
li:hover { background: var(--hover); } li a { overflow-wrap: anywhere; }
time { font-variant-numeric: tabular-nums; white-space: nowrap; } .to { grid-column: 2; font-size: .875rem; overflow-wrap: anywhere; }
@media (max-width: 36rem) { li { display: block; } .to { display: block; } }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .1rem 1rem; } dd { margin: 0; overflow-wrap: anywhere; }
pre { font: .9375rem/1.6 ui-monospace, monospace; white-space: pre-wrap; overflow-wrap: anywhere; }
`;

// Takes the list from the current page, and only when there is a new one: the list is then rendered
// in one place, and focus and scroll position stay.
const SCRIPT = `
const json = document.querySelector("main").dataset.json;
let shown = document.querySelector("main").dataset.newest;
setInterval(async () => {
  if (document.hidden) return;
  try {
    const { count, mails } = await (await fetch(json)).json();
    const newest = count + " " + (mails[0]?.id ?? "");
    if (newest === shown) return;
    const page = new DOMParser().parseFromString(await (await fetch(location.href)).text(), "text/html");
    document.querySelector("main").replaceChildren(...page.querySelector("main").childNodes);
    document.querySelector("#count").textContent = page.querySelector("#count").textContent;
    document.title = page.title;
    shown = newest;
  } catch {
    document.querySelector("#count").textContent = "not running";
    shown = "";
  }
}, 1000);
`;

const hash = (text: string) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;

const SAFE_HEADERS = {
  "cache-control": "no-store",
  "content-security-policy":
    `default-src 'none'; style-src ${hash(STYLE)}; script-src ${hash(SCRIPT)}; connect-src 'self'; ` +
    `base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
};

/** A link on the pages of a run. */
export interface PageLink {
  title: string;
  /** Absolute, or a path on this machine's endpoint. */
  url: string;
}

/** How many mails a list holds, the newest ones; its count is that of all mails. */
const SHOWN = 200;

/**
 * The mailbox as a web page: the list on `basePath`, also as JSON on `basePath.json`; one mail on
 * `basePath/<id>`, and its file on `basePath/<id>.eml`.
 * @param basePath such as `/inbox`, without a slash at the end
 * @param options.links gives the links above the list; asked at each request
 * @param options.ownUrl addresses in a mail that begin with it can be clicked
 */
export function inboxPage(
  mailbox: Mailbox,
  basePath: string,
  { links = () => [], ownUrl }: { links?: () => readonly PageLink[]; ownUrl?: string } = {},
): (request: HttpRequest) => Promise<HttpResponse> {
  return async ({ method, url }) => {
    if (method !== "GET" && method !== "HEAD") {
      return answer(405, "text/plain", "Read mails with GET.\n", { allow: "GET, HEAD" });
    }
    const response = await page(url);
    return method === "HEAD" ? { ...response, body: Buffer.alloc(0) } : response;
  };

  async function page(url: string): Promise<HttpResponse> {
    const [path = "", query] = url.split("?");
    const isList = path === basePath || path === `${basePath}/`;
    if (path === `${basePath}.json` || (isList && query === "format=json")) {
      const mails = await mailbox.list();
      return answer(200, "application/json", JSON.stringify(summary(mails)));
    }
    if (isList) {
      return answer(200, "text/html", listPage(await mailbox.list()));
    }
    const name = path.startsWith(`${basePath}/`) ? path.slice(basePath.length + 1) : "";
    const id = name.replace(/\.eml$/, "");
    const mail = await mailbox.read(id);
    if (!mail) {
      return answer(404, "text/html", missingPage());
    }
    if (id === name) {
      return answer(200, "text/html", mailPage(mail));
    }
    return answer(200, "message/rfc822", mail.raw, {
      "content-disposition": `attachment; filename="${name}"`,
    });
  }

  function summary(mails: Mail[]) {
    return {
      count: mails.length,
      mails: mails.slice(0, SHOWN).map(({ id, time, to, subject }) => ({
        id,
        time,
        to,
        subject,
        href: `${basePath}/${id}`,
      })),
    };
  }

  function listPage(mails: Mail[]): string {
    const count = mails.length === 1 ? "1 mail" : `${mails.length} mails`;
    const rows = mails
      .slice(0, SHOWN)
      .map(
        ({ id, time, to, subject }) =>
          `<li>${timeTag(time)}<a href="${basePath}/${id}">${escape(subject)}</a>` +
          `<span class="to">${escape(to)}</span></li>`,
      );
    const list = rows.length
      ? `<ol>${rows.join("")}</ol>`
      : `<p class="none">No mails yet. They appear here by themselves.</p>`;
    return layout(
      `Inbox: ${count}`,
      `<noscript><meta http-equiv="refresh" content="5"></noscript>`,
      linkList(links()) +
        `<header><h1>Inbox</h1><span id="count" role="status">${count}</span></header>` +
        `<main data-json="${basePath}.json" data-newest="${mails.length} ${mails[0]?.id ?? ""}">` +
        `${list}</main><script>${SCRIPT}</script>`,
    );
  }

  function mailPage(mail: OpenMail): string {
    return layout(
      mail.subject,
      "",
      `<nav><a href="${basePath}">All mails</a></nav>` +
        `<main><header><h1>${escape(mail.subject)}</h1></header>` +
        `<dl><dt>To</dt><dd>${escape(mail.to)}</dd><dt>Time</dt><dd>${timeTag(mail.time)}</dd>` +
        `<dt>File</dt><dd><a href="${basePath}/${mail.id}.eml" download>${mail.id}.eml</a></dd></dl>` +
        `<pre>${withLinks(escape(mail.text), ownUrl)}</pre></main>`,
    );
  }

  function missingPage(): string {
    return layout(
      "No such mail",
      "",
      `<main><h1>No such mail</h1><p><a href="${basePath}">All mails</a></p></main>`,
    );
  }
}

/** @param html escaped text */
function withLinks(html: string, ownUrl: string | undefined): string {
  if (ownUrl === undefined) {
    return html;
  }
  return html.replace(/https?:\/\/[^\s<>"]+/g, (address) =>
    address.startsWith(`${ownUrl}/`) ? `<a href="${address}">${address}</a>` : address,
  );
}

function linkList(links: readonly PageLink[]): string {
  const anchors = links.map(({ title, url }) => `<a href="${escape(url)}">${escape(title)}</a>`);
  return anchors.length === 0 ? "" : `<nav>${anchors.join(" ")}</nav>`;
}

function layout(title: string, head: string, body: string): string {
  return (
    `<!doctype html><html lang="en"><head><meta charset="utf-8">` +
    `<meta name="viewport" content="width=device-width, initial-scale=1">` +
    `<title>${escape(title)}</title><style>${STYLE}</style>${head}</head><body>${body}</body></html>`
  );
}

function timeTag(time: Date): string {
  const iso = time.toISOString();
  return `<time datetime="${iso}">${iso.slice(0, 19).replace("T", " ")} UTC</time>`;
}

function escape(text: string): string {
  const entities: Record<string, string> = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&quot;",
  };
  return text.replace(/[&<>"]/g, (character) => entities[character] ?? character);
}

function answer(
  status: number,
  type: string,
  content: string | Buffer,
  headers: Record<string, string> = {},
): HttpResponse {
  const body = Buffer.from(content);
  const charset = type.startsWith("text/") ? "; charset=utf-8" : "";
  return {
    status,
    headers: {
      ...SAFE_HEADERS,
      "content-type": type + charset,
      "content-length": String(body.length),
      ...headers,
    },
    body,
  };
}
