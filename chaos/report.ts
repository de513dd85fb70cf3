import type { FileEvent } from "../events/event";
import type { UploadOutcome } from "./clients/client";
import { duplicatesOf } from "./invariants/duplicates";
import type { Violation } from "./invariants/violation";
import { count, type Counts } from "./observe/observer";
import { workText } from "./rest";
import type { ChaosResult, Outcome } from "./run";
import type { Moment } from "./world";

/** Events of a violation that are listed, with their histories. */
const SHOWN_EVENTS = 5;

function countText(counts: Counts): string {
  const parts = Object.entries(counts)
    .toSorted(([a], [b]) => a.localeCompare(b))
    .map(([name, count]) => `${name} ${count}`);
  return parts.length === 0 ? "none" : parts.join(", ");
}

function countBy<T>(values: Iterable<T>, nameOf: (value: T) => string): Counts {
  const counts: Counts = {};
  for (const value of values) {
    count(counts, nameOf(value));
  }
  return counts;
}

/** Counts of the clients' outcomes. */
function outcomeCounts(outcomes: Iterable<UploadOutcome>) {
  const counts = { sent: 0, retries: 0, abandoned: 0, overwritten: 0, deleted: 0, late: 0 };
  const ways: Counts = {};
  for (const { upload, tries, error, writes = [], isDeleted, lateWrites } of outcomes) {
    count(ways, upload.way);
    counts.sent += 1;
    counts.retries += tries - 1;
    counts.abandoned += error === undefined ? 0 : 1;
    counts.overwritten += writes.length > 1 ? 1 : 0;
    counts.deleted += isDeleted ? 1 : 0;
    counts.late += lateWrites ?? 0;
  }
  return { ...counts, ways };
}

/** Counts of the rows. */
function rowCounts(rows: Iterable<FileEvent>) {
  const statuses: Counts = {};
  const failures: Counts = {};
  const counts = { rows: 0, swept: 0, mostAttempts: 0 };
  for (const { event_status, last_error, attempts } of rows) {
    counts.rows += 1;
    count(statuses, event_status);
    if (event_status === "failed") {
      count(failures, `${last_error?.step ?? "?"} ${last_error?.code ?? "?"}`);
    }
    counts.swept += attempts === undefined ? 0 : 1;
    counts.mostAttempts = Math.max(counts.mostAttempts, attempts ?? 0);
  }
  return { ...counts, statuses, failures };
}

/** The figures of a run, a line each. */
export function tableOf(result: ChaosResult): string {
  const { options, world, observer, faults, quietUnderFaults, milliseconds } = result;
  const clients = outcomeCounts(world.outcomes);
  const rows = rowCounts(world.rows);
  const { sweep: sweeps = 0, ...invocations } = observer.invocations;
  const duplicates = duplicatesOf(world.moments);
  const seconds = milliseconds / 1000;
  const lines: [string, string][] = [
    ["uploads", `${clients.sent} (${countText(clients.ways)}), retries ${clients.retries}`],
    ["abandoned by client", `${clients.abandoned}`],
    ["overwritten", `${clients.overwritten}`],
    ["deleted", `${clients.deleted}, sent again ${clients.late}`],
    ["objects written", `${observer.writes}`],
    ["rows", `${rows.rows}`],
    ["statuses", countText(rows.statuses)],
    ["failed, by reason", countText(rows.failures)],
    ["mails", `${observer.mails}`],
    [
      "published twice",
      countText(countBy(duplicates, ({ topic, cause }) => `${topic}, ${cause}:`)),
    ],
    ["invocations", countText(invocations)],
    ["failed invocations", countText(observer.failedInvocations)],
    ["faults injected", countText(faults.injected)],
    [
      "crashes",
      countText(
        countBy(
          faults.crashes,
          ({ functionName, when, operation }) => `${functionName} ${when} ${operation}:`,
        ),
      ),
    ],
    ["async retries", `${observer.asyncRetries}`],
    ["records redelivered", `${observer.redeliveredRecords}`],
    [
      "dead letters left",
      countText(
        countBy(
          world.deadLetters as { requestContext?: { condition?: string } }[],
          (letter) => letter.requestContext?.condition ?? "other",
        ),
      ),
    ],
    ["sweeps", `${sweeps}`],
    ["retried by sweeps", `${rows.swept} rows, at most ${rows.mostAttempts} times each`],
    ["finished", finishedText(result.outcome, quietUnderFaults)],
    ["time", `${seconds.toFixed(1)} s, ${(observer.finished / seconds).toFixed(1)} events/s`],
    ["memory", `at most ${Math.round(result.peakBytes / 1e6)} MB`],
    ["seed", `${options.seed}`],
  ];
  const title = `chaos: ${options.uploads} uploads, faults ${options.faults}`;
  return [title, ...lines.map(([name, text]) => `  ${name.padEnd(20)}${text}`)].join("\n");
}

function finishedText(outcome: Outcome, quietUnderFaults: boolean): string {
  if (outcome === "notDrained") {
    return "no";
  }
  return quietUnderFaults ? "under faults" : "after the faults were stopped";
}

/** Keys may have 1,000 characters. */
const SHOWN_CHARACTERS = 80;

function shortened(_name: string, value: unknown): unknown {
  return typeof value === "string" && value.length > SHOWN_CHARACTERS
    ? `${value.slice(0, SHOWN_CHARACTERS)}…`
    : value;
}

function stepOf(moment: Moment, eventId: string): string | undefined {
  switch (moment.kind) {
    case "status":
      return moment.eventId === eventId ? moment.to : undefined;
    case "published":
      return moment.eventIds.includes(eventId) ? `mail (${moment.topic})` : undefined;
    case "invoked":
      return moment.images.some((image) => image.eventId === eventId)
        ? `-> ${moment.functionName}`
        : undefined;
    case "died":
      return `[${moment.functionName} died: ${moment.outcome}]`;
    case "stored":
    case "acknowledged":
      return undefined;
  }
}

function historyOf({ world }: ChaosResult, eventId: string): string {
  let text = "no row";
  for (const row of world.rows) {
    if (row.event_id === eventId) {
      text = JSON.stringify(row, shortened);
    }
  }
  const steps: string[] = [];
  for (const moment of world.moments) {
    const step = stepOf(moment, eventId);
    if (step !== undefined) {
      steps.push(step);
    }
  }
  return `    ${eventId}: ${steps.join(", ")}\n      ${text}`;
}

function violationText(result: ChaosResult, { invariant, message, eventIds }: Violation): string {
  const shown = eventIds.slice(0, SHOWN_EVENTS);
  const more = eventIds.length > shown.length ? `, and ${eventIds.length - shown.length} more` : "";
  return [
    `Invariant ${invariant} is broken: ${eventIds.length} ${message}: ${shown.join(", ")}${more}`,
    ...shown.map((eventId) => historyOf(result, eventId.split(" ", 1)[0] ?? "")),
  ].join("\n");
}

function repeatText({ options }: ChaosResult): string {
  const { uploads, seed, faults, clients } = options;
  return (
    `Seed ${seed}. Repeat: npm run chaos -- ` +
    `--uploads ${uploads} --seed ${seed} --faults ${faults} --clients ${clients}`
  );
}

function brokenText(result: ChaosResult): string {
  const [first, ...others] = result.broken;
  return [
    ...(first ? [violationText(result, first)] : []),
    ...others.map(
      ({ invariant, message, eventIds }) => `Also: ${invariant}: ${eventIds.length} ${message}`,
    ),
  ].join("\n");
}

function givenUpText(result: ChaosResult): string {
  const { givenUp } = result;
  const shown = givenUp.slice(0, SHOWN_EVENTS);
  return [
    `Given up: every invariant holds, but ${givenUp.length} events failed that nothing was wrong ` +
      `with: ${shown.join(", ")}${givenUp.length > shown.length ? ", …" : ""}`,
    ...shown.map((text) => historyOf(result, text.split(" ", 1)[0] ?? "")),
  ].join("\n");
}

function notDrainedText({ observer, work, lastRate, options }: ChaosResult): string {
  const { events, finished } = observer;
  return (
    `Not drained, so nothing was compared: ${finished} of ${events} events are settled, ` +
    `${(lastRate * 60).toFixed(0)} in the last minute. Left: ${workText(work)}. ` +
    `A wait ends ${options.patienceMs / 1000} s after the last progress (--wait)` +
    (options.limitMs === undefined ? "." : ", and the run after --limit.")
  );
}

/**
 * The outcome: the first broken invariant with its events' histories, the events that were given up, or
 * what is left to do; and the command to repeat the run.
 */
export function verdictOf(result: ChaosResult): string {
  switch (result.outcome) {
    case "held":
      return "Every invariant holds.";
    case "broken":
      return `${brokenText(result)}\n${repeatText(result)}`;
    case "givenUp":
      return `${givenUpText(result)}\n${repeatText(result)}`;
    case "notDrained":
      return `${notDrainedText(result)}\n${repeatText(result)}`;
  }
}
