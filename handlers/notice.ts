import type { FileEvent } from "../events/event";
import { fileNameOf } from "../events/identity";

/** One message for the topic. */
export interface Notice {
  /** At most 99 characters of ASCII, without line breaks: what SNS takes for a mail's subject. */
  subject: string;
  message: string;
  /** The events that the message tells of. */
  events: FileEvent[];
}

const MAX_SUBJECT_LENGTH = 99;

/** SNS takes 262,144 bytes. */
const MAX_MESSAGE_BYTES = 256_000;

/** A file name as it can stand in a subject: accents dropped, other letters as `?`. */
function asciiOf(text: string): string {
  return text
    .normalize("NFKD")
    .replace(/\p{M}/gu, "")
    .replace(/[^\x20-\x7e]/gu, "?");
}

function shorten(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 3)}...`;
}

function nameOf({ event_info }: FileEvent): string {
  return event_info.FileName ?? fileNameOf(event_info.Key);
}

/** Shown on one line: a key may hold line breaks, which must not look like lines of the mail. */
function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\u2028\u2029]/gu, "\ufffd");
}

function sizeText(bytes: number): string {
  if (bytes < 1000) {
    return `${bytes} bytes`;
  }
  const units = ["kB", "MB", "GB", "TB"];
  let value = bytes / 1000;
  let unit = 0;
  while (value >= 999.95 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${value.toFixed(1)} ${units[unit] ?? ""} (${bytes} bytes)`;
}

function typeText({ event_result: result }: FileEvent): string {
  const type = result?.type ?? "unknown";
  return result?.declared_type === undefined
    ? type
    : `${type} (the uploader said ${result.declared_type})`;
}

function dimensionsText({ event_result: result }: FileEvent): string | undefined {
  return result?.width === undefined || result.height === undefined
    ? undefined
    : `${result.width} x ${result.height} pixels`;
}

function sizeOf({ event_info, event_result }: FileEvent): string {
  return sizeText(event_result?.size ?? event_info.Size ?? 0);
}

function locationOf({ event_info }: FileEvent): string {
  return oneLine(`s3://${event_info.Bucket}/${event_info.Key}`);
}

function singleNotice(event: FileEvent): Notice {
  const { event_result: result } = event;
  const name = nameOf(event);
  const facts: [string, string | undefined][] = [
    ["File", oneLine(name)],
    ["Type", typeText(event)],
    ["Size", sizeOf(event)],
    ["Dimensions", dimensionsText(event)],
    [result?.checksum_algorithm ?? "Checksum", result?.checksum],
    ["Location", locationOf(event)],
    ["Event", event.event_id],
    ["Received", event.event_timestamp],
    ["Processed", event.updated_at],
  ];
  const lines = facts
    .filter(([, value]) => value !== undefined)
    .map(([label, value]) => `${`${label}:`.padEnd(12)} ${value ?? ""}`);
  return {
    subject: shorten(`File processed: ${asciiOf(oneLine(name))}`, MAX_SUBJECT_LENGTH),
    message: ["A file was stored and processed.", "", ...lines, ""].join("\n"),
    events: [event],
  };
}

function digestEntry(event: FileEvent): string {
  const facts = [typeText(event), sizeOf(event), dimensionsText(event)];
  return [
    oneLine(nameOf(event)),
    `  ${facts.filter((fact) => fact !== undefined).join(", ")}`,
    `  ${locationOf(event)}`,
    `  event ${event.event_id}, received ${event.event_timestamp}, processed ${event.updated_at}`,
    "",
  ].join("\n");
}

function digestNotice(events: FileEvent[], entries: string[]): Notice {
  return {
    subject: `${events.length} files processed`,
    message: [`${events.length} files were stored and processed.`, "", ...entries].join("\n"),
    events,
  };
}

/**
 * Words the messages that tell of these events: one for a single file, else one digest that lists
 * them all. Only a list too long for SNS is cut into several digests.
 */
export function noticesFor(events: FileEvent[]): Notice[] {
  const notices: Notice[] = [];
  let chunk: FileEvent[] = [];
  let entries: string[] = [];
  let bytes = 0;
  const flush = () => {
    const [first] = chunk;
    if (first) {
      notices.push(chunk.length === 1 ? singleNotice(first) : digestNotice(chunk, entries));
    }
    chunk = [];
    entries = [];
    bytes = 0;
  };
  for (const event of events) {
    const entry = digestEntry(event);
    const entryBytes = Buffer.byteLength(entry) + 1;
    if (bytes + entryBytes > MAX_MESSAGE_BYTES) {
      flush();
    }
    chunk.push(event);
    entries.push(entry);
    bytes += entryBytes;
  }
  flush();
  return notices;
}
