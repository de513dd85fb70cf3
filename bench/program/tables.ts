import type { Part, Section } from "../part";
import { median, round } from "../statistics";
import type { ProgramTimes, ProgramVariant } from "./figures";

/** Packages with a row of their own; the others share one. */
const NAMED_PACKAGES = 6;

const STEP_NOTE = [
  "Medians of new processes that run index.ts under Pulumi's mocks. warm: with a filled compile cache;",
  "cold: with an empty one; callback: packed as a plain CallbackFunction does, which looks for the",
  "packages to include (computeCodePaths) in place of bundling. All callbacks are serialized, and then",
  "packed at once. Imports and compiling within either count as imports and compiling.",
].join("\n");

type Measured = Record<ProgramVariant, ProgramTimes[]>;

function sum(values: Record<string, number>): number {
  return Object.values(values).reduce((total, value) => total + value, 0);
}

const STEPS: [name: string, ms: (times: ProgramTimes) => number][] = [
  ["start of Node.js and the compiler", ({ bootMs }) => bootMs],
  ["compile TypeScript", ({ compileMs }) => compileMs],
  ["import modules", ({ importMs }) => sum(importMs)],
  ["serialize callbacks", ({ serializeMs }) => serializeMs],
  ["pack them", ({ packMs }) => packMs],
  ["the rest: register resources", restOf],
  ["all", ({ totalMs }) => totalMs],
];

function restOf(times: ProgramTimes): number {
  const { bootMs, compileMs, importMs, serializeMs, packMs, totalMs } = times;
  return totalMs - bootMs - compileMs - sum(importMs) - serializeMs - packMs;
}

function medianOf(times: ProgramTimes[], ms: (times: ProgramTimes) => number): number {
  return round(median(times.map(ms)), 1);
}

function stepTable({ warm, cold, callback }: Measured): Section {
  return {
    title: "From the start of a process to the last registered resource",
    note: STEP_NOTE,
    columns: ["step", "warm ms", "cold ms", "callback ms"],
    rows: STEPS.map(([name, ms]) => [
      name,
      ...[warm, cold, callback].map((times) => medianOf(times, ms)),
    ]),
  };
}

function importTable({ warm, cold }: Measured): Section {
  const msOf = (times: ProgramTimes[], name: string) =>
    medianOf(times, ({ importMs }) => importMs[name] ?? 0);
  const names = Object.keys(warm[0]?.importMs ?? {}).toSorted(
    (a, b) => msOf(cold, b) - msOf(cold, a),
  );
  const others = names.slice(NAMED_PACKAGES);
  const othersMs = ({ importMs }: ProgramTimes) =>
    others.reduce((total, name) => total + (importMs[name] ?? 0), 0);
  return {
    title: "Imports by package",
    note: "Reading, compiling and running each package's own modules, without the modules they import.",
    columns: ["package", "warm ms", "cold ms"],
    rows: [
      ...names.slice(0, NAMED_PACKAGES).map((name) => [name, msOf(warm, name), msOf(cold, name)]),
      [`${others.length} others`, medianOf(warm, othersMs), medianOf(cold, othersMs)],
    ],
  };
}

/** The part, with its tables. */
export function programPart(times: Measured): Part {
  return {
    name: "program",
    json: times,
    sections: [stepTable(times), importTable(times)],
  };
}
