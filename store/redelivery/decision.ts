/**
 * When the sweeper redelivers an event that makes no progress. An event that only waits in the table's
 * stream is left alone: a redelivery would be one more record behind the same backlog.
 */
import type { EventKey, EventStatus } from "../../events/event";

/** How far a Lambda has come in the table's stream. */
export interface Position {
  /**
   * ISO 8601: the Lambda has finished or given up all that was written before. Empty text: not known.
   */
  passed: string;
  /**
   * As `passed`, without regard to shards that pause and to batches under way: enough to tell whether
   * redelivered events wait behind a backlog.
   */
  reached: string;
  /** Whether it was invoked lately, so that it gets to what it has not passed yet. */
  isActive: boolean;
}

/** What decides on an event's redelivery. */
export interface Redeliverable {
  key: EventKey;
  status: EventStatus;
  /** Redeliveries that count. */
  attempts: number;
  /** ISO 8601. */
  updated_at: string;
  /** ISO 8601; of a `failed` event, whose `updated_at` is the time of its failure. */
  redelivered_at?: string;
}

/** The settings of the same names. */
export interface RedeliverySettings {
  stuckSeconds: number;
  maxAttempts: number;
}

/**
 * - `wait`: it is too early, or the Lambda has not come to the event;
 * - `count`: the Lambda has passed the event without effect; the redelivery is an attempt;
 * - `probe`: the Lambda was not invoked since the event was written; the redelivery shows whether it
 *   is idle or out of order, and is no attempt;
 * - `giveUp`: the Lambda has passed the last attempt, too.
 */
export type Decision = "wait" | "count" | "probe" | "giveUp";

/** At most this part of a delay is added, so that events of one outage do not come back at once. */
const JITTER = 0.1;

/** From 0 to 1, by the random end of the event's id. */
function jitterOf({ event_id }: EventKey): number {
  return (parseInt(event_id.slice(-4), 16) >>> 0) / 0xffff;
}

/** When the event was last written to the stream; ISO 8601. */
export function deliveredAt({ updated_at, redelivered_at = "" }: Redeliverable): string {
  return redelivered_at > updated_at ? redelivered_at : updated_at;
}

/**
 * Seconds from an event's last delivery to the next one: doubled with each attempt. After the last
 * attempt, it is as long as before the first. For a failure whose alarm is missing, it is as long as
 * the failure is old.
 */
export function delaySeconds(
  event: Redeliverable,
  { stuckSeconds, maxAttempts }: RedeliverySettings,
): number {
  const { status, attempts, updated_at } = event;
  const spread = 1 + JITTER * jitterOf(event.key);
  if (status === "failed") {
    const age = (Date.parse(deliveredAt(event)) - Date.parse(updated_at)) / 1000;
    return Math.max(stuckSeconds, age) * spread;
  }
  return stuckSeconds * (attempts < maxAttempts ? 2 ** attempts : 1) * spread;
}

/** @param now milliseconds since 1970 */
export function decide(
  event: Redeliverable,
  { passed, isActive }: Position,
  settings: RedeliverySettings,
  now: number,
): Decision {
  const delivered = deliveredAt(event);
  if (now < Date.parse(delivered) + delaySeconds(event, settings) * 1000) {
    return "wait";
  }
  if (delivered < passed) {
    const isLast = event.status !== "failed" && event.attempts >= settings.maxAttempts;
    return isLast ? "giveUp" : "count";
  }
  return isActive ? "wait" : "probe";
}
