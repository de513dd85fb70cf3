import type { FileEvent } from "../../events/event";
import { withoutDirections } from "../../events/fileName";
import { fileNameOf } from "../../events/identity";

/** A message to publish to a topic. */
export interface Notice {
  /** At most 99 ASCII characters without line breaks: SNS's limit for subjects. */
  subject: string;
  message: string;
  /** The events that the message is about. */
  events: FileEvent[];
}

/** The texts of one kind of notice. */
export interface NoticeTemplate {
  /** The notice about a single event. */
  single: (event: FileEvent) => Notice;
  /** An event's entry in a digest. */
  entry: (event: FileEvent) => string;
  /** The notice about several events. */
  digest: (events: FileEvent[], entries: string[]) => Notice;
}

const MAX_SUBJECT_LENGTH = 99;

/** SNS's limit is 262,144 bytes. */
const MAX_MESSAGE_BYTES = 256_000;

/** Text for a subject: without accents, other letters as `?`. */
function asciiOf(text: string): string {
  return text
    .normalize("NFKD")
    .replace(/\p{M}/gu, "")
    .replace(/[^\x20-\x7e]/gu, "?");
}

/**
 * A name as JSON writes it: in quotes, with a backslash before its own quotes and backslashes, so that
 * no name looks like another one with text around it. A shortened one has dots after its quotes.
 *
 * @param name ASCII
 */
function quoted(name: string, length: number): string {
  const whole = JSON.stringify(name);
  if (whole.length <= length) {
    return whole;
  }
  let kept = name.slice(0, length - 5);
  while (JSON.stringify(kept).length > length - 3) {
    kept = kept.slice(0, -1);
  }
  return `${JSON.stringify(kept)}...`;
}

/**
 * Text of a key or an error for a mail. Line breaks are replaced, as they could imitate lines of the
 * mail, and characters of direction removed, as they could disguise a name's ending.
 */
export function oneLine(text: string): string {
  return withoutDirections(text)
    .toWellFormed()
    .replace(/[\p{Cc}\u2028\u2029]/gu, "\ufffd");
}

/** The file's name, on one line. */
export function nameOf({ event_info }: FileEvent): string {
  return oneLine(event_info.FileName ?? fileNameOf(event_info.Key));
}

export function locationOf({ event_info }: FileEvent): string {
  return oneLine(`s3://${event_info.Bucket}/${event_info.Key}`);
}

/** The entries of the file's metadata, such as `customer = 4711`. */
function metadataOf({ event_info }: FileEvent): string[] {
  return Object.entries(event_info.Metadata ?? {}).map(([name, value]) => `${name} = ${value}`);
}

/** What the uploader, or who made the link, said of the file: a fact for each entry, and the link. */
export function originFacts(event: FileEvent): [label: string, value: string | undefined][] {
  return [
    ...metadataOf(event).map((entry): [string, string] => ["Metadata", entry]),
    ["Link", event.link_id],
  ];
}

/** The same as lines of a digest. */
export function originLines(event: FileEvent): string[] {
  const entries = metadataOf(event).map((entry) => `metadata ${entry}`);
  return [...entries, ...(event.link_id === undefined ? [] : [`link ${event.link_id}`])].map(
    (entry) => oneLine(`  ${entry}`),
  );
}

/** The subject of a message about one file, such as `File processed: "cat.jpg"`. */
export function subjectOf(what: string, event: FileEvent): string {
  const label = `${what}: `;
  return label + quoted(asciiOf(nameOf(event)), MAX_SUBJECT_LENGTH - label.length);
}

/** A line for each known fact, and one only, with aligned values. */
export function factLines(facts: [label: string, value: string | undefined][]): string[] {
  return facts
    .filter(([, value]) => value !== undefined)
    .map(([label, value]) => oneLine(`${`${label}:`.padEnd(12)} ${value ?? ""}`));
}

/**
 * Makes the notices about events: one about a single event, or one digest. Several digests only if
 * one would be too long for SNS.
 */
export function composeNotices(
  events: FileEvent[],
  { single, entry, digest }: NoticeTemplate,
): Notice[] {
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
