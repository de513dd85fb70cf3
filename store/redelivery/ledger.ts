import type { EventKey, EventStatus } from "../../events/event";
import { countsKey, type CountsTable, readItems, updateItem } from "../counts/countsTable";

/** A redelivered row, and what it was then. */
export interface Sample {
  key: EventKey;
  status: EventStatus;
  /** ISO 8601; when it was redelivered: its version. */
  at: string;
}

/** What is known of earlier redeliveries, in one item of the table of counts. */
export interface Ledger {
  /** Redelivered rows that may be outstanding at a time. */
  budget: number;
  /** Redelivered rows since the last adaptation, and those outstanding then. */
  outstanding: number;
  /** ISO 8601; of the last adaptation. Empty text: none yet. */
  adapted_at: string;
  /** At most 100 of the outstanding rows. */
  samples: Sample[];
  /** ISO 8601; up to where the Lambda had come. Empty text: not known. */
  passed: string;
  /** ISO 8601; when operators were told that the Lambda is silent. Empty text: it is not. */
  silent_since: string;
}

/** A ledger, and its number by which concurrent writers notice each other. */
export interface StoredLedger {
  ledger: Ledger;
  /** undefined: there is no item. */
  revision: number | undefined;
}

/** Fewest redelivered rows that may be outstanding: enough to find out whether they advance. */
export const MIN_BUDGET = 16;

const FIRST_BUDGET = 256;

const NEW_LEDGER: Ledger = {
  budget: FIRST_BUDGET,
  outstanding: 0,
  adapted_at: "",
  samples: [],
  passed: "",
  silent_since: "",
};

/** @param name of the ledger, such as the Lambda's statuses */
export async function readLedger(table: CountsTable, name: string): Promise<StoredLedger> {
  const [item] = await readItems(table, "redelivery", { from: name, to: name });
  const stored = item?.ledger?.S;
  return {
    ledger: { ...NEW_LEDGER, ...(stored && (JSON.parse(stored) as Ledger)) },
    revision: item?.revision?.N === undefined ? undefined : Number(item.revision.N),
  };
}

/** @returns whether this call wrote it; false: it has changed since it was read */
export function writeLedger(
  table: CountsTable,
  name: string,
  { ledger, revision }: StoredLedger,
): Promise<boolean> {
  return updateItem(table, countsKey("redelivery", name), {
    update: "SET ledger = :ledger, revision = :next",
    condition: revision === undefined ? "attribute_not_exists(kind)" : "revision = :revision",
    values: {
      ledger: { S: JSON.stringify(ledger) },
      next: { N: String((revision ?? 0) + 1) },
      ...(revision !== undefined && { revision: { N: String(revision) } }),
    },
  });
}
