import type { InvokeResult } from "./batchDelivery";
import type { FilterCriteria } from "./filterCriteria";
import type { StreamLog } from "./streamLog";
import type { StreamRecord } from "./streamRecord";

/** The settings of an `aws.lambda.EventSourceMapping` on a DynamoDB stream. */
export interface EventSourceMappingSettings {
  startingPosition: "TRIM_HORIZON" | "LATEST";
  /** 1 to 10,000. @default 100 */
  batchSize?: number;
  /** 0 to 300. @default 0 */
  maximumBatchingWindowSeconds?: number;
  filters?: FilterCriteria;
  /** @default false */
  reportBatchItemFailures?: boolean;
  /** @default false */
  bisectBatchOnFunctionError?: boolean;
  /** 0 to 10,000; -1: until the record expires. @default -1 */
  maximumRetryAttempts?: number;
  /** 60 to 604,800; -1: until the record expires, after 24 hours. @default -1 */
  maximumRecordAgeSeconds?: number;
  /** 1 to 10: how many batches of a shard run at once, each for partition keys of its own. @default 1 */
  parallelizationFactor?: number;
  /** An SQS queue or SNS topic that gets the metadata of discarded records. */
  onFailureArn?: string;
}

export interface EventSourceMappingOptions {
  /** The same from run to run: it names the checkpoint. */
  id: string;
  functionArn: string;
  stream: StreamLog;
  settings: EventSourceMappingSettings;
  /** Calls the Lambda; rejects if the call does not reach the function (throttled). */
  invoke(payload: { Records: StreamRecord[] }): Promise<InvokeResult>;
  /** Sends a message to the on-failure destination. */
  send(destinationArn: string, body: string): Promise<void>;
  /** Called for the user: no Lambda reached, an invalid answer, records discarded. */
  onError(error: Error): void;
  /** Multiplies the delays between retries. @default 1 */
  delayScale?: number;
}

/** The settings with their defaults. */
export type CompleteSettings = Required<
  Omit<EventSourceMappingSettings, "filters" | "onFailureArn">
>;

/** Adds the defaults. @throws {Error} for a setting that AWS would refuse */
export function completeSettings({ id, settings }: EventSourceMappingOptions): CompleteSettings {
  const number = (
    name: keyof EventSourceMappingSettings & keyof typeof ranges,
    fallback: number,
  ): number => {
    const value = settings[name] ?? fallback;
    const [least, most] = ranges[name];
    if (value === fallback || (Number.isInteger(value) && value >= least && value <= most)) {
      return value;
    }
    throw new Error(
      `The event source mapping "${id}" has ${name} ${value}: it must be a whole number from ` +
        `${least} to ${most}.`,
    );
  };
  return {
    startingPosition: settings.startingPosition,
    batchSize: number("batchSize", 100),
    maximumBatchingWindowSeconds: number("maximumBatchingWindowSeconds", 0),
    reportBatchItemFailures: settings.reportBatchItemFailures ?? false,
    bisectBatchOnFunctionError: settings.bisectBatchOnFunctionError ?? false,
    maximumRetryAttempts: number("maximumRetryAttempts", -1),
    maximumRecordAgeSeconds: number("maximumRecordAgeSeconds", -1),
    parallelizationFactor: number("parallelizationFactor", 1),
  };
}

/** https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-params.html */
const ranges = {
  batchSize: [1, 10_000],
  maximumBatchingWindowSeconds: [0, 300],
  maximumRetryAttempts: [0, 10_000],
  maximumRecordAgeSeconds: [60, 604_800],
  parallelizationFactor: [1, 10],
} as const;
