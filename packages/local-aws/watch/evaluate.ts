import { createHash } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import { filesOf } from "../lambda/archive";
import { type DiskEntry, type PackageFiles, sourceMapsOf } from "../lambda/deploymentPackage";
import type { Registration } from "../resources/resource";
import { FUNCTION, runProgram } from "../runProgram";
import type { ChangedFunction, Evaluation, MadeResource, Request } from "./messages";

/** Inputs of a function that change without a restart, besides its code. */
const APPLIED = ["environment", "handler", "memorySize", "timeout"];

type Registered = Registration<Record<string, unknown>>;

/** What a function has. */
interface Current {
  code: string | undefined;
  /** Undefined: not known yet, and not compared. */
  sourceMaps: string | undefined;
  inputs: Record<string, unknown>;
}

function digestOf(value: unknown): string {
  return createHash("sha256").update(JSON.stringify(value)).digest("hex");
}

/** Identifies the code of a function's package; files of the disk by their path. */
export function codeDigest(files: PackageFiles): string {
  return digestOf(files);
}

/** Inputs as they are between processes, without those that are compared apart. */
function plain(inputs: Record<string, unknown>, left: string[]): Record<string, unknown> {
  const entries = Object.entries(inputs).filter(([name]) => !left.includes(name));
  return JSON.parse(JSON.stringify(Object.fromEntries(entries))) as Record<string, unknown>;
}

/** Such as `aws.sqs.Queue "letters"`. */
function shown({ type, name }: Registered): string {
  const [provider = "", module = "", className = ""] = type.split(":");
  return `${provider}.${module.replace(/\/.*$/, "")}.${className} "${name}"`;
}

/**
 * Makes a function that evaluates the program as its files are now, and tells what is different from
 * what the run has. It throws what the program throws.
 *
 * @returns `evaluate(applied)`: `applied` says whether the run has what the last evaluation found
 */
export function createEvaluation(
  { program, config, accountId, made }: Extract<Request, { type: "start" }>,
  sourceMapOf: (code: string) => string | DiskEntry | undefined,
): (applied: boolean) => Promise<Evaluation> {
  const currents = new Map<string, Current>();
  let found: [string, Current][] = [];
  for (const { type, id, code, inputs } of made.filter((each) => each.type === FUNCTION)) {
    currents.set(`${type} ${id}`, { code, sourceMaps: undefined, inputs: plain(inputs, ["code"]) });
  }

  return async (applied) => {
    for (const [key, now] of applied ? found : []) {
      currents.set(key, now);
    }
    found = [];
    const others = new Set<string>();
    const functions: ChangedFunction[] = [];
    const unseen = new Map<string, MadeResource[]>();
    for (const resource of made) {
      const key = `${resource.type} ${resource.name}`;
      unseen.set(key, [...(unseen.get(key) ?? []), resource]);
    }

    async function compareFunction(resource: Registered, functionName: string): Promise<void> {
      const files = (await filesOf(resource)) as ChangedFunction["files"];
      const sourceMaps = sourceMapsOf(files, sourceMapOf);
      const key = `${FUNCTION} ${functionName}`;
      const before = currents.get(key);
      const now: Current = {
        code: codeDigest(files),
        sourceMaps: digestOf(sourceMaps),
        inputs: plain(resource.inputs, ["code"]),
      };
      found.push([key, now]);
      if (
        !isDeepStrictEqual({ ...now, sourceMaps: before?.sourceMaps && now.sourceMaps }, before)
      ) {
        functions.push({ functionName, inputs: now.inputs, files, sourceMaps });
      }
    }

    async function make(resource: Registered) {
      const before = unseen.get(`${resource.type} ${resource.name}`)?.shift();
      if (!before) {
        others.add(shown(resource));
        return { id: resource.name };
      }
      const left = resource.type === FUNCTION ? ["code", ...APPLIED] : [];
      if (!isDeepStrictEqual(plain(before.inputs, left), plain(resource.inputs, left))) {
        others.add(shown(resource));
      }
      if (resource.type === FUNCTION) {
        await compareFunction(resource, before.id);
      }
      return { id: before.id, state: before.state };
    }

    await runProgram({ accountId, make }, config, program);
    for (const resource of [...unseen.values()].flat()) {
      others.add(shown(resource));
    }
    return { type: "evaluated", functions, others: [...others] };
  };
}
