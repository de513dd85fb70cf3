import type { FileEvent } from "../../events/event";
import { fileNameOf } from "../../events/identity";

/** One message for a topic. */
export interface Notice {
  /** At most 99 characters of ASCII, without line breaks: what SNS takes for a mail's subject. */
  subject: string;
  message: string;
  /** The events that the message tells of. */
  events: FileEvent[];
}

/** How events of one kind are told of. */
export interface Wording {
  /** The message for a single event. */
  single: (event: FileEvent) => Notice;
  /** What a digest says of one event. */
  entry: (event: FileEvent) => string;
  /** The message that puts the entries of several events together. */
  digest: (events: FileEvent[], entries: string[]) => Notice;
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

/** Shown on one line: a key may hold line breaks, which must not look like lines of the mail. */
export function oneLine(text: string): string {
  return text.toWellFormed().replace(/[\p{Cc}\u2028\u2029]/gu, "\ufffd");
}

/** What people would call the file, on one line. */
export function nameOf({ event_info }: FileEvent): string {
  return oneLine(event_info.FileName ?? fileNameOf(event_info.Key));
}

export function locationOf({ event_info }: FileEvent): string {
  return oneLine(`s3://${event_info.Bucket}/${event_info.Key}`);
}

/** The subject of a message about one file. */
export function subjectOf(what: string, event: FileEvent): string {
  return shorten(`${what}: ${asciiOf(nameOf(event))}`, MAX_SUBJECT_LENGTH);
}

/** One line for each fact that is known, with the values below each other. */
export function factLines(facts: [label: string, value: string | undefined][]): string[] {
  return facts
    .filter(([, value]) => value !== undefined)
    .map(([label, value]) => `${`${label}:`.padEnd(12)} ${value ?? ""}`);
}

/**
 * The messages that tell of these events: one for a single event, else one digest that lists them
 * all. Only a list too long for SNS is cut into several digests.
 */
export function worded(events: FileEvent[], { single, entry, digest }: Wording): Notice[] {
  const notices: Notice[] = [];
  let chunk: FileEvent[] = [];
  let entries: string[] = [];
  let bytes = 0;
  const flush = () => {
    const [first] = chunk;
    if (first) {
      notices.push(chunk.length === 1 ? single(first) : digest(chunk, entries));
    }
    chunk = [];
    entries = [];
    bytes = 0;
  };
  for (const event of events) {
    const text = entry(event);
    const textBytes = Buffer.byteLength(text) + 1;
    if (bytes + textBytes > MAX_MESSAGE_BYTES) {
      flush();
    }
    chunk.push(event);
    entries.push(text);
    bytes += textBytes;
  }
  flush();
  return notices;
}
