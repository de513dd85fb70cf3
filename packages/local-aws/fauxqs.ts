import { findPackageJSON } from "node:module";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import type { buildApp, BuildAppOptions } from "fauxqs" with { "resolution-mode": "import" };
import { AwsError } from "./awsError";
import type { HttpRequest, HttpResponse } from "./http";
import { listPage } from "./s3/listing";
import { methodNotAllowed, type S3Call } from "./s3/request";

/** The account in every ARN that fauxqs makes; it cannot be set there. */
export const ACCOUNT_ID = "000000000000";

type Stores = NonNullable<BuildAppOptions["stores"]>;
type S3Store = Stores["s3Store"];
type SqsStore = Stores["sqsStore"];
type SnsStore = Stores["snsStore"];
type Persistence = NonNullable<SqsStore["persistence"]>;
type Spy = NonNullable<S3Store["spy"]>;

/** An object as fauxqs keeps it. */
export type StoredObject = ReturnType<S3Store["headObject"]>;

/** A message on a queue, seen without receiving it. */
export interface QueuedMessage {
  messageId: string;
  body: string;
  sentAt: Date;
  /** How often it was received. */
  receiveCount: number;
  /** Whether a receiver has it just now, so that others cannot see it. */
  inFlight: boolean;
}

/** What an S3 call did: its answer, and the object it wrote, if it wrote one. */
export interface S3Outcome {
  /** Already decided when the call returns: only handing it over is asynchronous. */
  response: Promise<HttpResponse>;
  written?: { bucket: string; object: StoredObject };
}

export interface Fauxqs {
  readonly region: string;
  readonly s3Store: S3Store;
  readonly snsStore: SnsStore;
  /** Answers an SQS call (AWS JSON 1.0) or an SNS call (AWS query protocol). */
  handle(request: HttpRequest): Promise<HttpResponse>;
  /**
   * Carries out an S3 call. The object is read or written before this function returns, so that a
   * caller that checks something first, in the same turn of the event loop, does so atomically.
   * @throws AwsError MethodNotAllowed
   */
  s3(call: S3Call): S3Outcome;
  /** Creates the queue, or gives the one of an earlier run these attributes. */
  createQueue(name: string, attributes?: Record<string, string>): { url: string; arn: string };
  /**
   * Puts a message on a queue, as Lambda does for dead-letter queues and failure destinations.
   * @param attributes message attributes, all of type String
   * @throws AwsError as SQS would answer: no such queue, message too large, invalid characters
   */
  sendMessage(
    queueArn: string,
    body: string,
    attributes?: Record<string, string>,
  ): Promise<{ messageId: string }>;
  /**
   * Every message on a queue, those in flight last; none is received by it.
   * @throws AwsError QueueDoesNotExist
   */
  messages(queueArn: string): QueuedMessage[];
  close(): Promise<void>;
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
class Reply {
  private code = 200;
  private readonly headers: Record<string, string> = {};
  private body: Buffer = Buffer.alloc(0);

  status(code: number): this {
    this.code = code;
    return this;
  }

  header(name: string, value: string | number): this {
    const text = String(value);
    // Metadata from a form may be any text. S3 answers with what no header can hold in RFC 2047's
    // form: https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html
    const sendable = /^[\t -~\u0080-\u00ff]*$/.test(text);
    this.headers[name.toLowerCase()] = sendable
      ? text
      : `=?UTF-8?B?${Buffer.from(text).toString("base64")}?=`;
    return this;
  }

  send(body: string | Buffer = ""): void {
    this.body = typeof body === "string" ? Buffer.from(body) : body;
  }

  response(): HttpResponse {
    const { code, headers, body } = this;
    return { status: code, headers: { "content-length": String(body.length), ...headers }, body };
  }
}

/**
 * Starts fauxqs in this process, without a socket of its own.
 * @param options.baseUrl where clients reach SQS, such as `http://127.0.0.1:4566`: queue URLs begin
 *   with it, also those of queues that an earlier run left in the data folder
 * @param options.region of the ARNs
 * @default us-east-1
 * @param options.dataDir keeps buckets, objects, queues and messages in a SQLite file in this
 *   folder; without it, all is in memory. Topics are never kept: every start declares them anew.
 */
export async function createFauxqs(options: {
  baseUrl: string;
  region?: string;
  dataDir?: string;
}): Promise<Fauxqs> {
  const { baseUrl, region = "us-east-1", dataDir } = options;
  const [{ S3Store }, { SqsStore }, { SnsStore }, { registerS3Routes }] = await Promise.all([
    load<{ S3Store: new () => S3Store }>("s3/s3Store.js"),
    load<{ SqsStore: new () => SqsStore }>("sqs/sqsStore.js"),
    load<{ SnsStore: new () => SnsStore }>("sns/snsStore.js"),
    load<{ registerS3Routes: (app: unknown, store: S3Store) => void }>("s3/s3Router.js"),
  ]);
  const s3Store = new S3Store();
  const sqsStore = new SqsStore();
  const snsStore = new SnsStore();

  const { buckets } = s3Store as unknown as { buckets: Map<string, Map<string, StoredObject>> };
  const refuseListing = s3Store.listObjects.bind(s3Store);
  s3Store.listObjects = (bucket, options) => {
    const objects = buckets.get(bucket);
    return objects ? listPage(objects.values(), options) : refuseListing(bucket, options);
  };

  // fauxqs derives a queue's URL from the Host header or the port it listens on; here the front
  // door is what clients can reach, and its port may differ from the one of an earlier run.
  const storeQueue = sqsStore.createQueue.bind(sqsStore);
  sqsStore.createQueue = (name, _url, ...rest) =>
    storeQueue(name, `${baseUrl.replace(/\/$/, "")}/${ACCOUNT_ID}/${name}`, ...rest);

  const persistence = dataDir ? await openPersistence(dataDir) : undefined;
  if (persistence) {
    // Loading comes before the stores know where to save, or it would save each thing it loads,
    // and replacing a queue's row deletes its messages.
    persistence.load(sqsStore, snsStore, s3Store);
    for (const queue of sqsStore.allQueues()) {
      queue.persistence = persistence;
    }
    sqsStore.persistence = persistence;
    s3Store.persistence = persistence;
  }

  const routes = collectRoutes((app) => {
    registerS3Routes(app, s3Store);
  });
  let written: S3Outcome["written"];
  s3Store.spy = {
    addMessage(message) {
      if (message.service !== "s3" || message.status !== "uploaded") {
        return;
      }
      const { bucket, key } = message;
      written = { bucket, object: s3Store.headObject(bucket, key) };
    },
    // The spy's class keeps a buffer in private fields, for which there is no use here.
  } satisfies Pick<Spy, "addMessage"> as unknown as Spy;

  // Fastify costs about 100 ms, which nobody waits for until the first message.
  let app: Promise<Awaited<ReturnType<typeof buildApp>>> | undefined;
  const startApp = () =>
    (app ??= load<{ buildApp: typeof buildApp }>("app.js").then((main) =>
      main.buildApp({
        logger: false,
        defaultRegion: region,
        stores: { s3Store, sqsStore, snsStore },
      }),
    ));

  async function handle(request: HttpRequest): Promise<HttpResponse> {
    const server = await startApp();
    const answer = await server.inject({
      method: "POST",
      // Some clients post to the queue's own path, which fauxqs would take for a bucket.
      url: "/",
      headers: { ...request.headers, "content-length": String(request.body.length) },
      payload: request.body,
    });
    const headers: Record<string, string> = {};
    for (const [name, value] of Object.entries(answer.headers)) {
      if (value !== undefined) {
        headers[name] = String(value);
      }
    }
    return { status: answer.statusCode, headers, body: answer.rawPayload };
  }

  function queueOf(queueArn: string) {
    const queue = sqsStore.getQueueByArn(queueArn);
    if (!queue) {
      throw new AwsError("QueueDoesNotExist", 400, `There is no queue ${queueArn}.`);
    }
    return queue;
  }

  return {
    region,
    s3Store,
    snsStore,
    handle,
    s3({ method, bucket, key, query, headers, body }) {
      const path = key ? "/:bucket/*" : bucket ? "/:bucket" : "/";
      const route = routes.get(`${method} ${path}`);
      if (!route) {
        throw methodNotAllowed();
      }
      const reply = new Reply();
      written = undefined;
      const done = route({ params: { bucket, "*": key }, query, headers, body }, reply);
      return { response: done.then(() => reply.response()), written };
    },
    createQueue(name, attributes = {}) {
      const arn = `arn:aws:sqs:${region}:${ACCOUNT_ID}:${name}`;
      const existing = sqsStore.getQueueByArn(arn);
      existing?.setAttributes(attributes);
      const queue = existing ?? sqsStore.createQueue(name, "", arn, attributes);
      return { url: queue.url, arn };
    },
    async sendMessage(queueArn, body, attributes = {}) {
      const queue = queueOf(queueArn);
      const answer = await handle({
        method: "POST",
        url: "/",
        headers: {
          "content-type": "application/x-amz-json-1.0",
          "x-amz-target": "AmazonSQS.SendMessage",
        },
        body: Buffer.from(
          JSON.stringify({
            QueueUrl: queue.url,
            MessageBody: body,
            MessageAttributes: Object.fromEntries(
              Object.entries(attributes).map(([name, value]) => [
                name,
                { DataType: "String", StringValue: value },
              ]),
            ),
          }),
        ),
      });
      const result = JSON.parse(answer.body.toString()) as Record<string, string | undefined>;
      if (answer.status !== 200) {
        const code = result.__type?.split("#").pop() ?? "InternalError";
        throw new AwsError(code, answer.status, result.message ?? `SQS refused a message: ${code}`);
      }
      return { messageId: result.MessageId ?? "" };
    },
    messages(queueArn) {
      const queue = queueOf(queueArn);
      // Otherwise a message whose time in flight is over is still listed as being there.
      queue.processTimers();
      const { ready, delayed, inflight } = queue.inspectMessages();
      const listed = (inFlight: boolean) => (message: (typeof ready)[number]) => ({
        messageId: message.messageId,
        body: message.body,
        sentAt: new Date(message.sentTimestamp),
        receiveCount: message.approximateReceiveCount,
        inFlight,
      });
      return [
        ...[...ready, ...delayed].map(listed(false)),
        ...inflight.map(({ message }) => message).map(listed(true)),
      ];
    },
    async close() {
      // Ends long polls, which would hold requests open for up to 20 seconds.
      if (app) {
        await (await app).close();
      }
      persistence?.close();
    },
  };
}

/**
 * SQLite rather than fauxqs's folder of files: there a key is a path, so that `x//y` and `x/y` are
 * one file, `../` leaves the folder, and a long key is no file name. A write is durable once the
 * call returns, also against `kill -9`.
 */
async function openPersistence(dataDir: string): Promise<Persistence> {
  const { PersistenceManager } = await load<{
    PersistenceManager: new (dataDir: string) => Persistence;
  }>("persistence.js");
  return new PersistenceManager(dataDir);
}

/**
 * Loads one of fauxqs's own files. The package exports its main entry alone, and that one neither
 * hands out the stores nor loads without Fastify; so the version is pinned in package.json.
 */
async function load<Module>(file: string): Promise<Module> {
  const manifest = findPackageJSON("fauxqs", __filename);
  if (!manifest) {
    throw new Error("The package fauxqs is missing: run `npm install`.");
  }
  return (await import(pathToFileURL(join(dirname(manifest), "dist", file)).href)) as Module;
}

/**
 * Catches the S3 handlers that fauxqs would give to Fastify, to call them directly: on its way
 * through Fastify a key loses dot segments, a form or JSON body is parsed instead of stored, an
 * empty body becomes none, and 11 MiB is the limit.
 */
function collectRoutes(register: (app: unknown) => void): Map<string, RouteHandler> {
  const routes = new Map<string, RouteHandler>();
  const add = (method: string) => (url: string, handler: RouteHandler) =>
    routes.set(`${method} ${url}`, handler);
  register({
    put: add("PUT"),
    head: add("HEAD"),
    post: add("POST"),
    delete: add("DELETE"),
    route: (route: { method: string; url: string; handler: RouteHandler }) =>
      add(route.method)(route.url, route.handler),
  });
  return routes;
}
