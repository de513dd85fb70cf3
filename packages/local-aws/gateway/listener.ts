import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { pipeline } from "node:stream/promises";
import type { HttpRequest, HttpResponse } from "../http";

/** Answers the requests that a listener has read. */
export interface RequestHandler {
  /** `"reset"`: the connection is reset. */
  handle(request: HttpRequest): Promise<HttpResponse | "reset">;
  /** Answers a request whose body is larger than the limit, and was not kept. */
  refuseBody(request: HttpRequest, limitBytes: number): HttpResponse;
}

/** @param where what failed, for the operator */
export type OnError = (error: unknown, where: string) => void;

export interface ListenOptions {
  /** 0 takes a free port. */
  port: number;
  /** @default "127.0.0.1" */
  host?: string;
  /** In bytes. @default 512 MiB */
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

const MAX_BODY_BYTES = 512 * 1024 * 1024;

// SDK clients keep connections for reuse. With Node's five seconds a client now and then writes to
// a connection that is just being closed, and sees ECONNRESET.
const KEEP_ALIVE_MS = 75_000;

const HOP_HEADERS = new Set(["connection", "keep-alive", "transfer-encoding"]);

const NOT_SERVED: RequestHandler = {
  handle: () => Promise.resolve(STARTING),
  refuseBody: () => STARTING,
};

/**
 * Opens the port.
 *
 * @throws the server's own error, such as EADDRINUSE
 */
export async function listen(options: ListenOptions): Promise<Listener> {
  const { host = "127.0.0.1", maxBodyBytes = MAX_BODY_BYTES, onError = logError } = options;
  let handler = NOT_SERVED;
  const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, (incoming, outgoing) => {
    answer(handler, maxBodyBytes, incoming, outgoing).catch((error: unknown) => {
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
  const { port } = server.address() as AddressInfo;
  return {
    port,
    url: `http://${host}:${port}`,
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
  handler: RequestHandler,
  limit: number,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  const body = await readBody(incoming, limit);
  if (body === "aborted") {
    return;
  }
  const request: HttpRequest = {
    method: incoming.method ?? "GET",
    url: incoming.url ?? "/",
    headers: headersOf(incoming),
    body: body === "too large" ? Buffer.alloc(0) : body,
  };
  const response =
    body === "too large" ? handler.refuseBody(request, limit) : await handler.handle(request);
  if (response === "reset") {
    incoming.socket.resetAndDestroy();
    return;
  }
  await send(outgoing, request.method, response);
}

function headersOf(incoming: IncomingMessage): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(incoming.headers)) {
    if (value !== undefined) {
      headers[name] = Array.isArray(value) ? value.join(", ") : value;
    }
  }
  return headers;
}

/** Reads a body to its end; a service never sees half a request. */
function readBody(
  incoming: IncomingMessage,
  limit: number,
): Promise<Buffer | "aborted" | "too large"> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    const announced = Number(incoming.headers["content-length"] ?? 0);
    // Filled in place: putting a large body's parts together at the end takes a second copy of it.
    const whole = announced <= limit ? Buffer.allocUnsafe(announced) : undefined;
    let size = 0;
    incoming.on("data", (chunk: Buffer) => {
      const at = size;
      size += chunk.length;
      if (size <= limit) {
        if (announced > 0) {
          whole?.set(chunk, at);
        } else {
          chunks.push(chunk);
        }
        return;
      }
      // Read on without keeping it: an answer is lost on a client that is cut off while it writes.
      chunks.length = 0;
      resolve("too large");
    });
    if (!whole) {
      resolve("too large");
    }
    incoming.on("end", () => {
      resolve(announced > 0 && whole ? whole : Buffer.concat(chunks));
    });
    // 'close' without 'end' before it; 'error' comes with it and must have a listener.
    incoming.on("error", () => {
      resolve("aborted");
    });
    incoming.on("close", () => {
      resolve("aborted");
    });
  });
}

/** @throws what a stream throws */
async function send(
  outgoing: ServerResponse,
  method: string,
  { status, headers: given, body, stream }: HttpResponse,
): Promise<void> {
  const headers: Record<string, string | number> = {};
  for (const [name, value] of Object.entries(given)) {
    const lower = name.toLowerCase();
    if (!HOP_HEADERS.has(lower)) {
      headers[lower] = value;
    }
  }
  const isBodiless = status === 204 || status === 304;
  if (isBodiless) {
    delete headers["content-length"];
  } else if (method === "HEAD") {
    // The length of a GET's body, which only the service knows.
    headers["content-length"] ??= body.length;
  } else if (!stream) {
    headers["content-length"] = body.length;
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
