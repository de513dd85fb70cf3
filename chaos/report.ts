import { duplicatesOf } from "./duplicates";
import type { Violation } from "./invariants";
import type { Counts } from "./observer";
import type { ChaosResult } from "./run";

/** Events of a violation that are listed, with their histories. */
const SHOWN_EVENTS = 5;

function countText(counts: Counts): string {
  const parts = Object.entries(counts)
    .toSorted(([a], [b]) => a.localeCompare(b))
    .map(([name, count]) => `${name} ${count}`);
  return parts.length === 0 ? "none" : parts.join(", ");
}

function countBy<T>(values: T[], nameOf: (value: T) => string): Counts {
  const counts: Counts = {};
  for (const value of values) {
    counts[nameOf(value)] = (counts[nameOf(value)] ?? 0) + 1;
  }
  return counts;
}

/** The figures of a run, a line each. */
export function tableOf(result: ChaosResult): string {
  const { options, world, observer, faults, quietUnderFaults, milliseconds } = result;
  const { rows, outcomes, moments, deadLetters, objects } = world;
  const failed = rows.filter(({ event_status }) => event_status === "failed");
  const ways = countBy(outcomes, ({ upload }) => upload.way);
  const retries = outcomes.reduce((sum, { tries }) => sum + tries - 1, 0);
  const abandoned = outcomes.filter(({ error }) => error !== undefined);
  const { sweep: sweeps = 0, ...invocations } = observer.invocations;
  const attempts = rows.flatMap(({ attempts }) => attempts ?? []);
  const duplicates = duplicatesOf(moments);
  const lines: [string, string][] = [
    ["uploads", `${outcomes.length} (${countText(ways)}), retries ${retries}`],
    ["abandoned by client", `${abandoned.length}`],
    ["objects stored", `${objects.length}`],
    ["rows", `${rows.length}`],
    ["statuses", countText(countBy(rows, ({ event_status }) => event_status))],
    [
      "failed, by reason",
      countText(
        countBy(
          failed,
          ({ last_error }) => `${last_error?.step ?? "?"} ${last_error?.code ?? "?"}`,
        ),
      ),
    ],
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
          deadLetters as { requestContext?: { condition?: string } }[],
          (letter) => letter.requestContext?.condition ?? "other",
        ),
      ),
    ],
    ["sweeps", `${sweeps}`],
    [
      "retried by sweeps",
      `${attempts.length} rows, at most ${Math.max(0, ...attempts)} times each`,
    ],
    ["finished", quietUnderFaults ? "under faults" : "after the faults were stopped"],
    ["time", `${(milliseconds / 1000).toFixed(1)} s`],
    ["seed", `${options.seed}`],
  ];
  const title = `chaos: ${options.uploads} uploads, faults ${options.faults}`;
  return [title, ...lines.map(([name, text]) => `  ${name.padEnd(20)}${text}`)].join("\n");
}

function historyOf({ world }: ChaosResult, eventId: string): string {
  const row = world.rows.find(({ event_id }) => event_id === eventId);
  const steps = world.moments.flatMap((moment) => {
    switch (moment.kind) {
      case "status":
        return moment.eventId === eventId ? moment.to : [];
      case "published":
        return moment.eventIds.includes(eventId) ? `mail (${moment.topic})` : [];
      case "invoked":
        return moment.images.some((image) => image.eventId === eventId)
          ? `-> ${moment.functionName}`
          : [];
      case "died":
        return `[${moment.functionName} died: ${moment.outcome}]`;
      case "acknowledged":
        return [];
    }
  });
  return `    ${eventId}: ${steps.join(", ")}\n      ${JSON.stringify(row) || "no row"}`;
}

function violationText(result: ChaosResult, { invariant, message, eventIds }: Violation): string {
  const shown = eventIds.slice(0, SHOWN_EVENTS);
  const more = eventIds.length > shown.length ? `, and ${eventIds.length - shown.length} more` : "";
  return [
    `Invariant ${invariant} is broken: ${eventIds.length} ${message}: ${shown.join(", ")}${more}`,
    ...shown.map((eventId) => historyOf(result, eventId.split(" ", 1)[0] ?? "")),
  ].join("\n");
}

/** The first broken invariant, with its events' histories, and the command to repeat the run. */
export function verdictOf(result: ChaosResult): string {
  const [first, ...others] = result.broken;
  if (!first) {
    return "Every invariant holds.";
  }
  const { uploads, seed, faults, clients } = result.options;
  return [
    violationText(result, first),
    ...others.map(
      ({ invariant, message, eventIds }) => `Also: ${invariant}: ${eventIds.length} ${message}`,
    ),
    `Seed ${seed}. Repeat: npm run chaos -- ` +
      `--uploads ${uploads} --seed ${seed} --faults ${faults} --clients ${clients}`,
  ].join("\n");
}
