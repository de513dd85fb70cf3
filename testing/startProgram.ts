import {
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  ScanCommand,
} from "@aws-sdk/client-dynamodb";
import type { S3Client } from "@aws-sdk/client-s3";
import {
  type AllowedCall,
  type Fault,
  type HttpResponse,
  logicalName,
  type ObjectCreated,
  type OpenMail,
} from "local-aws";
import type { EventKey, FileEvent } from "../events/event";
import { fromItem, type Item, keyItem } from "../events/item";
import { type Run, type RunEvent, startRun } from "../start/run";
import { clientsOf } from "./clients";
import { itemOf, newIdentity, processedEvent } from "./events";
import { eventually } from "./eventually";
import { readMails } from "./mails";
import { type StreamRecord, streamRecord } from "./records";
import { UNTHROTTLED } from "./unthrottled";

/** The program on this machine, for tests that invoke one Lambda at a time. */
export interface Program {
  run: Run;
  /** Clients of the operator, who may call every action. */
  s3: S3Client;
  dynamo: DynamoDBClient;
  bucketName: string;
  tableName: string;
  /** Events of the run since the last `reset`. */
  events: RunEvent[];
  /** Objects written since the last `reset`. */
  created: ObjectCreated[];
  /** Allowed calls of Lambdas since the last `reset`, such as `upload s3:PutObject`. */
  calls: string[];
  /** Runs before each call of a Lambda is forwarded; an `AwsError` thrown is the call's answer. */
  onCall: (call: AllowedCall, lambda: string) => void | Promise<void>;
  /** Answers calls of Lambdas in place of the service; undefined: the call is forwarded. */
  answerCall: (call: AllowedCall) => HttpResponse | undefined;
  /** The fault for the next invocation. */
  nextFault?: Fault;
  /** Clears what the test before has recorded and set. */
  reset(): void;
  /** Invokes a Lambda by its logical name, such as `record`. */
  invoke(lambda: string, event: object): Promise<{ answer: unknown; functionError?: string }>;
  /** Resolves with a line of a Lambda's log that contains all of these texts. */
  logged(...texts: string[]): Promise<string>;
  row(key: EventKey): Promise<FileEvent | undefined>;
  /** The rows whose `event_info` contains this text. */
  rowsOf(text: string): Promise<FileEvent[]>;
  putRow(item: Item): Promise<void>;
  /**
   * Puts a row: a processed event with an identity of its own, and these changes.
   *
   * @param changedAt of the stream record, in seconds since 1970. @default now
   * @returns the event, and the stream record of its row
   */
  putEvent(
    changes?: Partial<FileEvent>,
    changedAt?: number,
  ): Promise<{ event: FileEvent; record: StreamRecord }>;
  /** The mails since the last `reset`. */
  mails(): Promise<OpenMail[]>;
  stop(): Promise<void>;
}

/**
 * Starts the program. Its Lambdas run only for requests to the API and when a test invokes them:
 * bucket events are held back, and the stream is not read.
 */
export async function startProgram(config: Record<string, string> = {}): Promise<Program> {
  const ignore = () => undefined;
  const run = await startRun({
    port: 0,
    // A test invokes one or two of the Lambdas.
    warmStart: false,
    config: { ...UNTHROTTLED, ...config },
    // An hour is longer than any test.
    s3EventDelayMs: 3_600_000,
    onEvent: (event) => program.events.push(event),
    interceptInvocation: () => {
      const { nextFault } = program;
      program.nextFault = undefined;
      return nextFault;
    },
    intercept: async (call, forward) => {
      const { functionName } = call.principal;
      if (functionName !== undefined) {
        const lambda = logicalName(functionName);
        program.calls.push(`${lambda} ${call.operation}`);
        await program.onCall(call, lambda);
        const answer = program.answerCall(call);
        if (answer) {
          return answer;
        }
      }
      return forward();
    },
  });
  run.closeStreams();
  run.onObjectCreated((event) => program.created.push(event));
  const { s3, dynamo, destroy } = clientsOf(run);
  const tableName = String(run.outputs.tableName);

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
    answerCall: ignore,
    reset() {
      Object.assign(program, {
        events: [],
        created: [],
        calls: [],
        onCall: ignore,
        answerCall: ignore,
        nextFault: undefined,
      });
    },
    async invoke(lambda, event) {
      const name = run.functionNames.find((candidate) => logicalName(candidate) === lambda);
      const { payload, functionError } = await run.invoke(name ?? lambda, event);
      return { answer: JSON.parse(payload) as unknown, functionError };
    },
    async logged(...texts) {
      return eventually(() =>
        program.events
          .flatMap((event) => (event.type === "log" ? [event.line] : []))
          .find((line) => texts.every((text) => line.includes(text))),
      );
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
    async putEvent(changes, changedAt) {
      const event = processedEvent({ ...newIdentity(), ...changes });
      await program.putRow(itemOf(event));
      return { event, record: streamRecord(itemOf(event), changedAt) };
    },
    mails: () => readMails(run, program.events),
    async stop() {
      destroy();
      await run.stop();
    },
  };
  return program;
}
