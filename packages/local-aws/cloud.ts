import * as path from "node:path";
import { setTimeout } from "node:timers/promises";
import type { InvokeResult } from "./apiGateway/restApi";
import { RestApis } from "./apiGateway/restApis";
import { AwsError } from "./awsError";
import { createDynamoDb, type DynamoDbEngine, type TableDefinition } from "./dynamodb/engine";
import { createEventSourceMapping, type EventSourceMapping } from "./dynamodb/eventSourceMapping";
import type { EventSourceMappingOptions } from "./dynamodb/mappingSettings";
import { createStreamLog, type StreamLog } from "./dynamodb/streamLog";
import type { StreamRecord } from "./dynamodb/streamRecord";
import { Schedules } from "./eventBridge/schedules";
import { ACCOUNT_ID, createFauxqs, type Fauxqs } from "./fauxqs";
import { createGateway, type ServiceCall } from "./gateway/gateway";
import type { Interceptor } from "./gateway/interceptor";
import { listen, type Listener, STARTING } from "./gateway/listener";
import type { HttpRequest, HttpResponse } from "./http";
import { evaluate, type PolicyDocument } from "./iam/policy";
import { createRoles } from "./iam/roles";
import {
  type AsyncConfig,
  type AsyncInvoker,
  createAsyncInvoker,
  DEFAULT_ASYNC_CONFIG,
} from "./lambda/asyncInvoke";
import { functionNameOf } from "./lambda/functionName";
import { createLambdaHost, type LambdaHost, type LambdaHostOptions } from "./lambda/host";
import { inboxPage } from "./mail/inboxPage";
import { createMailbox, type Mail, type Mailbox } from "./mail/mailbox";
import { createS3, type ObjectCreated, type S3 } from "./s3/engine";
import { toS3Event } from "./s3/objectCreated";
import { createServices } from "./services";
import { createSns, type Sns } from "./sns/engine";
import { createSqs, type QueuedMessage, type Sqs } from "./sqs/engine";
import { stackPage } from "./stackPage";

/** How the local cloud is set up. */
export interface CloudOptions {
  /** Port of the front door; 0 takes a free one. */
  port: number;
  region: string;
  /** Where rows, objects, queues and streams are kept; without it they are in memory. */
  dataDir?: string;
  /** Where mails are kept. */
  mailDir: string;
  /** A temporary folder, for the Lambdas' unpacked code. */
  workDir: string;
  /** The folder from which functions resolve the AWS SDK. @default only their packages have it */
  sdkFolder?: string;
  /** Milliseconds from an object's creation to its event; on AWS typically a second. */
  s3EventDelayMs?: number;
  /** Multiplies the delays between retries, and between the starts of a schedule. @default 1 */
  delayScale?: number;
  /**
   * Milliseconds from an object's creation to each delivery of its event, in place of the one
   * `baseMs`: the place for events that come late, out of order or twice.
   */
  objectEventDelays?: (baseMs: number) => number[];
  /** Whether a stream batch that a function was invoked with is delivered once more, later. */
  replays?: (records: readonly StreamRecord[]) => boolean;
  /** A row of a table with a stream was written. */
  onItem?: (
    tableName: string,
    newImage: Record<string, unknown>,
    oldImage: Record<string, unknown> | undefined,
  ) => void;
  onMail?: (mail: Mail) => void;
  onLog?: LambdaHostOptions["onLog"];
  onInvocation?: LambdaHostOptions["onInvocation"];
  onCall?: (call: ServiceCall) => void;
  /** Comes between an allowed call and its service: the place for faults. */
  intercept?: Interceptor;
  /** Comes between an invocation and its function: the place for faults. */
  interceptInvocation?: LambdaHostOptions["intercept"];
  /** Whatever goes wrong outside of any request. */
  onError: (message: string) => void;
}

/** As on AWS, whoever wrote an object hears of it before its event is delivered. */
const S3_EVENT_DELAY_MS = 100;

/** From the first delivery of a stream batch to its replay: others come in between. */
const REPLAY_DELAY_MS = 200;

/**
 * Scheduled events that may be under way at a time. At full scale there is hardly ever a second one;
 * where minutes are milliseconds, they would pile up.
 */
const MAX_SCHEDULED = 2;

const INBOX = "/_inbox";

const STACK = "/_stack";

function textResponse(status: number, text: string, headers: Record<string, string> = {}) {
  return {
    status,
    headers: { "content-type": "text/plain; charset=utf-8", ...headers },
    body: Buffer.from(text),
  };
}

/**
 * The services that the program uses, on one machine, behind one front door.
 *
 * The program's resources are made by `local/resources`; `start` begins to serve them.
 */
export class Cloud {
  readonly region: string;
  readonly accountId = ACCOUNT_ID;
  readonly roles = createRoles(ACCOUNT_ID);
  /** The policies of buckets, topics and functions, by ARN. */
  readonly resourcePolicies = new Map<string, PolicyDocument>();
  readonly mailbox: Mailbox;
  readonly dynamoDb: DynamoDbEngine;
  readonly lambda: LambdaHost;
  readonly asyncInvoker: AsyncInvoker;
  /** What starts functions again and again. */
  readonly schedules: Schedules;
  readonly mappings: EventSourceMapping[] = [];

  private readonly inbox: (request: HttpRequest) => Promise<HttpResponse>;
  private readonly streams = new Map<string, StreamLog>();
  /** Schedules never end: apart from the others, they do not keep `idle` waiting. */
  private readonly scheduledInvoker: AsyncInvoker;
  private readonly asyncConfigs = new Map<string, AsyncConfig>();
  private readonly replaying = new Set<Promise<void>>();
  private readonly replayed = new WeakSet<StreamRecord>();
  private readonly shutting = new AbortController();
  private readonly notified = new Map<string, string[]>();
  private closing?: Promise<void>;
  private started = false;
  private outputs: Record<string, unknown> = {};
  private listener!: Listener;
  private fauxqs!: Fauxqs;
  private queueStore!: Sqs;
  private url!: string;
  private bucketStore!: S3;
  private topicStore!: Sns;
  private apis!: RestApis;

  private constructor(
    private readonly options: CloudOptions,
    dynamoDb: DynamoDbEngine,
  ) {
    const { region, dataDir, delayScale } = options;
    this.region = region;
    this.mailbox = createMailbox({ dir: options.mailDir, onMail: options.onMail });
    this.inbox = inboxPage(this.mailbox, INBOX);
    this.dynamoDb = dynamoDb;
    this.lambda = createLambdaHost({
      region,
      accountId: this.accountId,
      endpointUrl: () => this.url,
      workDir: options.workDir,
      sdkFolder: options.sdkFolder,
      onLog: options.onLog,
      onInvocation: options.onInvocation,
      intercept: options.interceptInvocation,
    });
    const asyncInvokes = {
      host: this.lambda,
      configOf: (functionName: string) =>
        this.asyncConfigs.get(functionName) ?? DEFAULT_ASYNC_CONFIG,
      send: (arn: string, body: string) => this.send(arn, body),
      delayScale,
    };
    this.scheduledInvoker = createAsyncInvoker({
      ...asyncInvokes,
      onError: (error) => {
        // What the end cuts off is not lost: the schedule's next start does it.
        if (!this.shutting.signal.aborted) {
          options.onError(error.message);
        }
      },
    });
    this.schedules = new Schedules({
      region,
      accountId: this.accountId,
      delayScale,
      invoke: (functionArn, event, ruleArn) => {
        this.invokeForSchedule(functionArn, event, ruleArn);
      },
      onError: options.onError,
    });
    this.asyncInvoker = createAsyncInvoker({
      ...asyncInvokes,
      journalDir: dataDir && path.join(dataDir, "invokes"),
      onError: (error) => {
        options.onError(error.message);
      },
    });
  }

  /**
   * Opens the front door and the services behind it.
   *
   * @throws what `listen` throws (EADDRINUSE, …), and StartError for a data folder in use
   */
  static async open(options: CloudOptions): Promise<Cloud> {
    const { dataDir, region } = options;
    const dynamoDb = createDynamoDb({
      path: dataDir && path.join(dataDir, "dynamodb"),
      region,
      accountId: ACCOUNT_ID,
    });
    // Its lock guards the whole data folder: nothing else is opened by a second run.
    await dynamoDb.open();
    const cloud = new Cloud(options, dynamoDb);
    try {
      await cloud.open();
      return cloud;
    } catch (error) {
      await cloud.close();
      throw error;
    }
  }

  /** Where all services are, for AWS clients. */
  get endpoint(): string {
    return this.url;
  }

  get inboxUrl(): string {
    return `${this.url}${INBOX}`;
  }

  get s3(): S3 {
    return this.bucketStore;
  }

  get sns(): Sns {
    return this.topicStore;
  }

  get restApis(): RestApis {
    return this.apis;
  }

  /** Makes a queue, or gives the one of an earlier run these attributes. */
  createQueue(name: string, attributes: Record<string, string>): { url: string; arn: string } {
    return this.queueStore.createQueue(name, attributes);
  }

  /** @param urlOrArn of a queue */
  queueArn(urlOrArn: string): string {
    return urlOrArn.startsWith("arn:")
      ? urlOrArn
      : `arn:aws:sqs:${this.region}:${this.accountId}:${urlOrArn.split("/").at(-1) ?? ""}`;
  }

  /**
   * Every message on a queue, those in flight last; none is received by it.
   *
   * @param urlOrArn of the queue
   * @throws AwsError QueueDoesNotExist
   */
  queueMessages(urlOrArn: string): QueuedMessage[] {
    return this.queueStore.messages(this.queueArn(urlOrArn));
  }

  /** How the function's asynchronous invokes are retried, and where they end. */
  configureAsyncInvokes(functionNameOrArn: string, config: AsyncConfig): void {
    this.asyncConfigs.set(functionNameOf(functionNameOrArn), config);
  }

  /** Makes a table, and its stream if it has one. */
  async createTable(table: TableDefinition): Promise<void> {
    await this.dynamoDb.createTable(table);
    const { tableName, hashKey, streamViewType } = table;
    if (!streamViewType) {
      return;
    }
    const { dataDir, region, onItem } = this.options;
    const streamArn = this.dynamoDb.streamArn(tableName);
    const stream = createStreamLog({
      streamArn,
      region,
      streamViewType,
      partitionKey: hashKey,
      folder: dataDir && path.join(dataDir, "streams", tableName),
    });
    this.streams.set(streamArn, stream);
    this.dynamoDb.onChange(tableName, (change) => {
      const settle = stream.append(change);
      return (written) => {
        settle(written);
        if (written && change.newImage) {
          onItem?.(tableName, change.newImage, change.oldImage);
        }
      };
    });
  }

  /** Makes an event source mapping; it reads from `start` on. */
  mapStream({
    id,
    streamArn,
    functionArn,
    settings,
  }: Pick<EventSourceMappingOptions, "id" | "functionArn" | "settings"> & {
    streamArn: string;
  }): void {
    const stream = this.streams.get(streamArn);
    if (!stream) {
      throw new Error(`There is no stream ${streamArn}.`);
    }
    this.checkStreamAccess(functionArn, streamArn);
    const mapping = createEventSourceMapping({
      id,
      functionArn,
      stream,
      settings,
      invoke: async (payload) => {
        const result = await this.lambda.invoke(functionArn, payload);
        this.considerReplay(mapping, payload.Records);
        return result;
      },
      send: (arn, body) => this.send(arn, body),
      delayScale: this.options.delayScale,
      onError: (error) => {
        this.options.onError(error.message);
      },
    });
    this.mappings.push(mapping);
  }

  /** Sends the bucket's ObjectCreated events to a function, if its policy lets S3 invoke it. */
  notifyFunction(bucketName: string, functionArn: string): void {
    this.checkInvokePermission(functionArn, "s3.amazonaws.com", `arn:aws:s3:::${bucketName}`);
    const targets = this.notified.get(bucketName) ?? [];
    this.notified.set(bucketName, [...targets, functionArn]);
  }

  /**
   * Begins to serve what the program has registered.
   *
   * @param outputs of the program, for the page that tells them
   */
  start(functionNames: string[], outputs: Record<string, unknown> = {}): void {
    this.outputs = outputs;
    this.apis.serve();
    for (const name of functionNames) {
      // Nobody has to wait for it: an invocation that comes before takes the same environment.
      this.lambda.warm(name).catch((error: unknown) => {
        this.options.onError(`${name} could not be started: ${String(error)}`);
      });
    }
    this.asyncInvoker.resume();
    this.schedules.start();
    for (const mapping of this.mappings) {
      mapping.start();
    }
    this.started = true;
  }

  /** Delivers an event of a bucket to the functions that listen to it, as S3 may more than once. */
  deliver(event: ObjectCreated, delayMs = 0): void {
    const { region, accountId } = this;
    for (const functionArn of this.notified.get(event.bucket) ?? []) {
      this.asyncInvoker.invoke(
        functionArn,
        toS3Event(event, { region, accountId, configurationId: "object-created" }),
        delayMs,
      );
    }
  }

  /**
   * Resolves when every event has been delivered and every stream record is past. What a schedule
   * started is not waited for, only what it has already written. Rejects if the cloud is closed.
   */
  async idle(): Promise<void> {
    const positions = () => [...this.streams.values()].map(({ lastPosition }) => lastPosition);
    let before: number[];
    do {
      // Closed, it would ask for ever.
      this.shutting.signal.throwIfAborted();
      before = positions();
      await this.asyncInvoker.idle();
      await Promise.all(this.mappings.map((mapping) => mapping.idle()));
      await Promise.all(this.replaying);
      // What one Lambda wrote may be the next one's work.
    } while (this.asyncInvoker.pending() > 0 || positions().join() !== before.join());
  }

  /** Ends everything that the cloud started. */
  close(): Promise<void> {
    this.closing ??= this.shut();
    return this.closing;
  }

  private async shut(): Promise<void> {
    this.shutting.abort(new Error("The cloud is closed, and was not idle."));
    this.schedules.close();
    for (const mapping of this.mappings) {
      mapping.close();
    }
    this.asyncInvoker.close();
    this.scheduledInvoker.close();
    // Undefined where the port could not be opened.
    const listener = this.listener as Listener | undefined;
    await Promise.all([listener?.close(), this.lambda.close()]);
    for (const stream of this.streams.values()) {
      stream.close();
    }
    await this.dynamoDb.close();
    // Undefined when opening failed before it was made.
    await (this.fauxqs as Fauxqs | undefined)?.close();
  }

  private async open(): Promise<void> {
    const { region, dataDir } = this.options;
    const onError = (error: unknown, where: string): void => {
      this.options.onError(`${where}: ${String(error)}`);
    };
    this.listener = await listen({ port: this.options.port, onError });
    this.url = this.listener.url;
    this.fauxqs = await createFauxqs({
      baseUrl: this.url,
      region,
      dataDir: dataDir && path.join(dataDir, "s3"),
    });
    this.bucketStore = createS3({ fauxqs: this.fauxqs });
    this.queueStore = createSqs({ fauxqs: this.fauxqs });
    this.topicStore = createSns({
      fauxqs: this.fauxqs,
      deliver: async (mail) => {
        await this.mailbox.deliver(mail);
      },
    });
    this.apis = new RestApis({
      region,
      accountId: this.accountId,
      baseUrl: this.url,
      invoke: (functionArn, event, sourceArn) => this.invokeForApi(functionArn, event, sourceArn),
      log: (message) => {
        this.options.onError(message);
      },
    });
    this.s3.onObjectCreated((event) => {
      const baseMs = this.options.s3EventDelayMs ?? S3_EVENT_DELAY_MS;
      for (const delayMs of this.options.objectEventDelays?.(baseMs) ?? [baseMs]) {
        this.deliver(event, delayMs);
      }
    });
    const gateway = createGateway({
      region,
      accountId: this.accountId,
      principals: this.roles,
      resourcePolicyOf: (arn) => this.resourcePolicyOf(arn),
      services: createServices({
        dynamoDb: this.dynamoDb,
        s3: this.bucketStore,
        sns: this.topicStore,
        sqs: this.queueStore,
        fauxqs: this.fauxqs,
      }),
      unsigned: (request) => this.unsigned(request),
      observe: this.options.onCall,
      intercept: this.options.intercept,
      onError,
    });
    this.listener.serve(gateway);
  }

  private async invokeForApi(
    functionArn: string,
    event: object,
    sourceArn: string,
  ): Promise<InvokeResult> {
    this.checkInvokePermission(functionArn, "apigateway.amazonaws.com", sourceArn);
    return this.lambda.invoke(functionArn, event);
  }

  private invokeForSchedule(functionArn: string, event: object | string, ruleArn: string): void {
    this.checkInvokePermission(functionArn, "events.amazonaws.com", ruleArn);
    if (this.scheduledInvoker.pending() < MAX_SCHEDULED) {
      this.scheduledInvoker.invoke(functionArn, event);
    }
  }

  /** Has the batch delivered once more, if it is to be; a replay itself is not replayed. */
  private considerReplay(mapping: EventSourceMapping, records: StreamRecord[]): void {
    const [first] = records;
    if (!first || this.replayed.has(first) || !this.options.replays?.(records)) {
      return;
    }
    for (const record of records) {
      this.replayed.add(record);
    }
    const replay = setTimeout(REPLAY_DELAY_MS, undefined, { signal: this.shutting.signal })
      .then(() => mapping.replay(records))
      .catch((error: unknown) => {
        if (!this.shutting.signal.aborted) {
          this.options.onError(`A replay failed: ${String(error)}`);
        }
      })
      .finally(() => this.replaying.delete(replay));
    this.replaying.add(replay);
  }

  private checkInvokePermission(functionArn: string, service: string, sourceArn: string): void {
    const verdict = evaluate({
      identityPolicies: [],
      resourcePolicy: this.resourcePolicies.get(functionArn),
      principalArn: service,
      action: "lambda:InvokeFunction",
      resource: functionArn,
      context: { "aws:SourceArn": sourceArn, "aws:SourceAccount": this.accountId },
    });
    if (!verdict.allowed) {
      throw new AwsError(
        "AccessDeniedException",
        403,
        `${service} is not authorized to perform: lambda:InvokeFunction on resource: ` +
          `${functionArn} for ${sourceArn} ${verdict.reason}`,
      );
    }
  }

  /** What Lambda checks when a mapping is made. */
  private checkStreamAccess(functionArn: string, streamArn: string): void {
    const functionName = functionArn.slice(functionArn.lastIndexOf(":") + 1);
    for (const operation of ["DescribeStream", "GetRecords", "GetShardIterator", "ListStreams"]) {
      const denial = this.roles.check(functionName, `dynamodb:${operation}`, streamArn);
      if (denial !== undefined) {
        throw new AwsError("InvalidParameterValueException", 400, denial);
      }
    }
  }

  private resourcePolicyOf(arn: string): PolicyDocument | undefined {
    // An object's requests are decided by its bucket's policy.
    const owner = arn.startsWith("arn:aws:s3:::") ? arn.split("/", 1)[0] : arn;
    return this.resourcePolicies.get(owner ?? arn);
  }

  /** Sends an on-failure record as Lambda does: in the role of the function that has failed. */
  private async send(destinationArn: string, record: string): Promise<void> {
    const { requestContext } = JSON.parse(record) as { requestContext: { functionArn: string } };
    const functionName = functionNameOf(requestContext.functionArn);
    const denial = this.roles.check(functionName, "sqs:SendMessage", destinationArn);
    if (denial !== undefined) {
      throw new AwsError("AccessDenied", 403, denial);
    }
    await this.queueStore.sendMessage(destinationArn, record);
  }

  private async unsigned(request: HttpRequest): Promise<HttpResponse> {
    const { url } = request;
    if (!this.started) {
      return STARTING;
    }
    if (url === "/") {
      return textResponse(302, "", { location: INBOX });
    }
    if (url.startsWith(INBOX)) {
      return this.inbox(request);
    }
    if (url === STACK) {
      return stackPage(request, this.outputs);
    }
    return (
      (await this.apis.handle(request)) ??
      textResponse(
        404,
        `There is nothing here. Mails are at ${this.inboxUrl}; AWS clients have to sign their ` +
          "requests.\n",
      )
    );
  }
}
