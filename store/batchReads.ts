import { setTimeout as delay } from "node:timers/promises";
import { BatchGetItemCommand } from "@aws-sdk/client-dynamodb";
import type { EventKey } from "../events/event";
import { rowName } from "../events/identity";
import { type Item, keyItem, keyOf } from "../events/item";
import type { EventStore } from "./eventStore";
import type { RowChange } from "./redelivery/budget";
import type { Sample } from "./redelivery/ledger";

/** DynamoDB's limit for one BatchGetItem. */
const MAX_KEYS = 100;

/**
 * Milliseconds: the longest pause before keys that a throttled BatchGetItem left out are requested again.
 * Doubled with each answer without a row.
 */
const UNPROCESSED_PAUSE_MS = 50;

/** Answers in a row without a row, after which throttling is reported. */
const MAX_EMPTY_ANSWERS = 8;

/** Reads attributes of the rows that exist, a hundred rows a request; always including the key. */
async function readRows(
  { dynamo, tableName }: EventStore,
  keys: EventKey[],
  { attributes, consistent }: { attributes: string[]; consistent: boolean },
): Promise<Item[]> {
  const found: Item[] = [];
  // DynamoDB rejects a request with duplicate keys.
  const distinct = new Map(keys.map((key) => [rowName(key), keyItem(key)]));
  const pending = [...distinct.values()];
  let emptyAnswers = 0;
  while (pending.length > 0) {
    const { Responses: responses, UnprocessedKeys: unprocessed } = await dynamo.send(
      new BatchGetItemCommand({
        RequestItems: {
          [tableName]: {
            Keys: pending.splice(0, MAX_KEYS),
            ProjectionExpression: ["event_id", "event_timestamp", ...attributes].join(", "),
            ConsistentRead: consistent,
          },
        },
      }),
    );
    const rows = (responses?.[tableName] ?? []) as Item[];
    found.push(...rows);
    const left = (unprocessed?.[tableName]?.Keys ?? []) as typeof pending;
    if (left.length > 0) {
      emptyAnswers = rows.length > 0 ? 0 : emptyAnswers + 1;
      if (emptyAnswers === MAX_EMPTY_ANSWERS) {
        throw Object.assign(new Error("BatchGetItem leaves all keys unprocessed."), {
          name: "ProvisionedThroughputExceededException",
        });
      }
      pending.push(...left);
      await delay(Math.random() * UNPROCESSED_PAUSE_MS * 2 ** emptyAnswers);
    }
  }
  return found;
}

/** The events that have no row. Eventually consistent: one with a new row may be among them. */
export async function withoutRow<T extends EventKey>(store: EventStore, events: T[]): Promise<T[]> {
  const rows = await readRows(store, events, { attributes: [], consistent: false });
  const recorded = new Set(rows.map((row) => keyOf(row).event_id));
  return events.filter(({ event_id }) => !recorded.has(event_id));
}

/**
 * The events that still have this status, and a notice to publish: a published notification changes
 * the status, an alarm sets `alarmed_at`, and a failure with `no_alarm` gets none.
 */
export async function withoutNotice<T extends EventKey>(
  store: EventStore,
  status: "processed" | "failed",
  events: T[],
): Promise<T[]> {
  const attributes = ["event_status", "alarmed_at", "no_alarm"];
  const rows = await readRows(store, events, { attributes, consistent: true });
  const wanted = new Set(
    rows
      .filter(
        ({ event_status, alarmed_at, no_alarm }) =>
          event_status?.S === status && (status === "processed" || !(alarmed_at ?? no_alarm)),
      )
      .map((row) => rowName(keyOf(row))),
  );
  return events.filter((event) => wanted.has(rowName(event)));
}

function changeOf({ status, at }: Sample, row: Item | undefined): RowChange {
  if (row?.event_status?.S !== status || row.alarmed_at !== undefined) {
    return "changed";
  }
  const { updated_at: { S: updated = "" } = {}, redelivered_at: { S: redelivered = "" } = {} } =
    row;
  return at === updated || at === redelivered ? "same" : "other";
}

/** How redelivered rows have changed since; in order. Eventually consistent. */
export async function changesOf(store: EventStore, samples: Sample[]): Promise<RowChange[]> {
  const attributes = ["event_status", "updated_at", "redelivered_at", "alarmed_at"];
  const keys = samples.map(({ key }) => key);
  const rows = await readRows(store, keys, { attributes, consistent: false });
  const byName = new Map(rows.map((row) => [rowName(keyOf(row)), row]));
  return samples.map((sample) => changeOf(sample, byName.get(rowName(sample.key))));
}
