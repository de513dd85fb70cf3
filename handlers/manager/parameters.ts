import { EVENT_STATUSES, type EventStatus } from "../../events/event";
import { invalid, type Parameters } from "../../runtime/parameters";

/** RFC 3339 also has `t` and `z`. */
const DATE = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d))?$/i;

export function statusParameter({ status }: Parameters): EventStatus | undefined {
  if (status === undefined) {
    return undefined;
  }
  const known = EVENT_STATUSES.find((candidate) => candidate === status);
  if (known === undefined) {
    throw invalid("status", `"${status}" is no status. Known: ${EVENT_STATUSES.join(", ")}.`);
  }
  return known;
}

/** A UUID v7, as the ids of links are. */
const LINK_ID = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

export function linkIdParameter({ link_id: linkId }: Parameters): string | undefined {
  if (linkId !== undefined && !LINK_ID.test(linkId)) {
    throw invalid(
      "link_id",
      `"${linkId.slice(0, 100)}" is no link's id: a UUID v7 in lower case, as POST /links answers with it.`,
    );
  }
  return linkId;
}

/** Whether it is ISO 8601 with an existing day: JavaScript accepts the 31st of any month. */
function isDate(text: string): boolean {
  const [year = 0, month = 0, day = 0] = text.slice(0, 10).split("-").map(Number);
  return DATE.test(text) && day <= new Date(Date.UTC(year, month, 0)).getUTCDate();
}

/** Characters of an `event_timestamp`; later years than 9999 have more, and do not sort. */
const TIME_LENGTH = 24;

/** A time in the format of `event_timestamp`: ISO 8601, UTC, milliseconds. */
export function timeParameter(parameters: Parameters, name: "from" | "to"): string | undefined {
  const text = parameters[name];
  if (text === undefined) {
    return undefined;
  }
  const time = isDate(text) ? new Date(text.toUpperCase()).toJSON() : undefined;
  if (time?.length !== TIME_LENGTH) {
    throw invalid(
      name,
      `"${text}" is no time in ISO 8601, such as 2026-11-21 or 2026-11-21T20:00:00Z.` +
        (/\d \d/.test(text) ? " (In a URL, a plus sign has to be written as %2B.)" : ""),
    );
  }
  return time;
}

export function orderParameter({ order = "desc" }: Parameters): "asc" | "desc" {
  if (order !== "asc" && order !== "desc") {
    throw invalid("order", `"${order}" is no order. Known: asc (oldest first), desc.`);
  }
  return order;
}

export function limitParameter({ limit }: Parameters, fallback: number, most: number): number {
  if (limit === undefined) {
    return fallback;
  }
  const value = Number(limit);
  if (!/^\d{1,6}$/.test(limit) || value < 1 || value > most) {
    throw invalid("limit", `"${limit}" is no whole number from 1 to ${most}.`);
  }
  return value;
}

export function booleanParameter(parameters: Parameters, name: string): boolean {
  const value = parameters[name] ?? "false";
  if (value !== "true" && value !== "false") {
    throw invalid(name, `"${value}" is neither true nor false.`);
  }
  return value === "true";
}
