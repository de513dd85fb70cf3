import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { EventStatus } from "../events/event";
import { partitionKey } from "../events/partitions";
import type { DeadLetterQueue } from "./deadLetterQueue";
import type { CallbackLambda } from "./lambda/callbackLambda";
import { Grant, grantsDocument } from "./policy";

/** Six hours: a record that has waited longer is news to nobody. A stream keeps it for 24. */
const MAX_RECORD_AGE_SECONDS = 6 * 60 * 60;

/** Some minutes, with the growing pauses between them: a record that never works holds up its shard. */
const MAX_RETRIES = 10;

export interface EventTableArgs {
  /**
   * Partitions of `time-index` for each status, 1 to 64: each takes 1,000 write units a second.
   *
   * To be chosen before the first event. A change from or to 1 replaces the index; rows that were
   * written before are not in one of several shards until they change their status. With fewer
   * shards than before, rows of the others are out of sight.
   */
  statusShards: number;
}

export interface OnStatusArgs {
  /** Most records in one invocation, 1 to 10,000. */
  batchSize: number;
  /**
   * Seconds to gather records before an invocation, 0 to 300.
   * @default 0: at once
   */
  batchingWindowSeconds?: number;
  /** Gets the metadata of records that are given up: which ones they were, not what they said. */
  deadLetters: DeadLetterQueue;
  /**
   * Whether rows that are `failed`, and of which nobody was told yet, start the Lambda as well.
   * @default false
   */
  alsoUnalarmedFailures?: boolean;
}

/** What a stream record must look like to start a Lambda: one of these. */
function patternsFor(statuses: readonly EventStatus[], alsoUnalarmedFailures = false): object[] {
  const reached = { event_status: { S: statuses } };
  const unalarmed = { event_status: { S: ["failed"] }, alarmed_at: { S: [{ exists: false }] } };
  const images = alsoUnalarmedFailures ? [reached, unalarmed] : [reached];
  return images.map((image) => ({ dynamodb: { NewImage: image } }));
}

/**
 * The event table: one row for each file, with a stream that starts a Lambda for exactly the
 * statuses that are its business, and `time-index` for the events of a status in time order.
 */
export class EventTable extends pulumi.ComponentResource {
  readonly table: aws.dynamodb.Table;
  /** The table's name. */
  readonly tableName: pulumi.Output<string>;
  /** Counts of the events of finished periods: what makes counting all events cheap. */
  readonly counts: aws.dynamodb.Table;
  private readonly name: string;

  private readonly statusShards: number;

  constructor(name: string, args: EventTableArgs, opts?: pulumi.ComponentResourceOptions) {
    super("s3-uploader:events:EventTable", name, {}, opts);
    this.name = name;
    this.statusShards = args.statusShards;
    const indexHashKey = partitionKey(args.statusShards);
    this.table = new aws.dynamodb.Table(
      name,
      {
        billingMode: "PAY_PER_REQUEST",
        hashKey: "event_id",
        rangeKey: "event_timestamp",
        attributes: [
          { name: "event_id", type: "S" },
          { name: "event_timestamp", type: "S" },
          { name: indexHashKey, type: "S" },
        ],
        globalSecondaryIndexes: [
          {
            name: "time-index",
            hashKey: indexHashKey,
            rangeKey: "event_timestamp",
            projectionType: "ALL",
          },
        ],
        streamEnabled: true,
        streamViewType: "NEW_AND_OLD_IMAGES",
        pointInTimeRecovery: { enabled: true },
      },
      { parent: this },
    );
    this.tableName = this.table.name;
    this.counts = new aws.dynamodb.Table(
      `${name}-counts`,
      {
        billingMode: "PAY_PER_REQUEST",
        hashKey: "kind",
        rangeKey: "period",
        attributes: [
          { name: "kind", type: "S" },
          { name: "period", type: "S" },
        ],
      },
      { parent: this },
    );
    this.registerOutputs({ tableName: this.tableName });
  }

  /** What every Lambda has to know that reads or writes events. */
  environment(): Record<"TABLE_NAME" | "STATUS_SHARDS", pulumi.Input<string>> {
    return { TABLE_NAME: this.tableName, STATUS_SHARDS: String(this.statusShards) };
  }

  /** What those have to know besides who count events, or change counted ones. */
  countsEnvironment() {
    return { ...this.environment(), COUNTS_TABLE_NAME: this.counts.name };
  }

  /** Permission to read rows by their keys, several at a time. */
  readEvents(): Grant {
    return { actions: ["dynamodb:BatchGetItem"], resources: [this.table.arn] };
  }

  /** Permission to read one row by its key. */
  readEvent(): Grant {
    return { actions: ["dynamodb:GetItem"], resources: [this.table.arn] };
  }

  /** Permission to find the rows of a status, in time order. */
  queryByStatus(): Grant {
    return {
      actions: ["dynamodb:Query"],
      resources: [pulumi.interpolate`${this.table.arn}/index/time-index`],
    };
  }

  /** Permission to find the row of an id. */
  findEvents(): Grant {
    return { actions: ["dynamodb:Query"], resources: [this.table.arn] };
  }

  /** Permission to delete rows. */
  deleteEvents(): Grant {
    return { actions: ["dynamodb:DeleteItem"], resources: [this.table.arn] };
  }

  /** Permission to mark a period that has to be counted anew: for all who change late events. */
  reopenPeriods(): Grant {
    return { actions: ["dynamodb:UpdateItem"], resources: [this.counts.arn] };
  }

  /** Permission to read the counts. */
  readCounts(): Grant {
    return { actions: ["dynamodb:Query"], resources: [this.counts.arn] };
  }

  /** Permission to write down the counts of finished periods. */
  sealPeriods(): Grant {
    return {
      actions: ["dynamodb:DeleteItem", "dynamodb:Query", "dynamodb:UpdateItem"],
      resources: [this.counts.arn],
    };
  }

  /** Permission to put new rows. */
  putEvents(): Grant {
    return { actions: ["dynamodb:PutItem"], resources: [this.table.arn] };
  }

  /** Permission to move events from one status to the next. */
  advanceEvents(): Grant {
    return { actions: ["dynamodb:UpdateItem"], resources: [this.table.arn] };
  }

  /**
   * Starts a Lambda for each row that reaches one of the statuses, and for no other change: the
   * stream's records are filtered before they invoke anything. The handler gets a
   * `DynamoDBStreamEvent` and answers with a `DynamoDBBatchResponse`. What fails is tried again,
   * and in the end given up to the dead-letter queue.
   *
   * A DynamoDB stream serves at most two readers, so a table takes at most two subscriptions.
   */
  onStatus(
    name: string,
    statuses: readonly EventStatus[],
    lambda: CallbackLambda,
    args: OnStatusArgs,
  ): aws.lambda.EventSourceMapping {
    const { deadLetters } = args;
    const streamPolicy = new aws.iam.RolePolicy(
      `${name}-stream`,
      {
        role: lambda.role.id,
        policy: grantsDocument([
          {
            actions: [
              "dynamodb:DescribeStream",
              "dynamodb:GetRecords",
              "dynamodb:GetShardIterator",
              "dynamodb:ListStreams",
            ],
            resources: [this.table.streamArn],
          },
          deadLetters.send(),
        ]),
      },
      { parent: this },
    );
    const patterns = patternsFor(statuses, args.alsoUnalarmedFailures);
    return new aws.lambda.EventSourceMapping(
      `${this.name}-${name}`,
      {
        eventSourceArn: this.table.streamArn,
        functionName: lambda.function.arn,
        filterCriteria: {
          filters: patterns.map((pattern) => ({ pattern: JSON.stringify(pattern) })),
        },
        // LATEST would miss what is written while the mapping is being made.
        startingPosition: "TRIM_HORIZON",
        batchSize: args.batchSize,
        maximumBatchingWindowInSeconds: args.batchingWindowSeconds ?? 0,
        functionResponseTypes: ["ReportBatchItemFailures"],
        bisectBatchOnFunctionError: true,
        maximumRetryAttempts: MAX_RETRIES,
        maximumRecordAgeInSeconds: MAX_RECORD_AGE_SECONDS,
        destinationConfig: { onFailure: { destinationArn: deadLetters.queueArn } },
      },
      // Lambda checks what the role may do when the mapping is made.
      { parent: this, dependsOn: [streamPolicy] },
    );
  }
}
