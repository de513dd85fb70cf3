import type { Part, Section } from "../part";
import { round } from "../statistics";
import type { Outcome } from "./measureStart";
import { type Variant, VARIANTS } from "./variants";

/**
 * The figures of one handler in one variant; times are medians. `start…`: Node without flags;
 * `lambdaStart…`: with the flags of Lambda's runtime.
 */
export interface PackageFigures {
  handler: string;
  variant: Variant;
  bytes: number;
  zipBytes: number;
  files: number;
  startMs: number;
  startCpuMs: number;
  lambdaStartMs: number;
  lambdaStartCpuMs: number;
}

const TIME_FIGURES = ["startMs", "startCpuMs", "lambdaStartMs", "lambdaStartCpuMs"] as const;

type TimeFigure = (typeof TIME_FIGURES)[number];

const NOTE = [
  "`ours`: the program's bundle. `callback`: the package of a plain `aws.lambda.CallbackFunction`",
  "that captures the same handler, without `acorn`, `esbuild` and the optional dependencies, which only this",
  "program's own packing and scripts use. `runtime-sdk`: that package's text, bundled by esbuild",
  "without the SDK, which the Lambda runtime has. `empty`: a handler that does nothing. Zip bytes: the",
  "files, deflated by node:zlib at its default level, and the format's headers. Start: from the start",
  "of a new Node.js process to the end of its first event; an endpoint on this machine answers in",
  "place of AWS. Lambda: with the flags that Lambda's runtime gives Node, of which `--expose-gc` keeps",
  "it from using its own compiled code.",
].join("\n");

function sorted(figures: PackageFigures[]): PackageFigures[] {
  const rank = ({ variant }: PackageFigures) => VARIANTS.indexOf(variant);
  return figures.toSorted((a, b) => a.handler.localeCompare(b.handler) || rank(a) - rank(b));
}

function figureTable(figures: PackageFigures[]): Section {
  const oursOf = new Map(
    figures.filter(({ variant }) => variant === "ours").map((each) => [each.handler, each]),
  );
  return {
    title: "Packages of the Lambdas, and what their start costs",
    note: NOTE,
    columns: [
      "handler",
      "variant",
      "bytes",
      "zip bytes",
      "files",
      "start ms",
      "÷ ours",
      "start CPU ms",
      "CPU ÷ ours",
      "Lambda start ms",
      "÷ ours",
      "Lambda start CPU ms",
      "CPU ÷ ours",
    ],
    rows: figures.map((each) => {
      const ours = oursOf.get(each.handler);
      const withRatio = (time: TimeFigure) => [
        each[time],
        round(each[time] / (ours?.[time] ?? NaN), 2),
      ];
      return [
        each.handler,
        each.variant,
        each.bytes,
        each.zipBytes,
        each.files,
        ...TIME_FIGURES.flatMap(withRatio),
      ];
    }),
  };
}

/** `201, calls PUT PutItem`. */
function outcomeText({ error, statusCode, calls }: Outcome): string {
  const ended = error || String(statusCode ?? "returned");
  return `${ended}, ${calls.length === 0 ? "no call" : `calls ${calls.join(" ")}`}`;
}

/** The saving of CPU time with the flags of Lambda's runtime against each other variant, in percent. */
function savingTable(figures: PackageFigures[], outcomes: Map<string, Outcome>): Section {
  const cpuOf = (handler: string, variant: Variant) =>
    figures.find((each) => each.handler === handler && each.variant === variant)
      ?.lambdaStartCpuMs ?? NaN;
  const saving = (handler: string, variant: Variant) =>
    round(100 * (1 - cpuOf(handler, "ours") / cpuOf(handler, variant)), 1);
  const names = [...outcomes.keys()].sort((a, b) => a.localeCompare(b));
  return {
    title: "CPU time that ours saves at a start with the flags of Lambda's runtime",
    note: "In all variants but `empty`, the first event has the same outcome.",
    columns: ["handler", "% of callback", "% of runtime-sdk", "outcome of the first event"],
    rows: names.map((name) => {
      const outcome = outcomes.get(name);
      return [
        name,
        saving(name, "callback"),
        saving(name, "runtime-sdk"),
        outcome ? outcomeText(outcome) : "",
      ];
    }),
  };
}

/**
 * The part, with its tables, in the order of handlers and variants.
 *
 * @param outcomes of the first event, by handler
 */
export function packagesPart(found: PackageFigures[], outcomes: Map<string, Outcome>): Part {
  const figures = sorted(found);
  return {
    name: "packages",
    json: figures,
    sections: [figureTable(figures), savingTable(figures, outcomes)],
  };
}
