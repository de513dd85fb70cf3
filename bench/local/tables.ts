import type { Part, Section } from "../part";
import { round } from "../statistics";
import type { Burst, LocalFigures, Quantiles } from "./figures";

const BURST_NOTE = [
  "Each line is a new process with the default settings; the clients are in another process, and each",
  "sends sample.jpg again on every answer. Uploads a second: until the last row is `notified`. Rows",
  "before: finished events that were put directly into the table.",
].join("\n");

const START_NOTE =
  "`npm start`, from the command to its line `ready`. Cold: with an empty compile cache, as after " +
  "`npm ci`.";

const SINGLE_NOTE =
  "With `digestSeconds` 0, each upload when the one before is `notified`. The first waits for the " +
  "Lambdas' cold starts.";

function startTable({ start, singles }: LocalFigures): Section[] {
  return [
    {
      title: "Start of the local run",
      note: START_NOTE,
      columns: ["compile cache", "ms to ready"],
      rows: [
        ["cold", round(start.coldMs)],
        ["warm", round(start.warmMs)],
      ],
    },
    {
      title: "Upload to mail on one machine",
      note: SINGLE_NOTE,
      columns: ["uploads", "p50 ms", "p95 ms", "p99 ms"],
      rows: [
        ["the first", ...Array.from({ length: 3 }, () => round(singles.firstMs))],
        [`the ${singles.uploads} after it`, ...cellsOf(singles.mailMs)],
      ],
    },
  ];
}

function cellsOf({ p50, p95, p99 }: Quantiles): number[] {
  return [p50, p95, p99].map((value) => round(value));
}

function burstRow(burst: Burst): (string | number)[] {
  const { uploads, clients, rows, answeredMs, notifiedMs, answerMs, mails, peakMb } = burst;
  return [
    uploads,
    clients,
    rows,
    round(answeredMs / 1000, 1),
    round(notifiedMs / 1000, 1),
    round((uploads / notifiedMs) * 1000, 1),
    round(notifiedMs / uploads, 2),
    ...cellsOf(answerMs),
    mails,
    round(peakMb),
  ];
}

function burstTable(bursts: Burst[]): Section {
  return {
    title: "Uploads by several clients on one machine",
    note: BURST_NOTE,
    columns: [
      "uploads",
      "clients",
      "rows before",
      "all answered s",
      "all notified s",
      "uploads/s",
      "ms/upload",
      "answer p50 ms",
      "p95 ms",
      "p99 ms",
      "mails",
      "peak MB",
    ],
    rows: bursts.map(burstRow),
  };
}

/** The part, with its tables. */
export function localPart(figures: LocalFigures): Part {
  return {
    name: "local",
    json: figures,
    sections: [...startTable(figures), burstTable(figures.bursts)],
  };
}
