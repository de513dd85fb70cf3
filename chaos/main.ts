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
import { tableOf, verdictOf } from "./report";
import { chaosRun } from "./run";

interface CommandLine {
  uploads: number;
  seed: number;
  faults: Mix;
  clients: number;
  wait: number;
  kill?: boolean;
  rounds: number;
}

const EXIT_USAGE_ERROR = 2;

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
    .option("--wait <seconds>", "maximum time with faults after the last upload", parseCount, 180)
    .option("--kill", "instead of faults: kill -9 of the run in the middle, and a restart")
    .option("--rounds <number>", "with --kill: how often, each with the next seed", parseCount, 1)
    .exitOverride((error) => {
      process.exit(error.exitCode === 0 ? 0 : EXIT_USAGE_ERROR);
    })
    .parse()
    .opts<CommandLine>();
}

async function main(): Promise<void> {
  const { kill, wait, rounds, ...options } = readCommandLine();
  console.log(`Seed ${options.seed}`);
  if (kill) {
    for (let round = 0; round < rounds; round++) {
      const seed = (options.seed + round) % SEED_LIMIT;
      const { text, broken } = await killRun({ ...options, seed, patienceMs: wait * 1000 });
      console.log(text);
      if (broken.length > 0) {
        process.exitCode = 1;
      }
    }
    return;
  }
  const result = await chaosRun({ ...options, patienceMs: wait * 1000 });
  console.log(tableOf(result));
  console.log(verdictOf(result));
  process.exitCode = result.broken.length === 0 ? 0 : 1;
}

void main();
