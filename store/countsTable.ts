import {
  DeleteItemCommand,
  type DynamoDBClient,
  QueryCommand,
  UpdateItemCommand,
} from "@aws-sdk/client-dynamodb";
import type { Item } from "../events/item";
import { unlessConditionFailed } from "../runtime/awsErrors";
import { BEGINNING, END, endOf, type TimeRange } from "./eventIndex";

/**
 * The table of the counts (hash key `kind`, range key `period`), whose kinds of item are
 * - `sealed`: the counts of a finished period, in which no event is on its way any more;
 * - `day`: the sums of a day's sealed periods;
 * - `mark`: a period whose sealed counts, and whose day's, are not to be used;
 * - `watermark`, just one: each period up to there is sealed, marked, or without any event;
 * - `listing`, just one: how far the bucket has been gone through for uploads without a row.
 */
export interface CountsTable {
  dynamo: DynamoDBClient;
  countsTableName: string;
}

/** The events that have come to their end. */
export interface Finished {
  notified: number;
  failed: number;
}

/** The counts of a period or of a day. */
export interface FinishedIn extends Finished {
  period: string;
}

/** A period that must be counted anew. */
export interface Mark {
  period: string;
  /** ISO 8601. From then on, a change may come that the sealed counts do not know. */
  marked_at: string;
  /** ISO 8601. When no event of the period was on its way; absent: not looked yet. */
  clear_at?: string;
}

/** How far the periods have been gone through. All three go forward only. */
export interface Watermark {
  /** The period up to which all are sealed, marked, or without any event. */
  up_to: string;
  /** The period up to which those with events were found, and marked, once. */
  scanned_to: string;
  /** ISO 8601; when that was. */
  scanned_at: string;
}

const DAY_LENGTH = 10;

/** The day of a period, as the table names it. */
export function dayOf(period: string): string {
  return period.slice(0, DAY_LENGTH);
}

function keyOf(kind: string, period: string) {
  return { kind: { S: kind }, period: { S: period } };
}

async function readItems(
  { dynamo, countsTableName }: CountsTable,
  kind: string,
  { from, to }: TimeRange,
): Promise<Item[]> {
  const items: Item[] = [];
  let next: Record<string, { S: string }> | undefined;
  do {
    const page = await dynamo.send(
      new QueryCommand({
        TableName: countsTableName,
        KeyConditionExpression: "kind = :kind AND #period BETWEEN :from AND :to",
        ExpressionAttributeNames: { "#period": "period" },
        ExpressionAttributeValues: { ":kind": { S: kind }, ":from": { S: from }, ":to": { S: to } },
        ConsistentRead: true,
        ExclusiveStartKey: next,
      }),
    );
    items.push(...((page.Items ?? []) as Item[]));
    next = page.LastEvaluatedKey as typeof next;
  } while (next);
  return items;
}

/** An update with its condition, in DynamoDB's words; values are named without their colon. */
interface Update {
  update: string;
  condition: string;
  values: Record<string, { S: string } | { N: string }>;
}

function change(
  { dynamo, countsTableName }: CountsTable,
  key: ReturnType<typeof keyOf>,
  { update, condition, values }: Update,
): Promise<boolean> {
  const named = Object.entries(values).map(([name, value]) => [`:${name}`, value] as const);
  return unlessConditionFailed(
    dynamo.send(
      new UpdateItemCommand({
        TableName: countsTableName,
        Key: key,
        UpdateExpression: update,
        ConditionExpression: condition,
        ExpressionAttributeValues: Object.fromEntries(named),
      }),
    ),
  );
}

/** undefined: no period has been gone through yet. */
export async function readWatermark(table: CountsTable): Promise<Watermark | undefined> {
  const [item] = await readItems(table, "watermark", { from: "-", to: "-" });
  return (
    item && {
      up_to: item.up_to?.S ?? BEGINNING,
      scanned_to: item.scanned_to?.S ?? BEGINNING,
      scanned_at: item.scanned_at?.S ?? "",
    }
  );
}

/** Writes the watermark, unless somebody else did since it was read as `before`. */
export function moveWatermark(
  table: CountsTable,
  before: Watermark | undefined,
  { up_to, scanned_to, scanned_at }: Watermark,
): Promise<boolean> {
  const condition = "up_to = :old_up_to AND scanned_to = :old_to AND scanned_at = :old_at";
  return change(table, keyOf("watermark", "-"), {
    update: "SET up_to = :up_to, scanned_to = :to, scanned_at = :at",
    condition: before ? condition : "attribute_not_exists(kind)",
    values: {
      up_to: { S: up_to },
      to: { S: scanned_to },
      at: { S: scanned_at },
      ...(before && {
        old_up_to: { S: before.up_to },
        old_to: { S: before.scanned_to },
        old_at: { S: before.scanned_at },
      }),
    },
  });
}

/** The upload's key up to which the bucket has been gone through; undefined: not begun yet. */
export async function readListedUpTo(table: CountsTable): Promise<string | undefined> {
  const [item] = await readItems(table, "listing", { from: "-", to: "-" });
  return item?.up_to?.S;
}

/**
 * Keeps up to which key the bucket has been gone through.
 *
 * @returns false when somebody else is as far already
 */
export function moveListedUpTo(table: CountsTable, key: string): Promise<boolean> {
  return change(table, keyOf("listing", "-"), {
    update: "SET up_to = :up_to",
    condition: "attribute_not_exists(kind) OR up_to < :up_to",
    values: { up_to: { S: key } },
  });
}

/** All marks, oldest period first. */
export async function readMarks(table: CountsTable): Promise<Mark[]> {
  const items = await readItems(table, "mark", { from: BEGINNING, to: END });
  return items.map((item) => ({
    period: item.period?.S ?? "",
    marked_at: item.marked_at?.S ?? "",
    clear_at: item.clear_at?.S,
  }));
}

/** Writes a mark, unless there is one. */
export function addMark(table: CountsTable, { period, marked_at, clear_at }: Mark) {
  return change(table, keyOf("mark", period), {
    update: `SET marked_at = :marked_at${clear_at === undefined ? "" : ", clear_at = :clear_at"}`,
    condition: "attribute_not_exists(kind)",
    values: {
      marked_at: { S: marked_at },
      ...(clear_at !== undefined && { clear_at: { S: clear_at } }),
    },
  });
}

/** Keeps when no event of the period was on its way, unless the mark was renewed since. */
export function markClear(table: CountsTable, { period, marked_at }: Mark, clearAt: string) {
  return change(table, keyOf("mark", period), {
    update: "SET clear_at = :clear_at",
    condition: "marked_at = :marked_at AND attribute_not_exists(clear_at)",
    values: { clear_at: { S: clearAt }, marked_at: { S: marked_at } },
  });
}

/** Forgets that no event of the period was on its way. */
export function markOpen(table: CountsTable, { period, marked_at }: Mark) {
  return change(table, keyOf("mark", period), {
    update: "REMOVE clear_at",
    condition: "marked_at = :marked_at",
    values: { marked_at: { S: marked_at } },
  });
}

/** Takes a mark away, if it is as it was read. */
export function removeMark(
  { dynamo, countsTableName }: CountsTable,
  { period, marked_at, clear_at = "" }: Mark,
): Promise<boolean> {
  return unlessConditionFailed(
    dynamo.send(
      new DeleteItemCommand({
        TableName: countsTableName,
        Key: keyOf("mark", period),
        ConditionExpression: "marked_at = :marked_at AND clear_at = :clear_at",
        ExpressionAttributeValues: { ":marked_at": { S: marked_at }, ":clear_at": { S: clear_at } },
      }),
    ),
  );
}

/** The counts of sealed periods, or of days, oldest first. */
export async function readFinished(
  table: CountsTable,
  kind: "sealed" | "day",
  range: TimeRange,
): Promise<FinishedIn[]> {
  const items = await readItems(table, kind, range);
  return items.map((item) => ({
    period: item.period?.S ?? "",
    notified: Number(item.notified?.N ?? 0),
    failed: Number(item.failed?.N ?? 0),
  }));
}

/** Writes a period's counts, unless there are some of a later counting. */
export function writeSealed(
  table: CountsTable,
  { period, notified, failed }: FinishedIn,
  countedAt: string,
): Promise<boolean> {
  return change(table, keyOf("sealed", period), {
    update: "SET notified = :notified, failed = :failed, counted_at = :counted_at",
    condition: "attribute_not_exists(kind) OR counted_at < :counted_at",
    values: {
      notified: { N: String(notified) },
      failed: { N: String(failed) },
      counted_at: { S: countedAt },
    },
  });
}

export function sumOf(counts: Finished[]): Finished {
  return counts.reduce<Finished>(
    (sum, { notified, failed }) => ({
      notified: sum.notified + notified,
      failed: sum.failed + failed,
    }),
    { notified: 0, failed: 0 },
  );
}

/**
 * Sums up the sealed periods of a day.
 *
 * @returns false when somebody else did it at the same time, perhaps without the newest counts
 */
export async function sumUpDay(table: CountsTable, day: string): Promise<boolean> {
  // Before the periods are read: the condition is to see every sum that was written since.
  const [before] = await readItems(table, "day", { from: day, to: day });
  const sealed = await readFinished(table, "sealed", { from: day, to: endOf(day) });
  const { notified, failed } = sumOf(sealed);
  const version = Number(before?.version?.N ?? 0);
  return change(table, keyOf("day", day), {
    update: "SET notified = :notified, failed = :failed, version = :next",
    condition: before ? "version = :version" : "attribute_not_exists(kind)",
    values: {
      notified: { N: String(notified) },
      failed: { N: String(failed) },
      next: { N: String(version + 1) },
      ...(before && { version: { N: String(version) } }),
    },
  });
}
