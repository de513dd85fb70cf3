/**
 * Uploads files while faults are injected, and checks the invariants: nothing is lost, and nothing is
 * done twice.
 *
 *     npm run chaos -- --uploads 5000 --seed 1 --faults all
 */
import { Command, InvalidArgumentError, Option } from "commander";
import { newSeed, SEED_LIMIT } from "local-aws/faults";
import { killRun } from "./kill";
import { type Mix, MIXES } from "./mixes";
import { showProgress } from "./progress";
import { tableOf, verdictOf } from "./report";
import { chaosRun, type Outcome } from "./run";

interface CommandLine {
  uploads: number;
  seed: number;
  faults: Mix;
  clients: number;
  wait: number;
  limit?: number;
  attempts?: number;
  kill?: boolean;
  rounds: number;
}

const EXIT_USAGE_ERROR = 2;

const EXIT_CODES: Record<Outcome, number> = { held: 0, broken: 1, notDrained: 3, givenUp: 4 };

const HELP = `
Exit codes: 0: every invariant holds; 1: one is broken; 3: not drained, events were still on their way; 4: given
up, events failed that nothing was wrong with. Progress is written to standard error.`;

function parseCount(text: string): number {
  if (!/^[1-9]\d{0,6}$/.test(text)) {
    throw new InvalidArgumentError("It is a whole number from 1 on.");
  }
  return Number(text);
}

function parseSeed(text: string): number {
  const seed = Number(text);
  if (!/^\d+$/.test(text) || seed >= SEED_LIMIT) {
    throw new InvalidArgumentError(`A seed is a whole number from 0 to ${SEED_LIMIT - 1}.`);
  }
  return seed;
}

function readCommandLine(): CommandLine {
  return new Command("npm run chaos --")
    .description("Runs the program with faults, and checks that nothing is lost or done twice.")
    .option("--uploads <number>", "files to upload", parseCount, 300)
    .option("--seed <number>", "seed of every random choice", parseSeed, newSeed())
    .addOption(
      new Option("--faults <mix>", "faults to inject").choices(Object.keys(MIXES)).default("all"),
    )
    .option("--clients <number>", "concurrent uploads", parseCount, 32)
    .option(
      "--wait <seconds>",
      "how long to wait without progress, after the uploads",
      parseCount,
      180,
    )
    .option("--limit <seconds>", "end after this time in any case (default: no limit)", parseCount)
    .option("--attempts <number>", "setting maxAttempts (default: the stack's)", parseCount)
    .option("--kill", "instead of faults: kill -9 of the run in the middle, and a restart")
    .option("--rounds <number>", "with --kill: how often, each with the next seed", parseCount, 1)
    .addHelpText("after", HELP)
    .exitOverride((error) => {
      process.exit(error.exitCode === 0 ? 0 : EXIT_USAGE_ERROR);
    })
    .parse()
    .opts<CommandLine>();
}

async function main(): Promise<void> {
  const { kill, wait, limit, attempts, rounds, ...options } = readCommandLine();
  // So that files are removed.
  process.once("SIGINT", () => {
    process.exit(130);
  });
  console.log(`Seed ${options.seed}`);
  const patienceMs = wait * 1000;
  if (kill) {
    for (let round = 0; round < rounds; round++) {
      const seed = (options.seed + round) % SEED_LIMIT;
      const { text, broken } = await killRun({ ...options, seed, patienceMs });
      console.log(text);
      if (broken.length > 0) {
        process.exitCode = EXIT_CODES.broken;
      }
    }
    return;
  }
  const result = await chaosRun(
    {
      ...options,
      patienceMs,
      limitMs: limit === undefined ? undefined : limit * 1000,
      maxAttempts: attempts,
    },
    (read, rate) => showProgress(read, rate, process.stderr),
  );
  console.log(tableOf(result));
  console.log(verdictOf(result));
  process.exitCode = EXIT_CODES[result.outcome];
}

void main();
