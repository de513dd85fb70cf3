import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Crash } from "./fault";
import { MAX_RESPONSE_BYTES } from "./limits";

/** One invocation, as the runtime interface client gets it. */
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

/** What a runtime says through the Runtime API. */
export interface RuntimeListener {
  /** It asks for an invocation: its start, or the one before, is over. */
  onNext(): void;
  /** @param payload the handler's result, JSON text */
  onResponse(requestId: string, payload: string): void;
  /** @param payload JSON text with `errorType`, `errorMessage` and `trace` */
  onError(requestId: string, payload: string): void;
  onInitError(payload: string): void;
}

/**
 * The Lambda Runtime API, version 2018-06-01, for one execution environment.
 *
 * Each environment has a port of its own: the runtime interface client takes `host:port` and
 * nothing more, so that a path could not tell environments apart.
 *
 * Source: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
 */
export class RuntimeApi {
  private waiting: ServerResponse | undefined;

  private constructor(
    private readonly server: Server,
    private readonly listener: RuntimeListener,
  ) {
    server.on("request", (request, response) => {
      this.answer(request, response);
    });
  }

  /** Listens on a free port of 127.0.0.1. */
  static async start(listener: RuntimeListener): Promise<RuntimeApi> {
    // The runtime's one connection stays open for its whole life, idle or not.
    const server = createServer({ keepAliveTimeout: 0, requestTimeout: 0 });
    const api = new RuntimeApi(server, listener);
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject).listen(0, "127.0.0.1", resolve);
    });
    return api;
  }

  /** The value of AWS_LAMBDA_RUNTIME_API: `host:port`. */
  get address(): string {
    return `127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** Answers the runtime's waiting request for an invocation. */
  send(invocation: RuntimeInvocation): void {
    if (this.waiting === undefined) {
      throw new Error("The runtime has not asked for an invocation.");
    }
    this.waiting
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
    this.waiting = undefined;
  }

  close(): void {
    this.server.close();
    this.server.closeAllConnections();
  }

  private answer(request: IncomingMessage, response: ServerResponse): void {
    const path = (request.url ?? "").split("/").slice(3);
    const route = `${request.method ?? ""} ${path[0] ?? ""}/${path.at(-1) ?? ""}`;
    const requestId = path[1] ?? "";
    switch (route) {
      case "GET invocation/next":
        this.waiting = response;
        this.listener.onNext();
        return;
      case "POST invocation/response":
        this.read(request, response, (body, error) => {
          if (error === undefined) {
            this.listener.onResponse(requestId, body);
          } else {
            this.listener.onError(requestId, error);
          }
        });
        return;
      case "POST invocation/error":
        this.read(request, response, (body, error) => {
          this.listener.onError(requestId, error ?? body);
        });
        return;
      case "POST init/error":
        this.read(request, response, (body, error) => {
          this.listener.onInitError(error ?? body);
        });
        return;
      default:
        reply(response, 404, { errorType: "NotFound", errorMessage: `No such path: ${route}` });
    }
  }

  /** Reads a body to its end; `error` is set when the body must not be used. */
  private read(
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
      // A streaming handler that fails half-way says so after its body.
      const trailer = request.trailers["lambda-runtime-function-error-body"];
      const error = trailer && Buffer.from(trailer, "base64").toString();
      then(Buffer.concat(chunks).toString(), error);
      reply(response, 202, { status: "OK" });
    });
  }
}

function reply(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}
