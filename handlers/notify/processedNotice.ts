import type { FileEvent } from "../../events/event";
import {
  composeNotices,
  factLines,
  locationOf,
  nameOf,
  type Notice,
  oneLine,
  originFacts,
  originLines,
  subjectOf,
} from "./message";

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

function singleNotice(event: FileEvent): Notice {
  const { event_result: result } = event;
  const facts = factLines([
    ["File", nameOf(event)],
    ["Type", typeText(event)],
    ["Size", sizeOf(event)],
    ["Dimensions", dimensionsText(event)],
    [result?.checksum_algorithm ?? "Checksum", result?.checksum],
    ...originFacts(event),
    ["Location", locationOf(event)],
    ["Event", event.event_id],
    ["Received", event.event_timestamp],
    ["Processed", event.updated_at],
  ]);
  return {
    subject: subjectOf("File processed", event),
    message: ["A file was stored and processed.", "", ...facts, ""].join("\n"),
    events: [event],
  };
}

function digestEntry(event: FileEvent): string {
  const facts = [typeText(event), sizeOf(event), dimensionsText(event)];
  return [
    nameOf(event),
    oneLine(`  ${facts.filter((fact) => fact !== undefined).join(", ")}`),
    ...originLines(event),
    `  ${locationOf(event)}`,
    oneLine(
      `  event ${event.event_id}, received ${event.event_timestamp}, processed ${event.updated_at}`,
    ),
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

/** The notices about processed events. */
export function processedNotices(events: FileEvent[]): Notice[] {
  return composeNotices(events, { single: singleNotice, entry: digestEntry, digest: digestNotice });
}
