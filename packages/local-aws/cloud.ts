import { mkdirSync } from "node:fs";
import * as path from "node:path";
import { createRestApis, type RestApis } from "./apiGateway/restApis";
import { type CloseStack, createCloseStack } from "./closeStack";
import { createLambdaMetrics } from "./cloudWatch/lambdaMetrics";
import { createMetrics } from "./cloudWatch/metrics";
import { createDynamoDb, type DynamoDbEngine } from "./dynamodb/engine";
import { createMappings, type Mappings } from "./dynamodb/streams/mappings";
import type { StreamRecord } from "./dynamodb/streams/streamRecord";
import { createTables, type Tables, type TablesOptions } from "./dynamodb/tables";
import { createSchedules, type Schedules } from "./eventBridge/schedules";
import { ACCOUNT_ID, createFauxqs } from "./fauxqs/fauxqs";
import { createGateway, type ServiceCall } from "./gateway/gateway";
import type { Interceptor } from "./gateway/interceptor";
import { listen } from "./gateway/listener";
import { createResourcePolicies, type ResourcePolicies } from "./iam/resourcePolicies";
import { createRoles, type Roles } from "./iam/roles";
import { type AsyncConfigs, createAsyncConfigs } from "./lambda/asyncConfigs";
import { type AsyncInvoker, createAsyncInvoker } from "./lambda/asyncInvoke";
import { sendFailureRecord } from "./lambda/failureRecords";
import { createLambdaHost, type LambdaHost, type LambdaHostOptions } from "./lambda/host";
import { createMailbox, type Mail, type Mailbox } from "./mail/mailbox";
import { createPages, type PageContent, SUBSCRIPTION_PAGES } from "./pages";
import { createS3, type S3 } from "./s3/engine";
import { createNotifications, type Notifications } from "./s3/notifications";
import { importFromFauxqs } from "./s3/store/fromFauxqs";
import { createObjectStore } from "./s3/store/objectStore";
import { createServices } from "./services";
import { createSns, type Sns } from "./sns/engine";
import { createSqs, type Sqs } from "./sqs/engine";
import { createDiskSpace } from "./storage/diskSpace";
import { openSecret, type RunSecret } from "./storage/secret";

/** How the local cloud is set up. */
export interface CloudOptions {
  /** Port of the gateway; 0 takes a free one. */
  port: number;
  region: string;
  /**
   * Keeps rows, objects, queues and streams. @default objects are in `workDir`, all else in memory
   */
  dataDir?: string;
  /** Keeps the mails. */
  mailDir: string;
  /** A temporary folder, for the functions' unpacked code and for objects. */
  workDir: string;
  /** The folder from which functions resolve the AWS SDK. @default only their packages have it */
  sdkFolder?: string;
  /** Milliseconds from an object's creation to its event; on AWS typically a second. @default 100 */
  s3EventDelayMs?: number;
  /** Multiplies the delays between retries, and between the starts of a schedule. @default 1 */
  delayScale?: number;
  /** Starts a process of each function ahead of its first invocation. @default true */
  warmStart?: boolean;
  /**
   * Milliseconds from an object's creation to each delivery of its event, in place of the one
   * `baseMs`: for events that are late, out of order or delivered twice.
   */
  objectEventDelays?: (baseMs: number) => number[];
  /** Whether a stream batch that a function was invoked with is redelivered later. */
  replays?: (records: readonly StreamRecord[]) => boolean;
  /**
   * The program's e-mail subscriptions are pending until somebody confirms them, by the link in a mail.
   * @default false: they are confirmed at the start
   */
  confirmSubscriptions?: boolean;
  /** A row of a table with a stream was written. */
  onItem?: TablesOptions["onItem"];
  onMail?: (mail: Mail) => void;
  onLog?: LambdaHostOptions["onLog"];
  sourceMapOf?: LambdaHostOptions["sourceMapOf"];
  inspectPortOf?: LambdaHostOptions["inspectPortOf"];
  onInvocation?: LambdaHostOptions["onInvocation"];
  onCall?: (call: ServiceCall) => void;
  /** Called with each allowed call before its service: the place for faults. */
  intercept?: Interceptor;
  /** Called with each invocation before its function: the place for faults. */
  interceptInvocation?: LambdaHostOptions["intercept"];
  /** Gives the bytes that may still be written. @default those of the disk */
  freeBytes?: () => number;
  /** Called with every error outside of a request. */
  onError: (message: string) => void;
}

/**
 * The services of a program, on one machine, behind one endpoint. Each service's `resources.ts`
 * makes the program's resources in it; `start` begins to serve them.
 */
export interface Cloud {
  readonly region: string;
  readonly accountId: string;
  /** The same in every run with one data folder. */
  readonly secret: RunSecret;
  /** The URL of all services, for AWS clients. */
  readonly endpoint: string;
  readonly inboxUrl: string;
  readonly roles: Roles;
  readonly resourcePolicies: ResourcePolicies;
  readonly dynamoDb: DynamoDbEngine;
  readonly tables: Tables;
  readonly mappings: Mappings;
  readonly s3: S3;
  readonly notifications: Notifications;
  readonly sns: Sns;
  readonly sqs: Sqs;
  readonly mailbox: Mailbox;
  readonly lambda: LambdaHost;
  readonly asyncConfigs: AsyncConfigs;
  readonly asyncInvoker: AsyncInvoker;
  readonly restApis: RestApis;
  readonly schedules: Schedules;
  /** Begins to serve what the program has registered. */
  start(functionNames: string[], content?: Partial<PageContent>): void;
  /**
   * Resolves when every event has been delivered and every stream record is processed. A scheduled
   * invocation is not waited for, only what it has already written. Rejects if the cloud is closed.
   */
  idle(): Promise<void>;
  /** Ends everything that the cloud started. */
  close(): Promise<void>;
}

/**
 * Scheduled events that may be in progress at a time. At full scale there is hardly ever a second
 * one; where minutes are milliseconds, they would pile up.
 */
const MAX_SCHEDULED = 2;

/**
 * Opens the port and the services behind it.
 *
 * @throws what `listen` throws (EADDRINUSE, …), and StartError for a data folder in use
 */
export async function openCloud(options: CloudOptions): Promise<Cloud> {
  const closers = createCloseStack();
  try {
    return await assemble(options, closers);
  } catch (error) {
    await closers.close();
    throw error;
  }
}

async function assemble(options: CloudOptions, closers: CloseStack): Promise<Cloud> {
  const { region, dataDir, delayScale, onError } = options;
  const accountId = ACCOUNT_ID;
  const folderOf = (name: string) => dataDir && path.join(dataDir, name);
  const resourcePolicies = createResourcePolicies(accountId);

  const dynamoDb = createDynamoDb({ path: folderOf("dynamodb"), region, accountId });
  // Its lock guards the whole data folder: a second run opens nothing else.
  await dynamoDb.open();
  closers.add(dynamoDb);
  const secret = openSecret(dataDir);
  mkdirSync(options.workDir, { recursive: true });
  const folder = dataDir ?? options.workDir;
  const disk = createDiskSpace({ folder, freeBytes: options.freeBytes, onChange: onError });
  closers.add(disk);
  const roles = createRoles(accountId, secret);
  const tables = createTables({ dynamoDb, region, dataDir, onItem: options.onItem });
  closers.add(tables);

  const onRequestError = (error: unknown, where: string) => {
    onError(`${where}: ${String(error)}`);
  };
  const listener = await listen({ port: options.port, onError: onRequestError });
  closers.add(listener);
  const endpoint = listener.url;
  // A function's name begins with a letter or digit, so that its folder is another one.
  const objectFolder = folderOf("s3") ?? path.join(options.workDir, ".s3");
  const store = createObjectStore({ folder: objectFolder });
  closers.add(store);
  await importFromFauxqs(objectFolder, store);
  const fauxqs = await createFauxqs({ baseUrl: endpoint, region, dataDir: folderOf("s3") });
  closers.add(fauxqs);
  const mailbox = createMailbox({ dir: options.mailDir, onMail: options.onMail });
  const s3 = createS3({ store, region, disk });
  const sqs = createSqs({ fauxqs });
  const sns = createSns({
    fauxqs,
    secret,
    pagesUrl: `${endpoint}${SUBSCRIPTION_PAGES}`,
    folder: folderOf("sns"),
    confirmsOwn: options.confirmSubscriptions,
    deliver: async (mail) => {
      await mailbox.deliver(mail);
    },
  });

  const metrics = createMetrics();
  const lambdaMetrics = createLambdaMetrics(metrics);
  const lambda = createLambdaHost({
    region,
    accountId,
    endpointUrl: endpoint,
    workDir: options.workDir,
    sdkFolder: options.sdkFolder,
    onLog: options.onLog,
    sourceMapOf: options.sourceMapOf,
    inspectPortOf: options.inspectPortOf,
    onInvocation: (report) => {
      lambdaMetrics.invoked({ ...report, failed: report.outcome !== "ok" });
      options.onInvocation?.(report);
    },
    intercept: options.interceptInvocation,
  });
  // No request reaches a service that is closed: the port closes with the functions, before them.
  closers.add({ close: () => Promise.all([listener.close(), lambda.close()]) });

  const asyncConfigs = createAsyncConfigs();
  const send = (arn: string, record: string) => sendFailureRecord({ roles, sqs }, arn, record);
  const configOf = (functionName: string) => asyncConfigs.of(functionName);
  let closing = false;
  const asyncInvokes = { host: lambda, configOf, send, delayScale };
  const asyncInvoker = createAsyncInvoker({
    ...asyncInvokes,
    journalDir: folderOf("invokes"),
    onError: ({ message }) => {
      onError(message);
    },
  });
  closers.add(asyncInvoker);
  // Schedules never end: apart from the others, they do not keep `idle` waiting.
  const scheduledInvoker = createAsyncInvoker({
    ...asyncInvokes,
    onError: ({ message }) => {
      // What the end interrupts is done at the schedule's next start.
      if (!closing) {
        onError(message);
      }
    },
  });
  closers.add(scheduledInvoker);

  const notifications = createNotifications({
    region,
    accountId,
    s3,
    asyncInvoker,
    resourcePolicies,
    delayMs: options.s3EventDelayMs,
    delays: options.objectEventDelays,
  });
  const mappings = createMappings({
    tables,
    lambda,
    roles,
    send,
    replays: options.replays,
    onBatchSent: (functionName, lastArrival, sent) => {
      lambdaMetrics.batchSent(functionName, lastArrival, sent);
    },
    delayScale,
    onError,
  });
  closers.add(mappings);
  const schedules = createSchedules({
    region,
    accountId,
    delayScale,
    invoke: (functionArn, event, ruleArn) => {
      resourcePolicies.checkInvoke(functionArn, "events.amazonaws.com", ruleArn);
      if (scheduledInvoker.pending() < MAX_SCHEDULED) {
        scheduledInvoker.invoke(functionArn, event);
      }
    },
    onError,
  });
  closers.add(schedules);

  const restApis = createRestApis({
    region,
    accountId,
    baseUrl: endpoint,
    invoke: async (functionArn, event, sourceArn) => {
      resourcePolicies.checkInvoke(functionArn, "apigateway.amazonaws.com", sourceArn);
      return lambda.invoke(functionArn, event);
    },
    log: onError,
  });
  const pages = createPages({ mailbox, restApis, sns, baseUrl: endpoint, hosts: listener.hosts });
  listener.serve(
    createGateway({
      region,
      accountId,
      principals: roles,
      resourcePolicyOf: (arn) => resourcePolicies.of(arn),
      services: createServices({ metrics, dynamoDb, s3, sns, sqs, fauxqs }),
      unsigned: (request) => pages.handle(request),
      observe: options.onCall,
      intercept: options.intercept,
      disk,
      onError: onRequestError,
    }),
  );
  closers.add({
    close: () => {
      closing = true;
    },
  });

  return {
    region,
    accountId,
    secret,
    endpoint,
    inboxUrl: pages.inboxUrl,
    roles,
    resourcePolicies,
    dynamoDb,
    tables,
    mappings,
    s3,
    notifications,
    sns,
    sqs,
    mailbox,
    lambda,
    asyncConfigs,
    asyncInvoker,
    restApis,
    schedules,
    start(functionNames, { outputs = {}, links = [] } = {}) {
      restApis.serve();
      for (const name of options.warmStart === false ? [] : functionNames) {
        // Nothing waits for it: an earlier invocation takes the same environment.
        lambda.warm(name).catch((error: unknown) => {
          onError(`${name} could not be started: ${String(error)}`);
        });
      }
      asyncInvoker.resume();
      s3.resume();
      schedules.start();
      mappings.start();
      pages.start({ outputs, links });
      sns.start().catch((error: unknown) => {
        onError(`A request to confirm a subscription was not sent: ${String(error)}`);
      });
    },
    async idle() {
      let before: number[];
      do {
        if (closing) {
          throw new Error("The cloud is closed, and was not idle.");
        }
        before = tables.positions();
        await asyncInvoker.idle();
        await mappings.idle();
        // A function's writes may be work for the next one.
      } while (asyncInvoker.pending() > 0 || tables.positions().join() !== before.join());
    },
    close: () => closers.close(),
  };
}
