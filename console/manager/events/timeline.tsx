import type { HistoryEntry } from "../../../events/event";
import { secondsText } from "../../shared/units";
import { StatusBadge, Time } from "../ui/parts";

/** The time since the entry before, in seconds. */
function secondsAfter(entry: HistoryEntry, before: HistoryEntry | undefined): number | undefined {
  return before && Math.max(0, (Date.parse(entry.time) - Date.parse(before.time)) / 1000);
}

/** What happened to an event, oldest first. */
export function Timeline({ history }: { history: HistoryEntry[] }) {
  return (
    <ol class="timeline">
      {history.map((entry, index) => {
        const seconds = secondsAfter(entry, history[index - 1]);
        return (
          <li key={`${entry.time} ${index}`} class={`timeline-${entry.status}`}>
            <div>
              <StatusBadge status={entry.status} /> by <b>{entry.function}</b>
              {entry.attempt !== undefined && `, redelivery ${entry.attempt}`}
              {entry.code !== undefined && `: ${entry.code}`}
            </div>
            <div class="muted">
              <Time iso={entry.time} />
              {seconds !== undefined && `, after ${secondsText(seconds)}`}
            </div>
          </li>
        );
      })}
    </ol>
  );
}
