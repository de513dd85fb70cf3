import { useEffect, useRef } from "preact/hooks";
import { ApiError } from "../../shared/apiError";
import { nextWait, type Pace } from "./pace";

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
