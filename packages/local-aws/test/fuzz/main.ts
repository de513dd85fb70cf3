/**
 * Has the readers of foreign input read random input, until the time is over or all cases are done.
 *
 *     npm run fuzz -- --seconds 60 --seed 7
 */
import { writeSync } from "node:fs";
import { Worker } from "node:worker_threads";
import { Command, InvalidArgumentError } from "commander";
import { newSeed, SEED_LIMIT } from "../../faults/random";
import { type Finding, fuzz, type Report } from "./fuzz";
import { TARGETS } from "./targets";

interface CommandLine {
  seconds?: number;
  cases: number;
  seed: number;
  only?: string;
  from: number;
}

const EXIT_USAGE_ERROR = 2;

/** Cases of each target before the next one has its turn. */
const ROUND = 500;

/** Findings of one kind that are printed; the rest is counted. */
const MAX_SHOWN = 2;
const MAX_SHOWN_INPUT = 2000;

function parseNumber(limit: number) {
  return (text: string): number => {
    if (!/^\d{1,10}$/.test(text) || Number(text) >= limit) {
      throw new InvalidArgumentError(`It is a whole number below ${limit}.`);
    }
    return Number(text);
  };
}

function parseTarget(text: string): string {
  const names = TARGETS.map(({ name }) => name);
  if (!names.includes(text)) {
    throw new InvalidArgumentError(`There is no target '${text}'; there are: ${names.join(", ")}.`);
  }
  return text;
}

function readCommandLine(): CommandLine {
  return new Command("npm run fuzz --")
    .description("Reads random input, and reports what is not answered, or slowly.")
    .option("--seconds <number>", "ends after this time (default: never)", parseNumber(1e6))
    .option("--cases <number>", "cases of all targets together", parseNumber(1e9), 1_000_000)
    .option("--seed <number>", "seed of every random choice", parseNumber(SEED_LIMIT), newSeed())
    .option("--only <target>", "this target only", parseTarget)
    .option("--from <number>", "the number of each target's first case", parseNumber(1e9), 0)
    .exitOverride((error) => {
      process.exit(error.exitCode === 0 ? 0 : EXIT_USAGE_ERROR);
    })
    .parse()
    .opts<CommandLine>();
}

/** Ends the process, with its name, when one case runs for ten seconds: an endless loop. */
function watchForHang(seed: number): (target: string, number: number) => void {
  const now = new BigInt64Array(new SharedArrayBuffer(16));
  const worker = new Worker(
    `const { workerData: { now, names, seed } } = require("node:worker_threads");
    const { writeSync } = require("node:fs");
    let last, since;
    setInterval(() => {
      const current = Atomics.load(now, 0) + "/" + Atomics.load(now, 1);
      if (current !== last) { last = current; since = Date.now(); return; }
      if (Date.now() - since > 10_000) {
        writeSync(2, "HANG " + names[Number(Atomics.load(now, 0))] + ": npm run fuzz -- --seed " + seed +
          " --only " + names[Number(Atomics.load(now, 0))] + " --from " + Atomics.load(now, 1) + " --cases 1\\n");
        process.kill(process.pid, "SIGKILL");
      }
    }, 1000);`,
    { eval: true, workerData: { now, seed, names: TARGETS.map(({ name }) => name) } },
  );
  worker.unref();
  return (target, number) => {
    Atomics.store(now, 0, BigInt(TARGETS.findIndex(({ name }) => name === target)));
    Atomics.store(now, 1, BigInt(number));
  };
}

function show(seed: number, { target, number, problem, input }: Finding): void {
  const text = JSON.stringify(input);
  const shown =
    text.length > MAX_SHOWN_INPUT ? `${text.slice(0, MAX_SHOWN_INPUT)}… (${text.length})` : text;
  const again = `npm run fuzz -- --seed ${seed} --only ${target} --from ${number} --cases 1`;
  writeSync(1, `FOUND by ${again}\n${problem}\n${shown}\n\n`);
}

function add(sum: Report | undefined, report: Report): Report {
  if (!sum) {
    return report;
  }
  const slowest = sum.slowestMs >= report.slowestMs ? sum : report;
  return {
    ...slowest,
    cases: sum.cases + report.cases,
    refused: sum.refused + report.refused,
  };
}

function main(): void {
  const { seconds = Infinity, cases, seed, only, from } = readCommandLine();
  console.log(`Seed ${seed}`);
  const targets = TARGETS.filter(({ name }) => only === undefined || name === only);
  const onCase = watchForHang(seed);
  const deadline = performance.now() + seconds * 1000;
  const reports = new Map<string, Report>();
  const kinds = new Map<string, number>();
  const each = Math.ceil(cases / targets.length);
  for (let done = 0; done < each && performance.now() < deadline; done += ROUND) {
    for (const target of targets) {
      const options = { seed, from: from + done, cases: Math.min(ROUND, each - done), onCase };
      const { report, findings } = fuzz(target, options);
      reports.set(target.name, add(reports.get(target.name), report));
      for (const finding of findings) {
        // Problems are alike where they begin at the same line.
        const kind = `${finding.target} ${finding.problem.split("\n").slice(0, 2).join(" ")}`;
        const count = (kinds.get(kind) ?? 0) + 1;
        kinds.set(kind, count);
        if (count <= MAX_SHOWN) {
          show(seed, finding);
        }
      }
    }
  }
  for (const { target, cases: count, refused, slowestMs, slowestNumber } of reports.values()) {
    console.log(
      `${target.padEnd(10)} ${count} cases, ${refused} refused, ` +
        `the slowest took ${slowestMs.toFixed(1)} ms (number ${slowestNumber})`,
    );
  }
  const total = [...reports.values()].reduce((sum, { cases: count }) => sum + count, 0);
  const found = [...kinds.values()].reduce((sum, count) => sum + count, 0);
  console.log(`${total} cases, ${found} found`);
  process.exitCode = found === 0 ? 0 : 1;
}

main();
