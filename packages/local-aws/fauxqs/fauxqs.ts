import { createRequire, findPackageJSON } from "node:module";
import { dirname, join } from "node:path";
import type { buildApp, BuildAppOptions } from "fauxqs" with { "resolution-mode": "import" };
import type { HttpRequest, HttpResponse } from "../http";

const requireModule = createRequire(__filename);

const { importFile } = requireModule("./importFile.cjs") as {
  importFile: (file: string) => Promise<unknown>;
};

/** The account in every ARN that fauxqs makes; it cannot be set there. */
export const ACCOUNT_ID = "000000000000";

/**
 * What no message may contain.
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
 */
const INVALID_CHARACTER = /[^\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/u;

type Stores = NonNullable<BuildAppOptions["stores"]>;
type SqsStore = Stores["sqsStore"];
type SnsStore = Stores["snsStore"];
type Persistence = NonNullable<SqsStore["persistence"]>;
type App = Awaited<ReturnType<typeof buildApp>>;
type S3Store = Stores["s3Store"];

/** The package fauxqs: the stores of SQS and SNS, and its HTTP API without a socket. */
export interface Fauxqs {
  readonly region: string;
  readonly sqsStore: SqsStore;
  readonly snsStore: SnsStore;
  /** Answers a call to SQS (AWS JSON 1.0), SNS or STS (AWS query protocol). */
  handle: (request: HttpRequest) => Promise<HttpResponse>;
  /** Aborted when it begins to close. */
  readonly closing: AbortSignal;
  /** Ends long polls, and closes the data folder. */
  close(): Promise<void>;
}

export interface FauxqsOptions {
  /**
   * The address at which clients reach SQS, such as `http://127.0.0.1:4566`: queue URLs begin with
   * it, also those of queues that an earlier run left in the data folder.
   */
  baseUrl: string;
  /** Of the ARNs. @default us-east-1 */
  region?: string;
  /**
   * Keeps queues and messages in a SQLite file in this folder. Topics are never kept: every start
   * declares them again. @default all is in memory
   */
  dataDir?: string;
}

/** Starts fauxqs in this process. */
export async function createFauxqs(options: FauxqsOptions): Promise<Fauxqs> {
  const { baseUrl, region = "us-east-1", dataDir } = options;
  const [s3, sqs, sns, sqsTypes] = await Promise.all([
    load<{ S3Store: new () => S3Store }>("s3/s3Store.js"),
    load<{ SqsStore: new () => SqsStore }>("sqs/sqsStore.js"),
    load<{ SnsStore: new () => SnsStore }>("sns/snsStore.js"),
    load<{ INVALID_MESSAGE_BODY_CHAR: RegExp }>("sqs/sqsTypes.js"),
  ]);
  // fauxqs's own expression looks at UTF-16's halves, and so refuses every emoji.
  sqsTypes.INVALID_MESSAGE_BODY_CHAR.test = (body) => INVALID_CHARACTER.test(body);
  // Stays empty; fauxqs does not start without it.
  const s3Store = new s3.S3Store();
  const sqsStore = new sqs.SqsStore();
  const snsStore = new sns.SnsStore();
  const stores = { s3Store, sqsStore, snsStore };

  // fauxqs derives a queue's URL from the Host header or the port it listens on. Clients reach the
  // gateway only, and its port may differ from the one of an earlier run.
  const storeQueue = sqsStore.createQueue.bind(sqsStore);
  sqsStore.createQueue = (name, _url, ...rest) =>
    storeQueue(name, `${baseUrl.replace(/\/$/, "")}/${ACCOUNT_ID}/${name}`, ...rest);

  const persistence = dataDir ? await openPersistence(dataDir, stores) : undefined;

  // Building the Fastify app takes about 100 ms: only the first message waits for it.
  let app: Promise<App> | undefined;
  const startApp = () =>
    (app ??= load<{ buildApp: typeof buildApp }>("app.js").then((main) =>
      main.buildApp({ logger: false, defaultRegion: region, stores }),
    ));

  const closing = new AbortController();
  return {
    region,
    closing: closing.signal,
    sqsStore,
    snsStore,
    handle: async (request) => inject(await startApp(), request),
    async close() {
      closing.abort();
      // Ends long polls, which would hold requests open for up to 20 seconds.
      if (app) {
        await (await app).close();
      }
      persistence?.close();
    },
  };
}

async function inject(app: App, request: HttpRequest): Promise<HttpResponse> {
  const answer = await app.inject({
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

/**
 * Loads the stores from a SQLite file, and keeps them there from then on. A write is durable once
 * the call returns, also against `kill -9`.
 */
async function openPersistence(
  dataDir: string,
  { s3Store, sqsStore, snsStore }: Pick<Stores, "s3Store" | "sqsStore" | "snsStore">,
): Promise<Persistence> {
  const { PersistenceManager } = await load<{
    PersistenceManager: new (dataDir: string) => Persistence;
  }>("persistence.js");
  const persistence = new PersistenceManager(dataDir);
  // Loading comes before the stores know where to save, or it would save each thing it loads,
  // and replacing a queue's row deletes its messages.
  persistence.load(sqsStore, snsStore, s3Store);
  for (const queue of sqsStore.allQueues()) {
    queue.persistence = persistence;
  }
  sqsStore.persistence = persistence;
  return persistence;
}

/**
 * Loads one of fauxqs's own files. The package exports its main entry alone, and that one neither
 * exports the stores nor loads without Fastify; so the version is pinned in package.json.
 */
async function load<Module>(file: string): Promise<Module> {
  const manifest = findPackageJSON("fauxqs", __filename);
  if (!manifest) {
    throw new Error("The package fauxqs is missing: run `npm install`.");
  }
  return (await importFile(join(dirname(manifest), "dist", file))) as Module;
}
