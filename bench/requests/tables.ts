import type { Part, Section } from "../part";
import { round } from "../statistics";
import { type Load, type MeasuredWork, type Pipeline, PIPELINES_OF } from "./figures";
import type { UploadWork } from "./uploadWork";

const NOTE = [
  "Counted by the local run at its gateway, Lambda host and tables; the sweeper, which runs on a",
  "schedule, is not included. `ours` is by the upload API; `signed` by `POST /uploads` and a PUT to S3",
  "itself, without an `Idempotency-Key`. Write units are those of rows and index entries by their sizes,",
  "with two for an index entry whose key changes. The naive pipeline has the same upload Lambda, table,",
  "index and inspection; every change of its table starts both stream Lambdas, in batches of up to 100,",
  "which read a row before they write it, and each file has a mail of its own. The size of batches in a",
  "burst depends on the machine.",
].join("\n");

const TITLES: Record<Load, string> = {
  single: "AWS work of an upload, one after the other",
  burst: "AWS work of an upload in a burst",
};

type Figure = [name: string, count: number];

function prefixed(prefix: string, counts: Record<string, number>): Figure[] {
  return Object.entries(counts).map(([name, count]) => [`${prefix}${name}`, count]);
}

function sum(counts: Record<string, number>): number {
  return Object.values(counts).reduce((total, count) => total + count, 0);
}

/** The counts, in the order of the table. */
function figuresOf(work: UploadWork): Figure[] {
  return [
    ["invocations", sum(work.invocations)],
    ...prefixed("invocations of ", work.invocations).sort(byName),
    ["requests of Lambdas", sum(work.requests)],
    ...prefixed("", work.requests).sort(byName),
    ["write units of the table", work.tableWriteUnits],
    ["write units of the index", work.indexWriteUnits],
    ["read units", work.readUnits],
    ["mails", work.mails],
    ["bytes of log", work.logBytes],
  ];
}

function byName([a]: Figure, [b]: Figure): number {
  return a.localeCompare(b);
}

/** The names of all, in their order; a name that only one has goes beside its neighbours. */
function namesOf(figures: Figure[][]): string[] {
  const [first = [], ...others] = figures.map((each) => each.map(([name]) => name));
  const names = [...first];
  for (const list of others) {
    for (const [i, name] of list.entries()) {
      if (!names.includes(name)) {
        names.splice(names.indexOf(list[i - 1] ?? "") + 1, 0, name);
      }
    }
  }
  return names;
}

function tableOf(load: Load, measured: MeasuredWork[]): Section {
  const figures = (pipeline: Pipeline) =>
    measured
      .filter((each) => each.load === load && each.pipeline === pipeline)
      .flatMap(({ work }) => figuresOf(work));
  const pipelines = PIPELINES_OF[load];
  const lists = pipelines.map(figures);
  const countIn = (list: Figure[] = [], name: string) =>
    list.find(([each]) => each === name)?.[1] ?? 0;
  const uploads = measured.find((each) => each.load === load)?.uploads ?? 0;
  return {
    title: `${TITLES[load]}, mean of ${uploads}`,
    note: NOTE,
    columns: ["for each upload", ...pipelines, "ours : naive"],
    rows: namesOf(lists).map((name) => {
      const [ours, naive] = [countIn(lists[0], name), countIn(lists.at(-1), name)];
      const counts = lists.map((list) => round(countIn(list, name), 3));
      return [name, ...counts, naive === 0 ? "" : (ours / naive).toFixed(2)];
    }),
  };
}

/** The part, with its tables. */
export function requestsPart(measured: MeasuredWork[]): Part {
  const loads = [...new Set(measured.map(({ load }) => load))];
  return {
    name: "requests",
    json: measured,
    sections: loads.map((load) => tableOf(load, measured)),
  };
}
