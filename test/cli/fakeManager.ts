import { randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Link, NewLink } from "../../cli/manager/linkClient";
import type { FileEvent } from "../../events/event";
import { type FakeUploads, multipart, putPart, type Reply } from "./fakeMultipart";
import { receive, type Seen } from "./receive";

/** An answer in place of the normal one. `reset` closes the connection; `lost answer` does so after the work. */
export type Fault =
  { status: number; headers?: Record<string, string>; body?: unknown } | "reset" | "lost answer";

/** A fake manager, upload API, S3 and page `/_stack` in one server. */
export interface FakeManager extends FakeUploads {
  port: number;
  key: string;
  seen: Seen[];
  events: FileEvent[];
  links: Link[];
  /** Faults of the next requests, by method and path. */
  faults: Record<string, Fault[]>;
  directMaxBytes: number;
  presignedMaxBytes: number;
  /** Without it, the manager takes no uploads in parts. */
  multipartMaxBytes?: number;
  uploadKey?: string;
  /** Maximum of events in one page of `GET /events`. */
  pageSize: number;
  /** The results of each request of `POST /events/retry`. */
  retryPages: { matched: number; moved: number; not_moved: Record<string, number> }[];
  /** Method and path of each request, in order: `POST /uploads`. */
  requests(): string[];
  close(): Promise<void>;
}

function errorBody(code: string) {
  return { error: { code, message: `It is ${code}.` } };
}

function xmlError(code: string): string {
  return `<?xml version="1.0"?><Error><Code>${code}</Code><Message>S3 &amp; ${code}</Message></Error>`;
}

/** An error answer of S3, for `faults`. */
export function s3Error(status: number, code: string): Fault {
  return { status, body: xmlError(code) };
}

/** An error answer of the two APIs, for `faults`. */
export function apiError(status: number, code: string, headers?: Record<string, string>): Fault {
  return { status, headers, body: errorBody(code) };
}

function describe(fake: FakeManager): object {
  const { url, directMaxBytes, presignedMaxBytes, multipartMaxBytes, uploadKey } = fake;
  return {
    openapi: "3.1.0",
    paths: {
      "/upload": {
        servers: [{ url: `${url}/direct` }],
        post: {
          "x-max-bytes": directMaxBytes,
          security: uploadKey === undefined ? [] : [{ key: [] }],
        },
      },
      "/uploads": { post: { "x-max-bytes": presignedMaxBytes } },
      ...(multipartMaxBytes && { "/s3/multipart": { post: { "x-max-bytes": multipartMaxBytes } } }),
    },
  };
}

function page<Item>(
  fake: FakeManager,
  items: Item[],
  { limit = "100", cursor = "0" }: Seen["query"],
) {
  const start = Number(cursor);
  const next = start + Math.min(Number(limit), fake.pageSize);
  return {
    items: items.slice(start, next),
    next_cursor: next < items.length ? String(next) : null,
  };
}

function list(fake: FakeManager, query: Seen["query"]): Reply {
  const { status } = query;
  const matching = fake.events.filter((event) => !status || event.event_status === status);
  const { items: events, next_cursor } = page(fake, matching, query);
  return [200, { events, next_cursor }];
}

function links(fake: FakeManager, { method, path, query, text }: Seen): Reply {
  const id = path.split("/")[2];
  if (id === undefined && method === "GET") {
    const { items: links, next_cursor } = page(fake, fake.links, query);
    return [200, { links, next_cursor }];
  }
  if (id === undefined) {
    const { max_files, note } = JSON.parse(text) as NewLink;
    const made = someLink(`link-${fake.links.length + 1}`, { max_files, note });
    fake.links.unshift(made);
    return [201, made];
  }
  const link = fake.links.find(({ link_id }) => link_id === id);
  if (link && method === "DELETE") {
    Object.assign(link, { status: "revoked", revoked_at: "2026-11-22T08:00:00.000Z" });
  }
  return link ? [200, link] : [404, errorBody("link_not_found")];
}

function retryFailed(fake: FakeManager, { dry_run, cursor = "0" }: Seen["query"]): Reply {
  const index = Number(cursor);
  const next_cursor = index + 1 < fake.retryPages.length ? String(index + 1) : null;
  return [200, { dry_run: dry_run === "true", ...fake.retryPages[index], next_cursor }];
}

function oneEvent(fake: FakeManager, method: string, id: string, action?: string): Reply {
  const event = fake.events.find((candidate) => candidate.event_id === id);
  if (!event) {
    return [404, errorBody("event_not_found")];
  }
  if (action === "retry") {
    const { event_status, failed_from } = event;
    return event_status === "failed"
      ? [200, { event_id: id, event_status: failed_from }]
      : [409, errorBody("not_failed")];
  }
  if (method === "DELETE") {
    fake.events = fake.events.filter((candidate) => candidate !== event);
    return [204];
  }
  if (event.last_error?.code === "ObjectReplaced") {
    return [200, { event, no_download: errorBody("object_replaced").error }];
  }
  return [
    200,
    { event, download: { url: `${fake.url}/file/${id}`, expires_at: "2026-11-21T22:00:00.000Z" } },
  ];
}

function newUpload(fake: FakeManager, seen: Seen, arrived: Set<string>): Reply {
  const event_id = `id-${seen.headers["idempotency-key"] ?? randomUUID()}`;
  const event_timestamp = "2026-11-21T21:00:00.000Z";
  const key = `signed/${event_id}`;
  const common = { event_id, event_timestamp, bucket: "uploads", key };
  if (arrived.has(event_id)) {
    return [200, { ...common, event_status: "notified" }];
  }
  const { size } = JSON.parse(seen.text) as { size: number };
  const url = `${fake.url}/s3?key=${key}&X-Amz-Signature=ab`;
  const headers = { "Content-Length": String(size), "Content-Type": "x/y", "If-None-Match": "*" };
  const expires_at = "2026-11-21T22:00:00.000Z";
  return [201, { ...common, method: "PUT", url, headers, expires_at }];
}

function directUpload(event_id: string, arrived: Set<string>): Reply {
  const headers = arrived.has(event_id) ? { "Idempotent-Replayed": "true" } : undefined;
  arrived.add(event_id);
  return [201, { event_id, key: `uploads/${event_id}` }, headers];
}

function replyOf(fake: FakeManager, seen: Seen, arrived: Set<string>): Reply {
  const { method, path, query, headers } = seen;
  const event_id = `id-${headers["idempotency-key"] ?? ""}`;
  const [, first, id = "", action] = path.split("/");
  switch (`${method} ${path}`) {
    case "GET /_stack":
      return [200, { outputs: { managerUrl: fake.url, managerApiKey: fake.key } }];
    case "PUT /s3": {
      const id = (query.key ?? "").replace("signed/", "");
      if (arrived.has(id)) {
        return [412, xmlError("PreconditionFailed")];
      }
      arrived.add(id);
      return [200];
    }
    case "PUT /part":
      return putPart(fake, seen);
    case "POST /direct/upload":
      return fake.uploadKey === headers["x-api-key"]
        ? directUpload(event_id, arrived)
        : [403, errorBody("forbidden")];
  }
  if (headers["x-api-key"] !== fake.key) {
    return [403, errorBody("forbidden")];
  }
  switch (`${method} ${path}`) {
    case "GET /openapi.json":
      return [200, describe(fake)];
    case "GET /events":
      return list(fake, query);
    case "POST /events/retry":
      return retryFailed(fake, query);
    case "GET /stats":
      return [
        200,
        {
          counts: { created: 0, uploaded: 1, processed: 0, notified: 41, failed: 3 },
          total: 45,
          oldest_unfinished: {
            event_id: "old-one",
            event_timestamp: "2026-11-21T21:00:00.000Z",
            event_status: "uploaded",
            age_seconds: 185,
          },
          as_of: "2026-11-21T21:03:05.000Z",
        },
      ];
    case "POST /uploads":
      return newUpload(fake, seen, arrived);
  }
  if (path.startsWith("/s3/multipart")) {
    return multipart(fake, seen);
  }
  if (first === "links") {
    return links(fake, seen);
  }
  return first === "events"
    ? oneEvent(fake, method, decodeURIComponent(id), action)
    : [404, errorBody("not_found")];
}

async function seenOf(request: IncomingMessage): Promise<Seen> {
  const { method = "", url = "", headers } = request;
  const { pathname, searchParams } = new URL(url, "http://fake");
  return {
    method,
    path: pathname,
    query: Object.fromEntries(searchParams),
    headers: headers as Record<string, string>,
    ...(await receive(request)),
  };
}

function answer(response: ServerResponse, status: number, body: unknown, headers = {}): void {
  response.writeHead(status, headers);
  response.end(typeof body === "string" || body === undefined ? body : JSON.stringify(body));
}

/** Starts the fake on a free port. */
export async function startFakeManager(): Promise<FakeManager> {
  const arrived = new Set<string>();
  const serve = async (request: IncomingMessage, response: ServerResponse) => {
    const seen = await seenOf(request);
    fake.seen.push(seen);
    const fault = fake.faults[`${seen.method} ${seen.path}`]?.shift();
    if (fault === "reset") {
      request.socket.resetAndDestroy();
      return;
    }
    if (typeof fault === "object") {
      answer(response, fault.status, fault.body, fault.headers);
      return;
    }
    const [status, body, headers] = replyOf(fake, seen, arrived);
    if (fault === "lost answer") {
      request.socket.resetAndDestroy();
      return;
    }
    answer(response, status, body, headers);
  };
  const server = createServer((request, response) => {
    // An aborted request gets no answer.
    serve(request, response).catch(() => request.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const fake: FakeManager = {
    url: `http://127.0.0.1:${port}`,
    port,
    key: "the-key",
    seen: [],
    events: [],
    links: [],
    faults: {},
    directMaxBytes: 1000,
    presignedMaxBytes: 10 ** 9,
    partSize: 1000,
    uploads: [],
    pageSize: 500,
    retryPages: [],
    requests: () => fake.seen.map(({ method, path }) => `${method} ${path}`),
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  };
  return fake;
}

/** An event in the manager's format. */
export function someEvent(event_id: string, changes: Partial<FileEvent> = {}): FileEvent {
  return {
    event_id,
    event_timestamp: "2026-11-21T21:23:54.776Z",
    event_status: "notified",
    event_info: { Bucket: "uploads", Key: `uploads/${event_id}`, FileName: `${event_id}.jpg` },
    event_result: { size: 78012, type: "image/jpeg" },
    updated_at: "2026-11-21T21:23:55.776Z",
    ...changes,
  };
}

/** A link in the manager's format. */
export function someLink(link_id: string, changes: Partial<Link> = {}): Link {
  return {
    link_id,
    url: `https://links.example.com/stage/ticket-of-${link_id}`,
    created_at: "2026-11-21T21:00:00.000Z",
    expires_at: "2026-11-28T21:00:00.000Z",
    status: "open",
    files: { taken: 3, stored: 2 },
    ...changes,
  };
}
