import type { FileEvent } from "../../events/event";
import { factLines, locationOf, nameOf, type Notice, oneLine, subjectOf, worded } from "./message";

function stepOf({ last_error: error }: FileEvent): string {
  return error?.step ?? "unknown";
}

function errorOf({ last_error: error }: FileEvent): string {
  return oneLine(`${error?.code ?? "Error"}: ${error?.message ?? "no message"}`);
}

/** What the event was in when it failed, for which a retry sets it back. */
function failedFrom({ failed_from: status }: FileEvent): string {
  return status ?? "unknown";
}

const WHAT_TO_DO = [
  "What to do:",
  "1. Read the error. The step's log in CloudWatch has it under the event's id, with what led",
  '   to it. (Step "sweep": the event stood still for too long; look at the logs of the process',
  "   and notify Lambdas, and at the dead-letter queue.)",
  "2. Put right what it names. The file itself has not been touched.",
  "3. To run the event again, have the event manager retry it: POST /events/EVENT_ID/retry, or",
  "   npm run events -- retry EVENT_ID",
  "",
];

function singleAlarm(event: FileEvent): Notice {
  const facts = factLines([
    ["File", nameOf(event)],
    ["Step", stepOf(event)],
    ["Error", errorOf(event)],
    ["Failed from", failedFrom(event)],
    ["Location", locationOf(event)],
    ["Event", event.event_id],
    ["Received", event.event_timestamp],
    ["Failed", event.updated_at],
  ]);
  return {
    subject: subjectOf("File failed", event),
    message: [
      "A stored file could not be brought to its end.",
      "",
      ...facts,
      "",
      ...WHAT_TO_DO,
    ].join("\n"),
    events: [event],
  };
}

function digestEntry(event: FileEvent): string {
  return [
    nameOf(event),
    `  step ${stepOf(event)}, failed from ${failedFrom(event)}`,
    `  ${errorOf(event)}`,
    `  ${locationOf(event)}`,
    `  event ${event.event_id}, received ${event.event_timestamp}, failed ${event.updated_at}`,
    "",
  ].join("\n");
}

function digestAlarm(events: FileEvent[], entries: string[]): Notice {
  return {
    subject: `${events.length} files failed`,
    message: [
      `${events.length} stored files could not be brought to their end.`,
      "",
      ...WHAT_TO_DO,
      ...entries,
    ].join("\n"),
    events,
  };
}

/** Words the messages that tell operations of `failed` events: what failed, why, what to do. */
export function alarmsFor(events: FileEvent[]): Notice[] {
  return worded(events, { single: singleAlarm, entry: digestEntry, digest: digestAlarm });
}
