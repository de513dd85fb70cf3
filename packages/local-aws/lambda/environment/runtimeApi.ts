import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Crash } from "../fault";
import { MAX_RESPONSE_BYTES } from "../limits";

/** One invocation, as the runtime interface client receives it. */
export interface RuntimeInvocation {
  requestId: string;
  /** Epoch milliseconds at which the function's timeout strikes. */
  deadlineMs: number;
  functionArn: string;
  traceId: string;
  /** JSON text. */
  payload: string;
  crash?: Pick<Crash, "call" | "when">;
}

/** The calls of a runtime. */
export interface RuntimeListener {
  /** The runtime is ready for an invocation: its start, or the one before, is over. */
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
  /** Answers the runtime's waiting request for an invocation. */
  send(invocation: RuntimeInvocation): void;
  close(): void;
}

/**
 * Serves the Lambda Runtime API, version 2018-06-01, on a free port of 127.0.0.1.
 *
 * Each environment has a port of its own: the runtime interface client takes `host:port` and
 * nothing more, so that a path could not identify the environment.
 *
 * Source: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
 */
export async function startRuntimeApi(listener: RuntimeListener): Promise<RuntimeApi> {
  // The runtime's one connection stays open for its whole life, idle or not.
  const server = createServer({ keepAliveTimeout: 0, requestTimeout: 0 });
  let waiting: ServerResponse | undefined;
  server.on("request", (request, response) => {
    const path = (request.url ?? "").split("/").slice(3);
    const route = `${request.method ?? ""} ${path[0] ?? ""}/${path.at(-1) ?? ""}`;
    const requestId = path[1] ?? "";
    switch (route) {
      case "GET invocation/next":
        waiting = response;
        listener.onNext();
        return;
      case "POST invocation/response":
        readBody(request, response, (body, error) => {
          if (error === undefined) {
            listener.onResponse(requestId, body);
          } else {
            listener.onError(requestId, error);
          }
        });
        return;
      case "POST invocation/error":
        readBody(request, response, (body, error) => {
          listener.onError(requestId, error ?? body);
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
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    send(invocation) {
      if (waiting === undefined) {
        throw new Error("The runtime has not asked for an invocation.");
      }
      waiting
        .writeHead(200, {
          "content-type": "application/json",
          "lambda-runtime-aws-request-id": invocation.requestId,
          "lambda-runtime-deadline-ms": String(invocation.deadlineMs),
          "lambda-runtime-invoked-function-arn": invocation.functionArn,
          "lambda-runtime-trace-id": invocation.traceId,
          ...(invocation.crash && {
            "x-local-crash": `${invocation.crash.when} ${invocation.crash.call}`,
          }),
        })
        .end(invocation.payload);
      waiting = undefined;
    },
    close() {
      server.close();
      server.closeAllConnections();
    },
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
      const error = {
        errorType: "Function.ResponseSizeTooLarge",
        errorMessage:
          `Response payload size (${size} bytes) exceeded maximum allowed payload size ` +
          `(${MAX_RESPONSE_BYTES} bytes).`,
      };
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
