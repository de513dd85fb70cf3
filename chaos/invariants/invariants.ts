import type { World } from "../world";
import { handedOutKeysAreWrittenOnce, isReplacement, rowsDescribeTheirBytes } from "./files";
import { answersAreTrue, oneRowForEachWrite } from "./identity";
import {
  duplicatesHaveCauses,
  everyEventFinishes,
  failuresAreReported,
  notifiedArePublished,
} from "./notices";
import { invokedForOwnStatus, statusGoesForward } from "./status";
import { statsAreExact } from "./totals";
import { type Violation, violation } from "./violation";

/** Whether a dead letter is an S3 event, whose rows the sweeper writes. */
export function isS3Event(deadLetter: unknown): boolean {
  const { requestPayload } = (deadLetter ?? {}) as {
    requestPayload?: { Records?: { s3?: unknown }[] };
  };
  return requestPayload?.Records?.some(({ s3 }) => s3 !== undefined) ?? false;
}

function deadLettersAreProcessed({ deadLetters }: World): Violation[] {
  return violation(
    5,
    "dead letters with an S3 event that remain in the queue",
    deadLetters.filter(isS3Event).map((letter) => JSON.stringify(letter)),
  );
}

const CHECKS = [
  oneRowForEachWrite,
  answersAreTrue,
  statusGoesForward,
  invokedForOwnStatus,
  everyEventFinishes,
  notifiedArePublished,
  duplicatesHaveCauses,
  failuresAreReported,
  deadLettersAreProcessed,
  rowsDescribeTheirBytes,
  handedOutKeysAreWrittenOnce,
  statsAreExact,
];

/** The violations of a run, in the order of the invariants. */
export function violationsOf(world: World): Violation[] {
  return CHECKS.flatMap((check) => check(world));
}

/** The failed events that no fault of their own file has failed, each with its error in parentheses. */
export function givenUpEvents({ rows }: Pick<World, "rows">): string[] {
  const givenUp: string[] = [];
  for (const row of rows) {
    if (row.event_status === "failed" && !isReplacement(row)) {
      const { step = "?", code = "?" } = row.last_error ?? {};
      givenUp.push(`${row.event_id} (${step} ${code})`);
    }
  }
  return givenUp;
}

/** The violations of a run that was not observed, and in which no event may fail. */
export function violationsOfFinalState(world: Omit<World, "moments">): Violation[] {
  const unobserved = { ...world, moments: [] };
  return [
    ...oneRowForEachWrite(unobserved),
    ...answersAreTrue(unobserved),
    ...everyEventFinishes(unobserved),
    ...rowsDescribeTheirBytes(unobserved),
    ...handedOutKeysAreWrittenOnce(unobserved),
    ...statsAreExact(unobserved),
    ...violation(4, "events that failed", givenUpEvents(world)),
  ];
}
