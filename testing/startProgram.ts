import { setTimeout as delay } from "node:timers/promises";
import {
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  ScanCommand,
} from "@aws-sdk/client-dynamodb";
import { S3Client } from "@aws-sdk/client-s3";
import type { AllowedCall, Fault, ObjectCreated, OpenMail } from "local-aws";
import type { EventKey, FileEvent } from "../events/event";
import { fromItem, type Item, keyItem } from "../events/item";
import { type Run, type RunEvent, startRun } from "../start/run";

/** The program on this machine, with hands on it. */
export interface Program {
  run: Run;
  /** The operator's own clients: they may do everything. */
  s3: S3Client;
  dynamo: DynamoDBClient;
  bucketName: string;
  tableName: string;
  /** What has happened since the test began. */
  events: RunEvent[];
  /** Objects that were written since the test began. */
  created: ObjectCreated[];
  /** Each call of a Lambda that was allowed since the test began: `upload s3:PutObject`. */
  calls: string[];
  /** Is asked about each call of a Lambda; what it throws is the call's answer. */
  onCall: (call: AllowedCall, lambda: string) => void | Promise<void>;
  /** The fault for the next invocation. */
  nextFault?: Fault;
  /** Forgets what the test before has seen and set. */
  reset(): void;
  /** Invokes a Lambda by its logical name, such as `record`. */
  invoke(lambda: string, event: object): Promise<{ answer: unknown; functionError?: string }>;
  row(key: EventKey): Promise<FileEvent | undefined>;
  /** The rows of the objects whose bucket and key have this text in them. */
  rowsOf(text: string): Promise<FileEvent[]>;
  putRow(item: Item): Promise<void>;
  mails(): Promise<OpenMail[]>;
  stop(): Promise<void>;
}

/**
 * Starts the program. Its Lambdas run only for requests to the API and when a test invokes them:
 * bucket events are kept back, and the stream is not read.
 */
export async function startProgram(config: Record<string, string> = {}): Promise<Program> {
  const ignore = () => undefined;
  const logicalName = (functionName = "") => functionName.replace(/-[0-9a-f]{7}$/, "");
  const run = await startRun({
    port: 0,
    config,
    // An hour is longer than any test.
    s3EventDelayMs: 3_600_000,
    onEvent: (event) => program.events.push(event),
    interceptInvocation: () => {
      const { nextFault } = program;
      program.nextFault = undefined;
      return nextFault;
    },
    intercept: async (call, forward) => {
      const lambda = logicalName(call.principal.functionName);
      if (lambda !== "") {
        program.calls.push(`${lambda} ${call.operation}`);
        await program.onCall(call, lambda);
      }
      return forward();
    },
  });
  run.closeStreams();
  run.onObjectCreated((event) => program.created.push(event));
  const { endpoint, region, credentials } = run;
  const client = { endpoint, region, credentials };
  const tableName = String(run.outputs.tableName);
  const s3 = new S3Client(client);
  const dynamo = new DynamoDBClient(client);

  const program: Program = {
    run,
    s3,
    dynamo,
    bucketName: String(run.outputs.bucketName),
    tableName,
    events: [],
    created: [],
    calls: [],
    onCall: ignore,
    reset() {
      Object.assign(program, {
        events: [],
        created: [],
        calls: [],
        onCall: ignore,
        nextFault: undefined,
      });
    },
    async invoke(lambda, event) {
      const name = run.functionNames.find((candidate) => logicalName(candidate) === lambda);
      const { payload, functionError } = await run.invoke(name ?? lambda, event);
      return { answer: JSON.parse(payload) as unknown, functionError };
    },
    async row(key) {
      const { Item: item } = await dynamo.send(
        new GetItemCommand({ TableName: tableName, Key: keyItem(key), ConsistentRead: true }),
      );
      return item && fromItem(item);
    },
    async rowsOf(text) {
      const { Items: items = [] } = await dynamo.send(
        new ScanCommand({
          TableName: tableName,
          ConsistentRead: true,
          FilterExpression: "contains(event_info, :text)",
          ExpressionAttributeValues: { ":text": { S: text } },
        }),
      );
      return items.map((item) => fromItem(item as Item));
    },
    async putRow(item) {
      const Item = item as PutItemCommand["input"]["Item"];
      await dynamo.send(new PutItemCommand({ TableName: tableName, Item }));
    },
    async mails() {
      const ids = program.events.flatMap((event) => (event.type === "mail" ? [event.mail.id] : []));
      const mails = await Promise.all(ids.map((id) => run.readMail(id)));
      return mails.filter((mail) => mail !== undefined);
    },
    async stop() {
      s3.destroy();
      dynamo.destroy();
      await run.stop();
    },
  };
  return program;
}

/** Resolves with what `look` finds, as soon as it finds something. */
export async function eventually<T>(
  look: () => T | undefined | Promise<T | undefined>,
): Promise<T> {
  for (;;) {
    const found = await look();
    if (found !== undefined) {
      return found;
    }
    // Mocha's timeout ends the wait for what never comes.
    await delay(10);
  }
}
