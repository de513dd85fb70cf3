import { randomBytes, timingSafeEqual } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { MAX_RESPONSE_BYTES } from "../limits";
import type { RuntimeInvocation } from "./invocation";
import { serveInvocationPipe } from "./invocationPipe";

/** The calls of a runtime. */
export interface RuntimeListener {
  /** The runtime is ready for an invocation: its start or the previous one has ended. */
  onNext(): void;
  /** @param payload the handler's result, JSON text */
  onResponse(requestId: string, payload: string): void;
  /** @param payload JSON text with `errorType`, `errorMessage` and `trace` */
  onError(requestId: string, payload: string): void;
  onInitError(payload: string): void;
}

/** The Lambda Runtime API of one execution environment. */
export interface RuntimeApi {
  /** The value of AWS_LAMBDA_RUNTIME_API: `host:port`. */
  address: string;
  /** What its runtime sends with each HTTP request, in the header {@link SECRET_HEADER}. */
  secret: string;
  /** Serves the process's pipe: invocations go through it alone. */
  serve(pipe: Duplex): void;
  /** Answers the runtime's waiting request for an invocation. */
  send(invocation: RuntimeInvocation): void;
  close(): void;
}

/** The header with an environment's secret; ricClient.cjs sends it. */
const SECRET_HEADER = "x-local-runtime-secret";

/**
 * Serves the Lambda Runtime API, version 2018-06-01: invocations and their results through the
 * process's pipe, and on a free port of 127.0.0.1 what the runtime interface client sends by HTTP:
 * streamed results and the error of a start.
 *
 * Any process and any web page can reach the port. A request without the environment's secret is
 * answered with 403, and nobody gets an invocation here.
 *
 * Source: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
 */
export async function startRuntimeApi(listener: RuntimeListener): Promise<RuntimeApi> {
  const secret = randomBytes(32).toString("hex");
  let address = "";
  // The runtime's one connection stays open for its whole life, idle or not.
  const server = createServer({ keepAliveTimeout: 0, requestTimeout: 0 });
  /** Answers the runtime's waiting call for an invocation. */
  let answer: ((invocation: RuntimeInvocation) => void) | undefined;
  server.on("request", (request, response) => {
    if (request.headers.host !== address || !isSecret(request.headers[SECRET_HEADER], secret)) {
      response.setHeader("connection", "close");
      reply(response, 403, {
        errorType: "Forbidden",
        errorMessage: "Only the runtime of this environment may call its Runtime API.",
      });
      return;
    }
    const path = (request.url ?? "").split("/").slice(3);
    const route = `${request.method ?? ""} ${path[0] ?? ""}/${path.at(-1) ?? ""}`;
    const requestId = path[1] ?? "";
    switch (route) {
      case "POST invocation/response":
        readBody(request, response, (body, error) => {
          if (error === undefined) {
            listener.onResponse(requestId, body);
          } else {
            listener.onError(requestId, error);
          }
        });
        return;
      case "POST init/error":
        readBody(request, response, (body, error) => {
          listener.onInitError(error ?? body);
        });
        return;
      default:
        reply(response, 404, { errorType: "NotFound", errorMessage: `No such path: ${route}` });
    }
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject).listen(0, "127.0.0.1", resolve);
  });
  address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    address,
    secret,
    serve(pipe) {
      serveInvocationPipe(pipe, MAX_RESPONSE_BYTES, {
        onNext(send) {
          if (answer) {
            // The function wrote to the pipe: a runtime waits for one invocation at a time.
            pipe.destroy();
            return;
          }
          answer = send;
          listener.onNext();
        },
        onResponse(requestId, payload, bytes) {
          if (payload === undefined) {
            listener.onError(requestId, JSON.stringify(tooLarge(bytes)));
          } else {
            listener.onResponse(requestId, payload);
          }
        },
        onError(requestId, payload, bytes) {
          listener.onError(requestId, payload ?? JSON.stringify(tooLarge(bytes)));
        },
      });
    },
    send(invocation) {
      if (answer === undefined) {
        throw new Error("The runtime has not asked for an invocation.");
      }
      const send = answer;
      answer = undefined;
      send(invocation);
    },
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

function isSecret(given: string | string[] | undefined, secret: string): boolean {
  const bytes = Buffer.from(typeof given === "string" ? given : "");
  return bytes.length === secret.length && timingSafeEqual(bytes, Buffer.from(secret));
}

function tooLarge(bytes: number): { errorType: string; errorMessage: string } {
  return {
    errorType: "Function.ResponseSizeTooLarge",
    errorMessage:
      `Response payload size (${bytes} bytes) exceeded maximum allowed payload size ` +
      `(${MAX_RESPONSE_BYTES} bytes).`,
  };
}

/** Reads a body to its end; `error` is set when the body must not be used. */
function readBody(
  request: IncomingMessage,
  response: ServerResponse,
  then: (body: string, error?: string) => void,
): void {
  const chunks: Buffer[] = [];
  let size = 0;
  request.on("data", (chunk: Buffer) => {
    size += chunk.length;
    if (size <= MAX_RESPONSE_BYTES) {
      chunks.push(chunk);
    }
  });
  request.on("end", () => {
    if (size > MAX_RESPONSE_BYTES) {
      const error = tooLarge(size);
      then("", JSON.stringify(error));
      reply(response, 413, error);
      return;
    }
    // A streaming handler that fails after its first bytes reports it in a trailer.
    const trailer = request.trailers["lambda-runtime-function-error-body"];
    const error = trailer && Buffer.from(trailer, "base64").toString();
    then(Buffer.concat(chunks).toString(), error);
    reply(response, 202, { status: "OK" });
  });
}

function reply(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}
