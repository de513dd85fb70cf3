import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import type { FileReport, LinkApi } from "./link";

/** Seconds between two questions; the last one is for all further ones. */
const PAUSES = [0.5, 1, 1, 2, 3, 5, 8, 13, 20, 30];

/** Questions until the page asks no more: half an hour. */
const MAX_QUESTIONS = 65;

/** What became of sent files, by `event_id`. */
export type Reports = ReadonlyMap<string, FileReport>;

/**
 * Asks for what became of files until they are processed.
 *
 * @param onReport called once for each file that is processed, or has failed
 * @returns the reports, and what makes it ask for one more
 */
export function useReports(
  api: LinkApi,
  onReport: (report: FileReport) => void,
): [Reports, (eventId: string) => void] {
  const [reports, setReports] = useState<Reports>(new Map());
  const timers = useRef(new Map<string, ReturnType<typeof setTimeout>>());
  const listener = useRef(onReport);
  listener.current = onReport;

  const ask = useCallback(
    (eventId: string, question = 0) => {
      const later = () => {
        if (question < MAX_QUESTIONS) {
          const seconds = PAUSES[question] ?? PAUSES.at(-1) ?? 0;
          const next = setTimeout(ask, seconds * 1000, eventId, question + 1);
          timers.current.set(eventId, next);
        }
      };
      api.file(eventId).then(
        (report) => {
          setReports((known) => new Map(known).set(eventId, report));
          if (report.status === "stored") {
            later();
          } else {
            listener.current(report);
          }
        },
        // Not known yet, or no connection.
        later,
      );
    },
    [api],
  );

  const watch = useCallback(
    (eventId: string) => {
      if (!timers.current.has(eventId)) {
        timers.current.set(eventId, setTimeout(ask, 300, eventId));
      }
    },
    [ask],
  );

  useEffect(
    () => () => {
      timers.current.forEach(clearTimeout);
    },
    [],
  );
  return [reports, watch];
}
