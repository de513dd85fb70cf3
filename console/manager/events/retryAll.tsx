import { useEffect, useRef, useState } from "preact/hooks";
import { type ApiError, asApiError } from "../../shared/apiError";
import { countText } from "../../shared/units";
import type { RetryManyAnswer } from "../api/answers";
import type { Filter } from "../route";
import { Confirmation } from "../ui/confirmation";
import { useSession } from "../ui/context";
import { ErrorNotice } from "../ui/parts";

/** The sums of several answers of `POST /events/retry`. */
interface Outcome {
  moved: number;
  notMoved: Record<string, number>;
  /** More can be retried when those have advanced that were retried before. */
  isWaiting: boolean;
}

const NOTHING: Outcome = { moved: 0, notMoved: {}, isWaiting: false };

function added(outcome: Outcome, answer: RetryManyAnswer): Outcome {
  const notMoved = { ...outcome.notMoved };
  for (const [reason, count] of Object.entries(answer.not_moved)) {
    notMoved[reason] = (notMoved[reason] ?? 0) + count;
  }
  return { moved: outcome.moved + answer.moved, notMoved, isWaiting: answer.held_back ?? false };
}

function eventsText(count: number): string {
  return `${countText(count)} ${count === 1 ? "event" : "events"}`;
}

function reasonsOf({ notMoved }: Outcome): string {
  return Object.entries(notMoved)
    .map(([reason, count]) => `${countText(count)} ${reason}`)
    .join(", ");
}

function sentence(beginning: string, outcome: Outcome): string {
  const reasons = reasonsOf(outcome);
  return `${eventsText(outcome.moved)} ${beginning}${reasons ? `; not: ${reasons}` : ""}.`;
}

/** Retries all failed events of a time, after a dry run that tells how many they are. */
export function RetryAll({ filter, close }: { filter: Filter; close: () => void }) {
  const { api, notify } = useSession();
  const [dryRun, setDryRun] = useState<Outcome>();
  const [progress, setProgress] = useState<Outcome>();
  const [error, setError] = useState<ApiError>();
  const isClosed = useRef(false);
  const times = { from: filter.from, to: filter.to };

  /** All requests of a retry: each does what it has time for. */
  const run = async (isDry: boolean, onProgress: (outcome: Outcome) => void) => {
    let outcome = NOTHING;
    let cursor: string | undefined;
    do {
      const answer = await api.retryFailed({ ...times, dry_run: isDry, cursor });
      outcome = added(outcome, answer);
      onProgress(outcome);
      cursor = answer.next_cursor ?? undefined;
    } while (cursor !== undefined && !isClosed.current);
    return outcome;
  };

  useEffect(() => {
    run(true, () => undefined).then(setDryRun, (thrown: unknown) => {
      setError(asApiError(thrown));
    });
    return () => {
      isClosed.current = true;
    };
  }, []);

  const confirm = async () => {
    const outcome = await run(false, setProgress);
    notify({ text: sentence("retried", outcome) });
    close();
  };

  const isInTime = times.from !== undefined || times.to !== undefined;
  return (
    <Confirmation
      title="Retry all failed events?"
      action={dryRun ? `Retry ${eventsText(dryRun.moved)}` : "Retry"}
      cancel={progress ? "Stop" : "Cancel"}
      isDisabled={!dryRun || dryRun.moved === 0}
      confirm={confirm}
      close={close}
    >
      <p>
        Each goes back to the status that it failed from
        {isInTime ? ", of those in the chosen time" : ""}.
        {filter.name || filter.link_id
          ? " The name and the link of the filter do not restrict it."
          : ""}
      </p>
      {error && <ErrorNotice error={error} />}
      <p role="status">
        {!dryRun && !error && "Dry run: counting…"}
        {dryRun && !progress && `Dry run: ${sentence("can be retried", dryRun)}`}
        {progress && sentence("retried so far", progress)}
        {progress?.isWaiting && " Waiting until the pipeline has taken them up…"}
      </p>
    </Confirmation>
  );
}
