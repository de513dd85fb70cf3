import { rmSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { pipeline } from "node:stream/promises";
import { AwsError } from "../awsError";
import type { HttpRequest, HttpResponse, ReceiveBody } from "../http";
import { createOwnHosts, type OwnHosts } from "./ownHosts";
import { answerUnreadable } from "./unreadable";

/** Answers the requests that a listener has read. */
export interface RequestHandler {
  /** `"reset"`: the connection is reset. */
  handle(request: HttpRequest): Promise<HttpResponse | "reset">;
  /**
   * What receives the request's body if it is large; undefined for one that is kept in memory.
   *
   * @param request without its body
   */
  receiverOf?(request: HttpRequest): ReceiveBody | undefined;
  /** Answers a request that is not handled, such as one whose body is too large (an AwsError). */
  refuse(request: HttpRequest, error: unknown): HttpResponse;
}

/** @param where what failed, for the operator */
export type OnError = (error: unknown, where: string) => void;

export interface ListenOptions {
  /** 0 takes a free port. */
  port: number;
  /** @default "127.0.0.1" */
  host?: string;
  /** In bytes. @default 5 GiB for a body that is received by its service, 512 MiB for others */
  maxBodyBytes?: number;
  /**
   * Called where an answer cannot be written, and where the server itself fails.
   *
   * @default writes to stderr
   */
  onError?: OnError;
}

/** The HTTP server that all clients of the local services reach. */
export interface Listener {
  readonly port: number;
  readonly url: string;
  /** The names that it answers to. A request for any other one is refused with 403. */
  readonly hosts: OwnHosts;
  /** Answers requests with this handler. Until the first call they are answered with {@link STARTING}. */
  serve(handler: RequestHandler): void;
  /** Ends every connection at once, busy ones too. */
  close(): Promise<void>;
}

/** The answer until there is a handler. */
export const STARTING: HttpResponse = {
  status: 503,
  headers: { "content-type": "text/plain; charset=utf-8", "retry-after": "1" },
  body: Buffer.from("The local run is starting.\n"),
};

const MIB = 1024 * 1024;

/** A larger body is received by its service, if that can do it. */
const LARGE_BYTES = MIB;

const MAX_MEMORY_BYTES = 512 * MIB;

/** S3's limit of one PUT: https://docs.aws.amazon.com/AmazonS3/latest/userguide/upload-objects.html */
const MAX_RECEIVED_BYTES = 5 * 1024 * MIB;

// SDK clients keep connections for reuse. With Node's five seconds a client now and then writes to
// a connection that is just being closed, and sees ECONNRESET.
const KEEP_ALIVE_MS = 75_000;

const HOP_HEADERS = new Set(["connection", "keep-alive", "transfer-encoding"]);

const NOT_SERVED: RequestHandler = {
  handle: () => Promise.resolve(STARTING),
  refuse: () => STARTING,
};

/**
 * Opens the port.
 *
 * @throws the server's own error, such as EADDRINUSE
 */
export async function listen(options: ListenOptions): Promise<Listener> {
  const { host = "127.0.0.1", maxBodyBytes = MAX_RECEIVED_BYTES, onError = logError } = options;
  let handler = NOT_SERVED;
  let hosts = createOwnHosts(host, options.port);
  const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, (incoming, outgoing) => {
    answer({ handler, hosts }, maxBodyBytes, incoming, outgoing).catch((error: unknown) => {
      // Only the writing of the response can fail, so no other answer can be sent.
      onError(error, `${incoming.method ?? ""} ${incoming.url ?? ""}`);
      outgoing.destroy();
    });
  });

  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port, host, () => {
      server.off("error", reject);
      resolve();
    });
  });
  server.on("error", (error) => {
    onError(error, "gateway");
  });
  server.on("clientError", answerUnreadable);
  const { port } = server.address() as AddressInfo;
  hosts = createOwnHosts(host, port);
  return {
    port,
    url: `http://${host}:${port}`,
    hosts,
    serve(served) {
      handler = served;
    },
    close: () =>
      new Promise((resolve) => {
        // Its only error: the server does not listen any more.
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  };
}

/** Writes an unexpected error to stderr. */
export function logError(error: unknown, where: string): void {
  console.error(`The gateway failed at ${where}:`, error);
}

async function answer(
  { handler, hosts }: { handler: RequestHandler; hosts: OwnHosts },
  limit: number,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  const head: HttpRequest = {
    method: incoming.method ?? "GET",
    url: incoming.url ?? "/",
    headers: headersOf(incoming),
    body: Buffer.alloc(0),
    onClientGone: (listener) => {
      if (outgoing.closed) {
        listener();
      } else {
        outgoing.once("close", listener);
      }
    },
  };
  if (!hosts.isOwn(head.headers.host)) {
    incoming.resume();
    await send(outgoing, head.method, handler.refuse(head, foreignHost(head)));
    return;
  }
  const receive = mayBeLarge(incoming) ? handler.receiverOf?.(head) : undefined;
  let received: Pick<HttpRequest, "body" | "spooled">;
  try {
    received = await readBody(incoming, limit, receive);
  } catch (error) {
    const hasClientLeft = incoming.destroyed && !incoming.complete;
    if (!hasClientLeft) {
      // Read on without keeping it: an answer is lost on a client that is cut off while it writes.
      incoming.resume();
      await send(outgoing, head.method, handler.refuse(head, error));
    }
    return;
  }
  const { spooled } = received;
  const response = await handler.handle({ ...head, ...received }).finally(() => {
    if (spooled) {
      rmSync(spooled.file, { force: true });
    }
  });
  if (response === "reset") {
    incoming.socket.resetAndDestroy();
    return;
  }
  try {
    await send(outgoing, head.method, response);
  } catch (error) {
    if (outgoing.headersSent) {
      throw error;
    }
    // Headers that HTTP cannot carry: the client gets an error, not a lost connection.
    response.stream?.destroy();
    await send(outgoing, head.method, handler.refuse(head, error));
  }
}

function foreignHost({ headers }: HttpRequest): AwsError {
  return new AwsError(
    "AccessDenied",
    403,
    `The host "${headers.host ?? ""}" is not this endpoint's own. Call it by the printed address.`,
  );
}

/** Node.js itself drops the second of some headers; signatures are made of them all. */
function headersOf({ rawHeaders }: IncomingMessage): Record<string, string> {
  const headers: Record<string, string> = {};
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at]?.toLowerCase() ?? "";
    const value = rawHeaders[at + 1] ?? "";
    const before = Object.hasOwn(headers, name) ? headers[name] : undefined;
    headers[name] =
      before === undefined ? value : `${before}${name === "cookie" ? "; " : ","}${value}`;
  }
  return headers;
}

function mayBeLarge({ headers }: IncomingMessage): boolean {
  return (
    Number(headers["content-length"]) > LARGE_BYTES || headers["transfer-encoding"] !== undefined
  );
}

/**
 * Reads a body to its end; a service never sees half a request.
 *
 * @throws AwsError EntityTooLarge 413, what `receive` throws, or Error where the client leaves
 */
async function readBody(
  incoming: IncomingMessage,
  limit: number,
  receive: ReceiveBody | undefined,
): Promise<Pick<HttpRequest, "body" | "spooled">> {
  const announced = Number(incoming.headers["content-length"] ?? 0);
  const maxBytes = receive ? limit : Math.min(limit, MAX_MEMORY_BYTES);
  if (announced > maxBytes) {
    throw tooLarge(maxBytes);
  }
  if (!receive) {
    return { body: await readWhole(incoming, announced, maxBytes) };
  }
  // Otherwise the end of the loop would cut the client off.
  const source = incoming.iterator({ destroyOnReturn: false }) as AsyncIterator<Buffer, undefined>;
  try {
    return await receiveLarge(limitTo(maxBytes, source), receive);
  } finally {
    await source.return?.();
  }
}

/** Keeps what turns out to be small in memory. */
async function receiveLarge(
  source: AsyncGenerator<Buffer, void>,
  receive: ReceiveBody,
): Promise<Pick<HttpRequest, "body" | "spooled">> {
  const chunks: Buffer[] = [];
  let size = 0;
  while (size <= LARGE_BYTES) {
    const { value: chunk } = await source.next();
    if (!chunk) {
      return { body: Buffer.concat(chunks) };
    }
    chunks.push(chunk);
    size += chunk.length;
  }
  async function* all(): AsyncGenerator<Buffer, void> {
    yield* chunks.splice(0);
    yield* source;
  }
  return receive(all());
}

async function* limitTo(
  maxBytes: number,
  source: AsyncIterator<Buffer, undefined>,
): AsyncGenerator<Buffer, void> {
  let size = 0;
  for (let next = await source.next(); next.value; next = await source.next()) {
    size += next.value.length;
    if (size > maxBytes) {
      throw tooLarge(maxBytes);
    }
    yield next.value;
  }
}

/** @param announced 0 where the size is not known before */
function readWhole(incoming: IncomingMessage, announced: number, limit: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    // Filled in place: putting a large body's parts together at the end takes a second copy of it.
    const whole = Buffer.allocUnsafe(announced);
    let size = 0;
    incoming.on("data", (chunk: Buffer) => {
      const at = size;
      size += chunk.length;
      if (size > limit) {
        chunks.length = 0;
        reject(tooLarge(limit));
      } else if (announced > 0) {
        whole.set(chunk, at);
      } else {
        chunks.push(chunk);
      }
    });
    incoming.on("end", () => {
      resolve(announced > 0 ? whole : Buffer.concat(chunks));
    });
    // 'close' without 'end' before it; 'error' comes with it and must have a listener.
    incoming.on("error", reject);
    incoming.on("close", () => {
      reject(new Error("The client has left."));
    });
  });
}

function tooLarge(limitBytes: number): AwsError {
  return new AwsError(
    "EntityTooLarge",
    413,
    `Your proposed upload exceeds the maximum allowed size of ${limitBytes} bytes`,
  );
}

/** @throws what a stream throws */
async function send(
  outgoing: ServerResponse,
  method: string,
  { status, headers: given, body, stream }: HttpResponse,
): Promise<void> {
  const headers: Record<string, string | number> = {};
  let length: string | number | undefined = method === "HEAD" || stream ? undefined : body.length;
  for (const [name, value] of Object.entries(given)) {
    const lower = name.toLowerCase();
    if (lower === "content-length") {
      // Of a HEAD, the length of a GET's body, which only the service knows.
      length ??= value;
    } else if (!HOP_HEADERS.has(lower)) {
      headers[lower] = value;
    }
  }
  const isBodiless = status === 204 || status === 304;
  if (!isBodiless && (length !== undefined || !stream)) {
    // The last: Node.js reads a content-disposition after it as UTF-8, and refuses other bytes.
    headers["content-length"] = length ?? body.length;
  }
  outgoing.writeHead(status, headers);
  if (isBodiless || method === "HEAD") {
    stream?.destroy();
    outgoing.end();
  } else if (stream) {
    await pipeline(stream, outgoing).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code !== "ERR_STREAM_PREMATURE_CLOSE") {
        throw error;
      }
      // The client has left.
    });
  } else {
    outgoing.end(body);
  }
}
