import * as path from "node:path";
import { AwsError } from "./awsError";
import type { InvokeResult } from "./apiGateway/restApi";
import { createDynamoDb, type DynamoDbEngine, type TableDefinition } from "./dynamodb/engine";
import {
  createEventSourceMapping,
  type EventSourceMapping,
  type EventSourceMappingOptions,
} from "./dynamodb/eventSourceMapping";
import { StreamLog } from "./dynamodb/streamLog";
import { ACCOUNT_ID, createFauxqs, type Fauxqs } from "./fauxqs";
import {
  createFrontDoor,
  type FrontDoor,
  type FrontDoorOptions,
  type ServiceCall,
} from "./frontDoor/frontDoor";
import { evaluate, type PolicyDocument } from "./frontDoor/policy";
import type { HttpRequest, HttpResponse } from "./http";
import { type AsyncInvoker, createAsyncInvoker, DEFAULT_ASYNC_CONFIG } from "./lambda/asyncInvoke";
import { createLambdaHost, type LambdaHost, type LambdaHostOptions } from "./lambda/host";
import { inboxPage } from "./mail/inboxPage";
import { createMailbox, type Mail, type Mailbox } from "./mail/mailbox";
import { RestApis } from "./restApis";
import { Roles } from "./roles";
import { createS3, type ObjectCreated, type S3 } from "./s3/engine";
import { toS3Event } from "./s3/objectCreated";
import { createSns, type Sns } from "./sns/engine";

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
  /** Milliseconds from an object's creation to its event; on AWS typically a second. */
  s3EventDelayMs?: number;
  /** Multiplies the delays between retries. @default 1 */
  delayScale?: number;
  /** A row of a table with a stream was written. */
  onItem?: (tableName: string, newImage: Record<string, unknown>, oldImage: unknown) => void;
  onMail?: (mail: Mail) => void;
  onLog?: LambdaHostOptions["onLog"];
  onInvocation?: LambdaHostOptions["onInvocation"];
  onCall?: (call: ServiceCall) => void;
  /** Comes between an allowed call and its service: the place for faults. */
  intercept?: FrontDoorOptions["intercept"];
  /** Comes between an invocation and its function: the place for faults. */
  interceptInvocation?: LambdaHostOptions["intercept"];
  /** Whatever goes wrong outside of any request. */
  onError: (message: string) => void;
}

/** As on AWS, whoever wrote an object hears of it before its event is delivered. */
const S3_EVENT_DELAY_MS = 100;

const INBOX = "/_inbox";

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
  readonly roles = new Roles(ACCOUNT_ID);
  /** The policies of buckets, topics and functions, by ARN. */
  readonly resourcePolicies = new Map<string, PolicyDocument>();
  readonly mailbox: Mailbox;
  readonly dynamoDb: DynamoDbEngine;
  readonly lambda: LambdaHost;
  readonly asyncInvoker: AsyncInvoker;
  readonly mappings: EventSourceMapping[] = [];

  private readonly frontDoor: FrontDoor;
  private readonly inbox: (request: HttpRequest) => Promise<HttpResponse>;
  private readonly streams = new Map<string, StreamLog>();
  private readonly notified = new Map<string, string[]>();
  private closing?: Promise<void>;
  private started = false;
  private fauxqs!: Fauxqs;
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
      onLog: options.onLog,
      onInvocation: options.onInvocation,
      intercept: options.interceptInvocation,
    });
    this.asyncInvoker = createAsyncInvoker({
      host: this.lambda,
      configOf: () => DEFAULT_ASYNC_CONFIG,
      send: (arn, body) => this.send(arn, body),
      delayScale,
      journalDir: dataDir && path.join(dataDir, "invokes"),
      onError: (error) => {
        options.onError(error.message);
      },
    });
    this.frontDoor = createFrontDoor({
      port: options.port,
      region,
      accountId: this.accountId,
      principals: this.roles,
      resourcePolicyOf: (arn) => this.resourcePolicyOf(arn),
      backends: {
        dynamodb: (request) => this.dynamoDb.handle(request),
        s3: (request, { arn }) => this.s3.handle(request, arn),
        sns: (request) => this.sns.handle(request),
        sqs: (request) => this.fauxqs.handle(request),
        sts: (request) => this.fauxqs.handle(request),
      },
      unsigned: (request) => this.unsigned(request),
      observe: options.onCall,
      intercept: options.intercept,
      onError: (error, where) => {
        options.onError(`${where}: ${String(error)}`);
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

  /** Makes a table, and its stream if it has one. */
  async createTable(table: TableDefinition): Promise<void> {
    await this.dynamoDb.createTable(table);
    const { tableName, hashKey, streamViewType } = table;
    if (!streamViewType) {
      return;
    }
    const { dataDir, region, onItem } = this.options;
    const streamArn = this.dynamoDb.streamArn(tableName);
    const stream = new StreamLog({
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
      invoke: (payload) => this.lambda.invoke(functionArn, payload),
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

  /** Begins to serve what the program has registered. */
  async start(functionNames: string[]): Promise<void> {
    this.apis.serve();
    await Promise.all(functionNames.map((name) => this.lambda.warm(name)));
    this.asyncInvoker.resume();
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

  /** Resolves when every event has been delivered and every stream record is past. */
  async idle(): Promise<void> {
    const positions = () => [...this.streams.values()].map(({ lastPosition }) => lastPosition);
    let before: number[];
    do {
      before = positions();
      await this.asyncInvoker.idle();
      await Promise.all(this.mappings.map((mapping) => mapping.idle()));
      // What one Lambda wrote may be the next one's work.
    } while (this.asyncInvoker.pending() > 0 || positions().join() !== before.join());
  }

  /** Ends everything that the cloud started. */
  close(): Promise<void> {
    this.closing ??= this.shut();
    return this.closing;
  }

  private async shut(): Promise<void> {
    for (const mapping of this.mappings) {
      mapping.close();
    }
    this.asyncInvoker.close();
    await Promise.all([this.frontDoor.close(), this.lambda.close()]);
    for (const stream of this.streams.values()) {
      stream.close();
    }
    await this.dynamoDb.close();
    // Undefined when opening failed before it was made.
    await (this.fauxqs as Fauxqs | undefined)?.close();
  }

  private async open(): Promise<void> {
    const { region, dataDir } = this.options;
    this.url = (await this.frontDoor.listen()).url;
    this.fauxqs = await createFauxqs({
      baseUrl: this.url,
      region,
      dataDir: dataDir && path.join(dataDir, "s3"),
    });
    this.bucketStore = createS3({ fauxqs: this.fauxqs });
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
      this.deliver(event, this.options.s3EventDelayMs ?? S3_EVENT_DELAY_MS);
    });
  }

  private async invokeForApi(
    functionArn: string,
    event: object,
    sourceArn: string,
  ): Promise<InvokeResult> {
    this.checkInvokePermission(functionArn, "apigateway.amazonaws.com", sourceArn);
    return this.lambda.invoke(functionArn, event);
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

  private async send(destinationArn: string, body: string): Promise<void> {
    await this.fauxqs.sendMessage(destinationArn, body);
  }

  private async unsigned(request: HttpRequest): Promise<HttpResponse> {
    const { url } = request;
    if (!this.started) {
      return textResponse(503, "The local run is starting.\n", { "retry-after": "1" });
    }
    if (url === "/") {
      return textResponse(302, "", { location: INBOX });
    }
    if (url.startsWith(INBOX)) {
      return this.inbox(request);
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
