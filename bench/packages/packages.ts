import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import * as path from "node:path";
import type { MeasurePart, PartOptions } from "../part";
import { median, round } from "../statistics";
import { startEndpoint } from "./endpoint";
import {
  measureStart,
  type NodeFlags,
  type Outcome,
  type Start,
  writeMeasure,
} from "./measureStart";
import { type ProgramHandler, programHandlers } from "./programHandlers";
import { type PackageFigures, packagesPart } from "./tables";
import { unpackAll, type Unpacked, type Variant } from "./variants";

/** Starts one package once. */
export type StartPackage = (
  handler: ProgramHandler,
  unpacked: Unpacked,
  flags: NodeFlags,
) => Promise<{ start: Start; outcome: Outcome }>;

/** The outcome of each handler's first event; equal in every variant but `empty`. */
class Outcomes {
  readonly byHandler = new Map<string, Outcome>();

  /** @throws when another variant had a different outcome */
  add(handler: string, variant: Variant, outcome: Outcome): void {
    if (variant === "empty") {
      return;
    }
    const before = JSON.stringify(this.byHandler.get(handler) ?? outcome);
    if (JSON.stringify(outcome) !== before) {
      throw new Error(
        `The variants of "${handler}" do not do the same: ` +
          `${variant} ended with ${JSON.stringify(outcome)}, another with ${before}.`,
      );
    }
    this.byHandler.set(handler, outcome);
  }
}

type Starts = Record<NodeFlags, Start[]>;

function noStarts(): Starts {
  return { none: [], lambda: [] };
}

function figuresOf(unpacked: Unpacked, starts: Starts): PackageFigures {
  const { handler, variant, bytes, zipBytes, files } = unpacked;
  const medianOf = (flags: NodeFlags, time: keyof Start) =>
    round(median(starts[flags].map((start) => start[time])), 1);
  return {
    handler,
    variant,
    bytes,
    zipBytes,
    files,
    startMs: medianOf("none", "wallMs"),
    startCpuMs: medianOf("none", "cpuMs"),
    lambdaStartMs: medianOf("lambda", "wallMs"),
    lambdaStartCpuMs: medianOf("lambda", "cpuMs"),
  };
}

/**
 * Starts each package once without and once with the flags of Lambda's runtime in each repetition,
 * handler by handler, after one that fills the machine's file cache.
 *
 * @throws when the variants of a handler have different outcomes
 */
export async function measurePackages(
  handlers: ProgramHandler[],
  packages: Unpacked[],
  startPackage: StartPackage,
  { repetitions, progress }: PartOptions,
): Promise<{ figures: PackageFigures[]; outcomes: Map<string, Outcome> }> {
  const measured = handlers.flatMap((handler) =>
    packages
      .filter((unpacked) => unpacked.handler === handler.name)
      .map((unpacked) => ({ handler, unpacked, starts: noStarts() })),
  );
  const outcomes = new Outcomes();
  for (let repetition = 0; repetition <= repetitions; repetition += 1) {
    progress(`packages: repetition ${repetition} of ${repetitions}`);
    for (const { handler, unpacked, starts } of measured) {
      for (const flags of ["none", "lambda"] as const) {
        const { start, outcome } = await startPackage(handler, unpacked, flags);
        outcomes.add(handler.name, unpacked.variant, outcome);
        if (repetition > 0) {
          starts[flags].push(start);
        }
      }
    }
  }
  return {
    figures: measured.map(({ unpacked, starts }) => figuresOf(unpacked, starts)),
    outcomes: outcomes.byHandler,
  };
}

/** The bench's part `packages`: size and start of each Lambda's package, in each variant. */
export const packages: MeasurePart = async (options) => {
  options.progress("packages: loading the program");
  const handlers = await programHandlers();
  const root = await mkdtemp(path.join(tmpdir(), "bench-packages-"));
  const endpoint = await startEndpoint();
  try {
    const unpacked = await unpackAll(root, handlers);
    const measure = await writeMeasure(root);
    const { figures, outcomes } = await measurePackages(
      handlers,
      unpacked,
      (handler, each, flags) => measureStart(measure, handler, each, endpoint, flags),
      options,
    );
    return packagesPart(figures, outcomes);
  } finally {
    endpoint.close();
    await rm(root, { recursive: true, force: true });
  }
};
