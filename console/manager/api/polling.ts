import { useEffect, useRef } from "preact/hooks";
import { ApiError } from "../../shared/apiError";

/** How often a task runs, in milliseconds. */
export interface Pace {
  /** While something changes. */
  fastest: number;
  /** While nothing changes. */
  slowest: number;
}

/** The wait doubles up to this after errors. */
const SLOWEST_AFTER_ERRORS = 60_000;

/**
 * The wait before the next run of a poll: it grows while nothing changes and after errors, and is
 * never shorter than an answer's `Retry-After`.
 *
 * @param before the wait before the run
 * @param outcome whether the run found a change, or its error
 */
export function nextWait(pace: Pace, before: number, outcome: boolean | ApiError): number {
  if (outcome instanceof ApiError) {
    const longer = Math.min(SLOWEST_AFTER_ERRORS, Math.max(before, pace.fastest) * 2);
    return Math.max(longer, outcome.retryAfterMs ?? 0);
  }
  return outcome ? pace.fastest : Math.min(pace.slowest, before * 1.5);
}

/**
 * Runs a task at once and then again and again, while the page is visible: a hidden page sends
 * nothing, and a page that is shown again runs it at once.
 *
 * @param task returns whether it found a change; may throw. Its errors slow the polling down.
 * @param key another one starts anew
 * @returns a function that runs the task now
 */
export function usePolling(
  task: (signal: AbortSignal) => Promise<boolean>,
  pace: Pace,
  key: string,
): () => void {
  const latest = useRef(task);
  latest.current = task;
  const now = useRef<() => void>(() => undefined);
  const { fastest, slowest } = pace;

  useEffect(() => {
    let timer: number | undefined;
    let running: AbortController | undefined;
    let isAgain = false;
    let wait = fastest;
    let lastRun = 0;

    const schedule = (milliseconds: number) => {
      clearTimeout(timer);
      if (!document.hidden) {
        // Operators who came at the same time do not stay in step.
        timer = window.setTimeout(run, milliseconds * (0.9 + Math.random() * 0.2));
      }
    };

    function run(): void {
      if (running) {
        isAgain = true;
        return;
      }
      clearTimeout(timer);
      const controller = new AbortController();
      running = controller;
      lastRun = performance.now();
      void latest
        .current(controller.signal)
        .catch((error: unknown) => (error instanceof ApiError ? error : true))
        .then((outcome) => {
          if (controller.signal.aborted) {
            return;
          }
          running = undefined;
          wait = nextWait({ fastest, slowest }, wait, outcome);
          schedule(isAgain ? 0 : wait);
          isAgain = false;
        });
    }

    const onVisibility = () => {
      if (document.hidden) {
        clearTimeout(timer);
      } else if (!running) {
        schedule(Math.max(0, fastest - (performance.now() - lastRun)));
      }
    };

    now.current = () => {
      wait = fastest;
      run();
    };
    run();
    document.addEventListener("visibilitychange", onVisibility);
    return () => {
      clearTimeout(timer);
      running?.abort();
      document.removeEventListener("visibilitychange", onVisibility);
    };
  }, [key, fastest, slowest]);

  return () => {
    now.current();
  };
}
