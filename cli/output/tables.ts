import Table from "cli-table3";
import type { FileEvent } from "../../events/event";
import type { Metadata } from "../../events/metadata";
import type { EventDetails, Stats } from "../manager/answers";
import { plainText } from "./plainText";
import { formatBytes, formatSeconds } from "./units";

/** Fixed widths, so that all pages of a list align. The last column takes what is left. */
const EVENT_COLUMNS = [
  { head: "time (UTC)", width: 21 },
  { head: "status", width: 11 },
  { head: "id", width: 38 },
  { head: "size", width: 10 },
  { head: "type", width: 27 },
  { head: "file name", width: 34 },
  { head: "error", width: 30 },
];

/** The columns that a narrow terminal has no place for, in this order. An error is then a line. */
const DISPENSABLE = ["error", "type", "size", "time (UTC)"];

/** Of a file name, where it is the last column. */
const LEAST_WIDTH = 12;

const BORDERS = [
  ...["top", "top-mid", "top-left", "top-right"],
  ...["bottom", "bottom-mid", "bottom-left", "bottom-right"],
  ...["left", "left-mid", "mid", "mid-mid", "right", "right-mid", "middle"],
];

/** @param colWidths null: as wide as it has to be */
export function tableLines(rows: string[][], colWidths: (number | null)[] = []): string[] {
  const table = new Table({
    chars: Object.fromEntries(BORDERS.map((name) => [name, ""])),
    style: { "padding-left": 0, "padding-right": 2, head: [], border: [] },
    // The table fills in what is null.
    colWidths: [...colWidths],
  });
  table.push(...rows);
  return table
    .toString()
    .split("\n")
    .map((line) => line.trimEnd());
}

function timeOf(timestamp: string): string {
  return timestamp.slice(0, 19).replace("T", " ");
}

/** Such as `2026-11-26 09:32`. */
export function minuteOf(timestamp: string): string {
  return timeOf(timestamp).slice(0, 16);
}

function rowOf({ event_result, event_info, ...event }: FileEvent): string[] {
  const size = event_result?.size ?? event_info.Size;
  return [
    timeOf(event.event_timestamp),
    event.event_status,
    event.event_id,
    size === undefined ? "" : formatBytes(size),
    event_result?.type ?? event_info.ContentType ?? "",
    event_info.FileName ?? event_info.Key,
    errorOf(event),
  ].map(plainText);
}

function errorOf({ event_status, last_error }: Pick<FileEvent, "event_status" | "last_error">) {
  const hasError = last_error !== undefined && event_status === "failed";
  return hasError ? `${last_error.code}: ${last_error.message}` : "";
}

/**
 * The lines of one page of events.
 *
 * @param width characters of the terminal @default every line is as long as it has to be
 */
export function eventLines(events: FileEvent[], withHead: boolean, width = Infinity): string[] {
  const columns = columnsIn(width);
  const widths = columns.map((column, index) => {
    const isLast = index === columns.length - 1;
    return isLast ? widthOfLast(columns, width) : column.width;
  });
  const cellsOf = (row: string[]) =>
    columns.map((column) => row[EVENT_COLUMNS.indexOf(column)] ?? "");
  const hasErrors = columns.some(({ head }) => head === "error");
  const lines = withHead ? tableLines([columns.map(({ head }) => head)], widths) : [];
  for (const event of events) {
    lines.push(...tableLines([cellsOf(rowOf(event))], widths));
    const error = errorOf(event);
    if (error !== "" && !hasErrors) {
      lines.push(...tableLines([[plainText(`  ${error}`)]], [width]));
    }
  }
  return lines;
}

function columnsIn(width: number): typeof EVENT_COLUMNS {
  let columns = EVENT_COLUMNS;
  for (const head of DISPENSABLE) {
    const last = columns.at(-1);
    const spare = last?.head === "file name" ? last.width - LEAST_WIDTH : 0;
    if (sumOf(columns) - spare > width) {
      columns = columns.filter((column) => column.head !== head);
    }
  }
  return columns;
}

function widthOfLast(columns: typeof EVENT_COLUMNS, width: number): number | null {
  const others = sumOf(columns.slice(0, -1));
  return Number.isFinite(width) ? Math.max(1, width - others) : null;
}

function sumOf(columns: typeof EVENT_COLUMNS): number {
  return columns.reduce((sum, { width }) => sum + width, 0);
}

type Pair = [name: string, value: unknown];

/** A line for each value that there is. */
export function pairLines(pairs: Pair[]): string[] {
  return tableLines(
    pairs
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => [name, String(value)].map(plainText)),
  );
}

export function metadataPairs(metadata: Metadata = {}): Pair[] {
  return Object.entries(metadata).map(([name, value]) => [`metadata: ${name}`, value]);
}

function lastErrorPairs({ last_error, failed_from }: FileEvent): Pair[] {
  return last_error
    ? [
        ["error", `${last_error.code}: ${last_error.message}`],
        ["error's step", last_error.step],
        ["failed from", failed_from],
      ]
    : [];
}

/** A line for each entry of the history, such as `processed at 2026-11-26 10:15:31.5, by process`. */
function historyPairs({ event_history = [] }: FileEvent): Pair[] {
  return event_history.map(({ status, time, function: by, attempt, code }, index) => {
    const redelivery = by === "sweep" && code === undefined ? ` (redelivery ${attempt ?? ""})` : "";
    const reason = code === undefined ? "" : `: ${code}`;
    const at = time.replace("T", " ").replace("Z", "");
    return [index === 0 ? "history" : "", `${at}  ${status} by ${by}${redelivery}${reason}`];
  });
}

/** Such as `uploaded 0.4 s, processed 1.2 s`. */
function timesPairs({ seconds_in_status }: EventDetails): Pair[] {
  const times = Object.entries(seconds_in_status ?? {});
  return times.length === 0
    ? []
    : [["time spent", times.map(([status, seconds]) => `${status} ${seconds} s`).join(", ")]];
}

/** One event with all its attributes, a line each. */
export function detailLines(details: EventDetails): string[] {
  const { event, download, no_download } = details;
  const { event_info: info, event_result: result = {} } = event;
  const pairs: Pair[] = [
    ["id", event.event_id],
    ["time", event.event_timestamp],
    ["status", event.event_status],
    ...lastErrorPairs(event),
    ["file name", info.FileName],
    ["declared type", info.ContentType],
    ["stored size", info.Size === undefined ? undefined : `${info.Size} bytes`],
    ["bucket", info.Bucket],
    ["key", info.Key],
    ["version", info.VersionId],
    ["ETag", info.ETag],
    ["stored checksum", info.Checksum],
    ["upload link", event.link_id],
    ...metadataPairs(info.Metadata),
    ...Object.entries(result).map(([name, value]): Pair => [`result: ${name}`, value]),
    ["attempts", event.attempts],
    ["alarmed at", event.alarmed_at],
    ["updated at", event.updated_at],
    ...historyPairs(event),
    ...timesPairs(details),
    ["download", download?.url ?? (no_download && `none: ${no_download.message}`)],
    ["link ends at", download?.expires_at],
  ];
  return pairLines(pairs);
}

/** The number of events in each status, and the oldest unfinished event. */
export function statsLines({ counts, total, oldest_unfinished: oldest }: Stats): string[] {
  const rows = [...Object.entries(counts), ["total", total]].map((row) => row.map(String));
  return [
    ...tableLines([["status", "events"], ...rows]),
    "",
    oldest
      ? `Oldest unfinished: ${oldest.event_id}, ${oldest.event_status}, begun ` +
        `${formatSeconds(oldest.age_seconds)} ago.`
      : "All events are finished.",
  ];
}
