import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { EventStatus } from "../events/event";
import { partitionKey } from "../events/partitions";
import type { DeadLetterQueue } from "./deadLetterQueue";
import { type KeepsData, kept, type KeptArgs } from "./kept";
import type { CallbackLambda } from "./lambda/callbackLambda";
import { joined, type Link } from "./link";
import type { Notifier } from "./notifier";
import { type Grant, grantsDocument } from "./policy";
import { refuseOtherIndex, SHARDS_TAG, TIME_INDEX } from "./statusShards";

/** The index of the files of each link. */
const LINK_INDEX = "link-index";

/**
 * An hour less than a stream keeps its records: one that only waits is not given up, and of one that is, the
 * dead-letter queue has the metadata.
 */
const MAX_RECORD_AGE_SECONDS = 23 * 60 * 60;

/** Some minutes, with growing pauses between them: a failing record blocks its shard until then. */
const MAX_RETRIES = 10;

export interface EventTableArgs extends KeptArgs {
  /**
   * Partitions of `time-index` for each status, 1 to 64: each takes 1,000 write units a second.
   *
   * From 2 on, it can be raised at any time: rows keep their shard until their next status. Every
   * other change of a deployed table is refused: see `refuseOtherIndex`.
   */
  statusShards: number;
  /** Receives the metadata of stream records that are given up: not the rows themselves. */
  deadLetters: DeadLetterQueue;
  /** Mails operators when a function of `onStatus` is not started. */
  alarms: Notifier;
}

export interface OnStatusArgs {
  /** Most records in one invocation, 1 to 10,000. */
  batchSize: number;
  /**
   * Seconds to gather records before an invocation, 0 to 300.
   * @default 0: none
   */
  batchingWindowSeconds?: number;
  /**
   * Whether `failed` rows without `alarmed_at` and `no_alarm` start the Lambda as well.
   * @default false
   */
  alsoUnalarmedFailures?: boolean;
}

/** Environment variables of every Lambda that uses the event table. */
type EventVariable = "TABLE_NAME" | "STATUS_SHARDS";

/** Environment variables of Lambdas that use the counts as well, or change counted events. */
type CountedEventVariable = EventVariable | "COUNTS_TABLE_NAME";

/** Environment variables of the sweeper. `CONSUMERS` has a function's name for each status, as JSON. */
type SweepVariable = CountedEventVariable | "CONSUMERS" | "ALARM_TOPIC_ARN";

/**
 * The event table: one row for each file. Its stream starts Lambdas for rows that reach given
 * statuses. Its `time-index` has the events of a status in time order, its `link-index` those of an
 * upload link. A second table counts the events of finished periods, so that counting all events reads
 * few rows.
 */
export class EventTable extends pulumi.ComponentResource implements KeepsData {
  readonly table: aws.dynamodb.Table;
  readonly counts: aws.dynamodb.Table;
  readonly tableName: pulumi.Output<string>;
  readonly data: KeepsData["data"];
  /** The function that a status starts. */
  private readonly consumers: Partial<Record<EventStatus, pulumi.Output<string>>> = {};

  constructor(
    private readonly name: string,
    private readonly args: EventTableArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("s3-uploader:events:EventTable", name, {}, opts);
    const countsName = `${name}-counts`;
    this.table = eventTable(name, args, this);
    this.counts = countsTable(countsName, args, this);
    this.tableName = this.table.name;
    this.data = { [name]: this.tableName, [countsName]: this.counts.name };
    this.registerOutputs({ tableName: this.tableName });
  }

  /** To put rows that do not exist yet. */
  recording(): Link<CountedEventVariable> {
    return this.countedLink(
      { actions: ["dynamodb:PutItem"], resources: [this.table.arn] },
      this.reopeningPeriods(),
    );
  }

  /** To read one row by its key. */
  reading(): Link<EventVariable> {
    return this.link({ actions: ["dynamodb:GetItem"], resources: [this.table.arn] });
  }

  /** To read several rows by their keys. */
  batchReading(): Link<EventVariable> {
    return this.link({ actions: ["dynamodb:BatchGetItem"], resources: [this.table.arn] });
  }

  /** To list the events of a status in time order. */
  listing(): Link<EventVariable> {
    return this.link({
      actions: ["dynamodb:Query"],
      resources: [pulumi.interpolate`${this.table.arn}/index/${TIME_INDEX}`],
    });
  }

  /** To list the events of a link in time order. */
  listingLinks(): Link<EventVariable> {
    return this.link({
      actions: ["dynamodb:Query"],
      resources: [pulumi.interpolate`${this.table.arn}/index/${LINK_INDEX}`],
    });
  }

  /** To find the row of an event's id alone. */
  finding(): Link<EventVariable> {
    return this.link({ actions: ["dynamodb:Query"], resources: [this.table.arn] });
  }

  /** To move events from one status to the next. */
  advancing(): Link<EventVariable> {
    return this.link({ actions: ["dynamodb:UpdateItem"], resources: [this.table.arn] });
  }

  /** To move failed events back to the status that they failed in. */
  retrying(): Link<CountedEventVariable> {
    return joined(this.advancing(), this.countedLink(this.reopeningPeriods()));
  }

  /** To delete rows. */
  deleting(): Link<CountedEventVariable> {
    return this.countedLink(
      { actions: ["dynamodb:DeleteItem"], resources: [this.table.arn] },
      this.reopeningPeriods(),
    );
  }

  /** To read the counts of finished periods. */
  counting(): Link<CountedEventVariable> {
    return this.countedLink({ actions: ["dynamodb:Query"], resources: [this.counts.arn] });
  }

  /** To write the counts of finished periods. */
  sealing(): Link<CountedEventVariable> {
    return this.countedLink({
      actions: ["dynamodb:DeleteItem", "dynamodb:Query", "dynamodb:UpdateItem"],
      resources: [this.counts.arn],
    });
  }

  /** All that publishing notices needs: to check rows, and to advance them. */
  notifying(): Link<EventVariable> {
    return joined(this.batchReading(), this.advancing());
  }

  /** To know how far the functions of `onStatus` have come. Call it after `onStatus`. */
  observing(): Link<"CONSUMERS"> {
    return {
      environment: { CONSUMERS: pulumi.jsonStringify(this.consumers) },
      // The action has no resource type.
      grants: [{ actions: ["cloudwatch:GetMetricData"], resources: ["*"] }],
    };
  }

  /**
   * All that the sweeper does: find stuck and missing rows, resume or record them, count, and tell
   * operators of a function that is not started. Call it after `onStatus`.
   */
  sweeping(): Link<SweepVariable> {
    return joined(
      this.observing(),
      this.args.alarms.publishing("ALARM_TOPIC_ARN"),
      this.listing(),
      this.reading(),
      this.batchReading(),
      this.recording(),
      this.advancing(),
      this.sealing(),
    );
  }

  /** All that an operator's interface does: list, show, retry, delete and count events. */
  managing(): Link<CountedEventVariable> {
    return joined(
      this.listing(),
      this.listingLinks(),
      this.finding(),
      this.reading(),
      this.retrying(),
      this.batchReading(),
      this.deleting(),
      this.counting(),
    );
  }

  /**
   * Starts a Lambda for each row that reaches one of the statuses, and for no other change: the
   * stream's records are filtered before they invoke anything. The handler gets a
   * `DynamoDBStreamEvent` and answers with a `DynamoDBBatchResponse`. Failed records are retried,
   * and in the end given up to the dead-letter queue.
   *
   * A DynamoDB stream serves two readers at most, so a table takes two subscriptions at most.
   *
   * @example
   * events.onStatus(["processed"], notifyLambda, { batchSize: 100 });
   */
  onStatus(
    statuses: readonly EventStatus[],
    lambda: CallbackLambda,
    args: OnStatusArgs,
  ): aws.lambda.EventSourceMapping {
    const { deadLetters } = this.args;
    const started = args.alsoUnalarmedFailures ? [...statuses, "failed" as const] : statuses;
    for (const status of started) {
      this.consumers[status] = lambda.function.name;
    }
    const streamPolicy = new aws.iam.RolePolicy(
      `${lambda.name}-stream`,
      {
        role: lambda.role.id,
        policy: grantsDocument([this.readingStream(), deadLetters.send()]),
      },
      { parent: this },
    );
    const patterns = patternsFor(statuses, args.alsoUnalarmedFailures);
    return new aws.lambda.EventSourceMapping(
      `${this.name}-${lambda.name}`,
      {
        eventSourceArn: this.table.streamArn,
        functionName: lambda.function.arn,
        filterCriteria: {
          filters: patterns.map((pattern) => ({ pattern: JSON.stringify(pattern) })),
        },
        // LATEST would miss what is written while the mapping is being created.
        startingPosition: "TRIM_HORIZON",
        batchSize: args.batchSize,
        maximumBatchingWindowInSeconds: args.batchingWindowSeconds ?? 0,
        functionResponseTypes: ["ReportBatchItemFailures"],
        bisectBatchOnFunctionError: true,
        maximumRetryAttempts: MAX_RETRIES,
        maximumRecordAgeInSeconds: MAX_RECORD_AGE_SECONDS,
        destinationConfig: { onFailure: { destinationArn: deadLetters.queueArn } },
      },
      // Lambda tests the role's permissions when the mapping is created.
      { parent: this, dependsOn: [streamPolicy] },
    );
  }

  private link(...grants: Grant[]): Link<EventVariable> {
    const environment = {
      TABLE_NAME: this.tableName,
      STATUS_SHARDS: String(this.args.statusShards),
    };
    return { environment, grants };
  }

  private countedLink(...grants: Grant[]): Link<CountedEventVariable> {
    const { environment } = this.link();
    return { environment: { ...environment, COUNTS_TABLE_NAME: this.counts.name }, grants };
  }

  /** To mark a finished period whose events change, so that it is counted again. */
  private reopeningPeriods(): Grant {
    return { actions: ["dynamodb:UpdateItem"], resources: [this.counts.arn] };
  }

  private readingStream(): Grant {
    return {
      actions: [
        "dynamodb:DescribeStream",
        "dynamodb:GetRecords",
        "dynamodb:GetShardIterator",
        "dynamodb:ListStreams",
      ],
      resources: [this.table.streamArn],
    };
  }
}

function eventTable(
  name: string,
  args: EventTableArgs,
  parent: pulumi.Resource,
): aws.dynamodb.Table {
  const { statusShards } = args;
  const indexHashKey = partitionKey(statusShards);
  const existing = kept(name, args);
  return new aws.dynamodb.Table(
    name,
    {
      name: existing.name,
      billingMode: "PAY_PER_REQUEST",
      hashKey: "event_id",
      rangeKey: "event_timestamp",
      attributes: [
        { name: "event_id", type: "S" },
        { name: "event_timestamp", type: "S" },
        { name: indexHashKey, type: "S" },
        { name: "link_id", type: "S" },
      ],
      globalSecondaryIndexes: [
        timeOrderedIndex(TIME_INDEX, indexHashKey),
        // Only rows of links have it. DynamoDB adds one index to a deployed table in one update.
        timeOrderedIndex(LINK_INDEX, "link_id"),
      ],
      streamEnabled: true,
      streamViewType: "NEW_AND_OLD_IMAGES",
      pointInTimeRecovery: { enabled: true },
      // Deployed with the table, so that the next deployment knows the number.
      tags: statusShards > 1 ? { [SHARDS_TAG]: String(statusShards) } : undefined,
    },
    { parent, ...existing.opts, hooks: refuseOtherIndex(name) },
  );
}

function timeOrderedIndex(name: string, hashKey: string) {
  // Not `keySchemas`, which the provider prefers: in some of its releases a deployed index that
  // moves to them is deleted and built anew, and lists are empty meanwhile.
  return { name, hashKey, rangeKey: "event_timestamp", projectionType: "ALL" };
}

function countsTable(
  name: string,
  args: EventTableArgs,
  parent: pulumi.Resource,
): aws.dynamodb.Table {
  const existing = kept(name, args);
  return new aws.dynamodb.Table(
    name,
    {
      name: existing.name,
      billingMode: "PAY_PER_REQUEST",
      hashKey: "kind",
      rangeKey: "period",
      attributes: [
        { name: "kind", type: "S" },
        { name: "period", type: "S" },
      ],
    },
    { parent, ...existing.opts },
  );
}

/** The patterns of stream records that start a Lambda; one match is enough. */
function patternsFor(statuses: readonly EventStatus[], alsoUnalarmedFailures = false): object[] {
  const reached = { event_status: { S: statuses } };
  const unalarmed = {
    event_status: { S: ["failed"] },
    alarmed_at: { S: [{ exists: false }] },
    no_alarm: { BOOL: [{ exists: false }] },
  };
  const images = alsoUnalarmedFailures ? [reached, unalarmed] : [reached];
  return images.map((image) => ({ dynamodb: { NewImage: image } }));
}
