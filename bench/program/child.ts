/**
 * Runs index.ts under mocks in a fresh process, and prints how long each step took as JSON. Started
 * by bench/program/program.ts.
 */
import Module, { createRequire } from "node:module";
import * as path from "node:path";
import type { SerializedCallback } from "../../components/lambda/bundleCache";
import { packingTools } from "../packingTools";
import type { Packing, ProgramTimes } from "./figures";

interface LoadingModule {
  load: (filename: string) => void;
}

const bootMs = performance.now();

const ROOT = path.resolve(__dirname, "..", "..");

const requireModule = createRequire(__filename);

type SerializeFunction = typeof import("@pulumi/pulumi").runtime.serializeFunction;

/** The stack of synchronous work under way, the innermost piece last. */
const stack: { innerMs: number; startedAt: number }[] = [];

/** Milliseconds of all synchronous work so far. */
let synchronousMs = 0;

/** The same when the callbacks were serialized. */
let synchronousMsBeforePacking = 0;

/** With what is under way. */
function synchronousMsNow(): number {
  const [outermost] = stack;
  return synchronousMs + (outermost ? performance.now() - outermost.startedAt : 0);
}

/** Times a piece of work, without the timed pieces inside it. */
function timed<T>(work: () => T, add: (ms: number) => void): T {
  const startedAt = performance.now();
  const frame = { innerMs: 0, startedAt };
  stack.push(frame);
  try {
    return work();
  } finally {
    stack.pop();
    const ms = performance.now() - startedAt;
    const outer = stack.at(-1);
    if (outer) {
      outer.innerMs += ms;
    } else {
      synchronousMs += ms;
    }
    add(ms - frame.innerMs);
  }
}

/** `@pulumi/aws`; `this program` for a file in no package. */
function packageOf(fileName: string): string {
  const [, inside] = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(fileName) ?? [];
  return inside ?? "this program";
}

function timeCompiling(times: ProgramTimes): void {
  const transpiler = requireModule(path.join(ROOT, "tooling", "transpiler.js")) as {
    transpile: (text: string, file: string) => string;
  };
  const { transpile } = transpiler;
  transpiler.transpile = (...args) =>
    timed(
      () => transpile(...args),
      (ms) => {
        times.compileMs += ms;
      },
    );
}

function timeImports({ importMs }: ProgramTimes): void {
  const modules = Module.prototype as unknown as LoadingModule;
  const { load } = modules;
  modules.load = function (this: unknown, filename: string) {
    timed(
      () => {
        Reflect.apply(load, this, [filename]);
      },
      (ms) => {
        const name = packageOf(filename);
        importMs[name] = (importMs[name] ?? 0) + ms;
      },
    );
  };
}

function timeSerializing(times: ProgramTimes): void {
  const { runtime } = requireModule("@pulumi/pulumi") as {
    runtime: { serializeFunction: SerializeFunction };
  };
  const { serializeFunction } = runtime;
  let first: { at: number; before: number } | undefined;
  runtime.serializeFunction = async (callback, args) => {
    first ??= { at: performance.now(), before: synchronousMsNow() };
    const serialized = await serializeFunction(callback, args);
    // As a whole: the callbacks are serialized side by side.
    times.serializeMs = performance.now() - first.at - (synchronousMsNow() - first.before);
    times.serializedAtMs = performance.now();
    synchronousMsBeforePacking = synchronousMsNow();
    return serialized;
  };
}

/** Finds the packages to include, as a plain CallbackFunction does in place of bundling. */
async function findPackages(): Promise<string> {
  const { runtime } = requireModule("@pulumi/pulumi") as typeof import("@pulumi/pulumi");
  await runtime.computeCodePaths({
    // A program that packs in this way does not depend on them.
    extraExcludePackages: packingTools(ROOT),
  });
  return "// Not measured.\n";
}

function timePacking(times: ProgramTimes, packing: Packing): void {
  const file = path.join(ROOT, "components", "lambda", "bundle.ts");
  const loaded = requireModule(file) as typeof import("../../components/lambda/bundle");
  const bundle = async (callback: Promise<SerializedCallback>) => {
    // Called with the promise of the callback, as the program does.
    const bundled = packing === "bundle" ? loaded.bundle(callback) : undefined;
    await callback;
    const packed = bundled ? await bundled : { text: await findPackages(), inputs: [] };
    times.packMs =
      performance.now() - times.serializedAtMs - (synchronousMsNow() - synchronousMsBeforePacking);
    return packed;
  };
  const cached = requireModule.cache[file];
  if (cached) {
    cached.exports = { ...loaded, bundle };
  }
}

async function main(packing: Packing): Promise<void> {
  const times: ProgramTimes = {
    bootMs,
    compileMs: 0,
    importMs: {},
    serializeMs: 0,
    serializedAtMs: 0,
    packMs: 0,
    totalMs: 0,
  };
  timeCompiling(times);
  timeImports(times);
  const { record } = requireModule(
    "../../testing/recordingMocks",
  ) as typeof import("../../testing/recordingMocks");
  const { stackConfig } = requireModule(
    "../../start/program",
  ) as typeof import("../../start/program");
  timeSerializing(times);
  const { error, rejections } = await record(stackConfig({}), () => {
    timePacking(times, packing);
    return requireModule(path.join(ROOT, "index.ts")) as Record<string, unknown>;
  });
  const [failure] = [error, ...rejections].filter((each) => each !== undefined);
  if (failure !== undefined) {
    throw new Error("The program cannot be loaded.", { cause: failure });
  }
  times.totalMs = performance.now();
  process.stdout.write(`\n${JSON.stringify(times)}\n`, () => process.exit(0));
}

void main(process.argv[2] as Packing);
