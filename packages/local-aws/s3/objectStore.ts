import type { BuildAppOptions } from "fauxqs" with { "resolution-mode": "import" };
import type { Fauxqs, S3Store } from "../fauxqs";
import type { HttpResponse } from "../http";
import { listPage } from "./listing";
import { methodNotAllowed, type S3Request } from "./request";

type Spy = NonNullable<NonNullable<BuildAppOptions["stores"]>["s3Store"]["spy"]>;

/** An object as fauxqs keeps it. */
export type StoredObject = ReturnType<S3Store["headObject"]>;

/** The effect of a request: its answer, and the object it wrote, if it wrote one. */
export interface S3Outcome {
  /** Already decided when `carryOut` returns: only its delivery is asynchronous. */
  response: Promise<HttpResponse>;
  written?: { bucket: string; object: StoredObject };
}

/** Buckets and objects, in fauxqs. */
export interface ObjectStore {
  /**
   * Carries out a request. The object is read or written before this function returns, so that a
   * caller that checks something first, in the same turn of the event loop, does so atomically.
   *
   * @throws AwsError MethodNotAllowed
   */
  carryOut(request: S3Request): S3Outcome;
  /** Undefined where there is no such bucket or key. */
  find(bucket: string, key: string): StoredObject | undefined;
  createBucket(name: string): void;
  hasBucket(name: string): boolean;
}

type RouteHandler = (
  request: {
    params: { bucket: string; "*": string };
    query: Record<string, string>;
    headers: Record<string, string>;
    body: Buffer;
  },
  reply: Reply,
) => Promise<void>;

/** The part of a Fastify reply that fauxqs's S3 actions use. */
interface Reply {
  status(code: number): Reply;
  header(name: string, value: string | number): Reply;
  send(body?: string | Buffer): void;
  response(): HttpResponse;
}

/** Takes S3 over from fauxqs, past Fastify; fauxqs's listings are replaced. */
export function createObjectStore(
  fauxqs: Pick<Fauxqs, "s3Store" | "registerS3Routes">,
): ObjectStore {
  const { s3Store } = fauxqs;
  const { buckets } = s3Store as unknown as { buckets: Map<string, Map<string, StoredObject>> };
  const refuseListing = s3Store.listObjects.bind(s3Store);
  s3Store.listObjects = (bucket, options) => {
    const objects = buckets.get(bucket);
    return objects ? listPage(objects.values(), options) : refuseListing(bucket, options);
  };

  const routes = collectRoutes(fauxqs);
  let written: S3Outcome["written"];
  s3Store.spy = {
    addMessage(message) {
      if (message.service !== "s3" || message.status !== "uploaded") {
        return;
      }
      const { bucket, key } = message;
      written = { bucket, object: s3Store.headObject(bucket, key) };
    },
    // The spy's class also keeps a buffer, in private fields, which is of no use here.
  } satisfies Pick<Spy, "addMessage"> as unknown as Spy;

  return {
    carryOut({ method, bucket, key, query, headers, body }) {
      const path = key ? "/:bucket/*" : bucket ? "/:bucket" : "/";
      const route = routes.get(`${method} ${path}`);
      if (!route) {
        throw methodNotAllowed();
      }
      const reply = createReply();
      written = undefined;
      const done = route({ params: { bucket, "*": key }, query, headers, body }, reply);
      return { response: done.then(() => reply.response()), written };
    },
    find(bucket, key) {
      try {
        return s3Store.headObject(bucket, key);
      } catch (error) {
        // No such bucket or key: the call itself says so to the sender.
        if (error instanceof Error && error.name === "S3Error") {
          return undefined;
        }
        throw error;
      }
    },
    createBucket(name) {
      s3Store.createBucket(name);
    },
    hasBucket: (name) => s3Store.hasBucket(name),
  };
}

function createReply(): Reply {
  let status = 200;
  const headers: Record<string, string> = {};
  let body: Buffer = Buffer.alloc(0);
  const reply: Reply = {
    status(code) {
      status = code;
      return reply;
    },
    header(name, value) {
      const text = String(value);
      // Metadata from a form may be any text. S3 answers with what no header can hold in RFC 2047's
      // form: https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html
      const sendable = /^[\t -~\u0080-\u00ff]*$/.test(text);
      headers[name.toLowerCase()] = sendable
        ? text
        : `=?UTF-8?B?${Buffer.from(text).toString("base64")}?=`;
      return reply;
    },
    send(content = "") {
      body = typeof content === "string" ? Buffer.from(content) : content;
    },
    response: () => ({
      status,
      headers: { "content-length": String(body.length), ...headers },
      body,
    }),
  };
  return reply;
}

/**
 * Catches the S3 handlers that fauxqs would give to Fastify, to call them directly: on its way
 * through Fastify a key loses dot segments, a form or JSON body is parsed instead of stored, an
 * empty body becomes none, and 11 MiB is the limit.
 */
function collectRoutes({ registerS3Routes }: Pick<Fauxqs, "registerS3Routes">) {
  const routes = new Map<string, RouteHandler>();
  const add = (method: string) => (url: string, handler: RouteHandler) =>
    routes.set(`${method} ${url}`, handler);
  registerS3Routes({
    put: add("PUT"),
    head: add("HEAD"),
    post: add("POST"),
    delete: add("DELETE"),
    route: (route: { method: string; url: string; handler: RouteHandler }) =>
      add(route.method)(route.url, route.handler),
  });
  return routes;
}
