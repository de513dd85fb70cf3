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

function stepOf({ last_error: error }: FileEvent): string {
  return error?.step ?? "unknown";
}

function errorOf({ last_error: error }: FileEvent): string {
  return oneLine(`${error?.code ?? "Error"}: ${error?.message ?? "no message"}`);
}

/** The status that a retry sets the event to. */
function failedFrom({ failed_from: status }: FileEvent): string {
  return status ?? "unknown";
}

const WHAT_TO_DO = [
  "What to do:",
  "1. Read the error. For details, search the step's log in CloudWatch for the event's id.",
  '   (Step "sweep": the event made no progress for too long; see the logs of the process and',
  "   notify Lambdas, and the dead-letter queue.)",
  "2. Fix the cause. The file is as it was uploaded, unless somebody has deleted it.",
  "3. To retry the event: the button Retry in the console (the stack's output consoleUrl),",
  "   POST /events/EVENT_ID/retry of the event manager, or npm run events -- retry EVENT_ID",
  "",
];

function singleAlarm(event: FileEvent): Notice {
  const facts = factLines([
    ["File", nameOf(event)],
    ["Step", stepOf(event)],
    ["Error", errorOf(event)],
    ["Failed from", failedFrom(event)],
    ...originFacts(event),
    ["Location", locationOf(event)],
    ["Event", event.event_id],
    ["Received", event.event_timestamp],
    ["Failed", event.updated_at],
  ]);
  return {
    subject: subjectOf("File failed", event),
    message: [
      "A stored file could not be processed completely.",
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
    oneLine(`  step ${stepOf(event)}, failed from ${failedFrom(event)}`),
    `  ${errorOf(event)}`,
    ...originLines(event),
    `  ${locationOf(event)}`,
    oneLine(
      `  event ${event.event_id}, received ${event.event_timestamp}, failed ${event.updated_at}`,
    ),
    "",
  ].join("\n");
}

function digestAlarm(events: FileEvent[], entries: string[]): Notice {
  return {
    subject: `${events.length} files failed`,
    message: [
      `${events.length} stored files could not be processed completely.`,
      "",
      ...WHAT_TO_DO,
      ...entries,
    ].join("\n"),
    events,
  };
}

/** The notices about failed events: what failed, why, and what to do. */
export function failureAlarms(events: FileEvent[]): Notice[] {
  return composeNotices(events, { single: singleAlarm, entry: digestEntry, digest: digestAlarm });
}
