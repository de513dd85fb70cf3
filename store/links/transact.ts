import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { type TransactWriteItem, TransactWriteItemsCommand } from "@aws-sdk/client-dynamodb";
import { cancellationsOf, isTransient } from "../../runtime/awsErrors";
import { httpError } from "../../runtime/http";
import type { LinkStore } from "./linkStore";

/** Milliseconds after which a write is given up that others keep from its item. */
const PATIENCE_MS = 10_000;

/** Milliseconds: the longest pause after the first try, and after any. */
const FIRST_PAUSE_MS = 30;
const LONGEST_PAUSE_MS = 1000;

/** Of each longest pause to the one before. */
const PAUSE_GROWTH = 1.6;

/** Why DynamoDB cancels a transaction that would go through at another moment. */
const PASSING = ["TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"];

/** Of a single write, while a transaction is at work on its item. The SDK does not repeat it. */
const CONFLICT = "TransactionConflictException";

function isPassing(error: unknown): boolean {
  return (
    (error instanceof Error && error.name === CONFLICT) ||
    cancellationsOf(error).some((code) => code !== undefined && PASSING.includes(code))
  );
}

/**
 * Tries a write again while others hold its items. All who use one link at once meet at the link's row, where
 * DynamoDB lets one transaction through and cancels those that come meanwhile, so the pauses are random in
 * all their length, and grow.
 *
 * @throws the write's error, or an `HttpError` 503 after ten seconds
 */
async function untilAlone<T>(write: () => Promise<T>): Promise<T> {
  const givenUpAt = Date.now() + PATIENCE_MS;
  for (
    let longest = FIRST_PAUSE_MS;
    ;
    longest = Math.min(longest * PAUSE_GROWTH, LONGEST_PAUSE_MS)
  ) {
    try {
      return await write();
    } catch (error) {
      if (!isPassing(error)) {
        throw error;
      }
    }
    const pause = Math.random() * longest;
    if (Date.now() + pause > givenUpAt) {
      throw httpError(
        503,
        "link_busy",
        "Too many files are being sent through this link at once. Try again.",
        { "Retry-After": "2" },
      );
    }
    await delay(pause);
  }
}

/** Sends a transaction, once more with its token where it is unknown whether it took effect. */
async function transactOnce({ dynamo }: LinkStore, items: TransactWriteItem[]): Promise<void> {
  const ClientRequestToken = randomUUID();
  const command = () => new TransactWriteItemsCommand({ TransactItems: items, ClientRequestToken });
  try {
    await dynamo.send(command());
  } catch (error) {
    if (!isTransient(error)) {
      throw error;
    }
    await dynamo.send(command());
  }
}

/**
 * Writes all of the items, or none.
 *
 * @returns for each item, whether it was its condition that kept them from being written; undefined: they
 *   are written
 * @throws an `HttpError` 503 where others hold the items for ten seconds
 */
export async function transact(
  store: LinkStore,
  items: TransactWriteItem[],
): Promise<boolean[] | undefined> {
  return untilAlone(async () => {
    try {
      await transactOnce(store, items);
      return undefined;
    } catch (error) {
      const refused = cancellationsOf(error).map((code) => code === "ConditionalCheckFailed");
      if (refused.includes(true)) {
        return refused;
      }
      throw error;
    }
  });
}

/**
 * Writes one item, as `transact` does.
 *
 * @returns whether its condition was true
 */
export async function unlessRefused(write: () => Promise<unknown>): Promise<boolean> {
  return untilAlone(async () => {
    try {
      await write();
      return true;
    } catch (error) {
      if (error instanceof Error && error.name === "ConditionalCheckFailedException") {
        return false;
      }
      throw error;
    }
  });
}
