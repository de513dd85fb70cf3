import { useState } from "preact/hooks";
import { countText, hourText } from "../../shared/units";
import type { HourCounts } from "../api/answers";
import { usePolling } from "../api/polling";
import { useSession } from "../ui/context";

/** Of the SVG, in its own units. */
const WIDTH = 480;
const HEIGHT = 96;
const BASE = 74;
const TOP = 20;

/** Hours between two labels. */
const LABEL_EVERY = 6;

type Hours = HourCounts["hours"];

function useHours(): Hours {
  const { api } = useSession();
  const [hours, setHours] = useState<Hours>([]);
  usePolling(
    async (signal) => {
      setHours((await api.hours(signal)).hours);
      return true;
    },
    { fastest: 60_000, slowest: 60_000 },
    "hours",
  );
  return hours;
}

function Bars({ hours, most }: { hours: Hours; most: number }) {
  const step = WIDTH / Math.max(1, hours.length);
  return (
    <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} aria-hidden="true" class="chart-bars">
      <line x1="0" y1={BASE} x2={WIDTH} y2={BASE} class="chart-axis" />
      {most > 0 && (
        <text x={WIDTH} y={TOP - 4} text-anchor="end">
          {countText(most)}
        </text>
      )}
      {hours.map(({ from, count }, index) => {
        const height = most > 0 ? (count / most) * (BASE - TOP) : 0;
        return (
          <g key={from}>
            <rect
              x={index * step + 1}
              y={BASE - Math.max(count > 0 ? 2 : 0, height)}
              width={Math.max(1, step - 3)}
              height={Math.max(count > 0 ? 2 : 0, height)}
              class="chart-bar"
            >
              <title>{`${hourText(from)}: ${countText(count)}`}</title>
            </rect>
            {(hours.length - 1 - index) % LABEL_EVERY === 0 && index >= LABEL_EVERY / 2 && (
              <text x={(index + 1) * step - 2} y={HEIGHT - 4} text-anchor="end">
                {hourText(from)}
              </text>
            )}
          </g>
        );
      })}
    </svg>
  );
}

/** Uploads of each of the last hours, as bars; as a table for screen readers. */
export function HourChart() {
  const hours = useHours();
  const most = Math.max(0, ...hours.map(({ count }) => count));
  const total = hours.reduce((sum, { count }) => sum + count, 0);
  return (
    <figure class="chart">
      <figcaption>
        Uploads per hour{hours.length > 0 && `: ${countText(total)} in ${hours.length} hours`}
      </figcaption>
      <Bars hours={hours} most={most} />
      <table class="hidden">
        <caption>Uploads per hour</caption>
        <thead>
          <tr>
            <th scope="col">Hour from</th>
            <th scope="col">Uploads</th>
          </tr>
        </thead>
        <tbody>
          {hours.map(({ from, count }) => (
            <tr key={from}>
              <td>{hourText(from)}</td>
              <td>{count}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </figure>
  );
}
