import { mkdirSync } from "node:fs";
import * as path from "node:path";
import { Command, InvalidArgumentError } from "commander";
import { type Outcome, Skipped, type Suite } from "./suite";
import { openWorld, type World } from "./world";

interface CommandLine {
  only?: string[];
  all?: boolean;
}

const EXIT_USAGE_ERROR = 2;
const EXIT_INTERRUPTED = 130;

/** What `npm run` calls it, what it does, and what it runs. */
interface Script {
  name: string;
  description: string;
  suites: Suite[];
  /** Installs what the suites need. @throws Error if it is not to be had */
  install?: () => void;
}

function readCommandLine({ name: script, description, suites }: Script): CommandLine {
  const names = suites.map(({ name }) => name).join(", ");
  const parseNames = (text: string): string[] => {
    const given = text.split(",");
    const unknown = given.find((name) => !suites.some((suite) => suite.name === name));
    if (unknown !== undefined) {
      throw new InvalidArgumentError(`There is no client '${unknown}'; there are: ${names}.`);
    }
    return given;
  };
  const command = new Command(`npm run ${script} --`)
    .description(description)
    .option("--only <clients>", `these clients, separated by commas: ${names}`, parseNames)
    .exitOverride((error) => {
      process.exit(error.exitCode === 0 ? 0 : EXIT_USAGE_ERROR);
    });
  if (suites.some(({ optional }) => optional)) {
    command.option("--all", "the optional clients, too");
  }
  return command.parse().opts<CommandLine>();
}

function lineOf({ name, error, skipped }: Outcome): string {
  if (error !== undefined) {
    return `  FAILED  ${name}\n${error.replaceAll(/^/gm, "          ")}`;
  }
  return skipped === undefined ? `  passed  ${name}` : `  skipped ${name}: ${skipped}`;
}

/** Runs all checks of one client. @returns their outcomes */
async function runSuite(suite: Suite, world: World): Promise<Outcome[]> {
  const reason = suite.missing();
  if (reason !== undefined) {
    console.log(`${suite.name}\n  skipped: ${reason}`);
    return [{ name: suite.name, skipped: reason }];
  }
  console.log(suite.name);
  const outcomes: Outcome[] = [];
  const record = (outcome: Outcome) => {
    outcomes.push(outcome);
    console.log(lineOf(outcome));
  };
  const check = async (name: string, run: () => Promise<void> | void) => {
    try {
      await run();
      record({ name });
    } catch (error) {
      const { message } = error as Error;
      record(error instanceof Skipped ? { name, skipped: message } : { name, error: message });
    }
  };
  const folder = path.join(world.folder, suite.name);
  mkdirSync(folder);
  const started = performance.now();
  try {
    await suite.run({ world, folder, check, record });
  } catch (error) {
    record({ name: "all checks were made", error: String((error as Error).stack) });
  }
  console.log(`  ${((performance.now() - started) / 1000).toFixed(1)} s`);
  return outcomes;
}

/** Runs clients against a local run, and reports each check; the exit code says whether all passed. */
export async function runClients(script: Script): Promise<void> {
  const { only, all } = readCommandLine(script);
  script.install?.();
  const suites = script.suites.filter(({ name, optional }) =>
    only ? only.includes(name) : all === true || optional !== true,
  );
  const world = await openWorld();
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => {
      void world.stop().finally(() => process.exit(EXIT_INTERRUPTED));
    });
  }
  const outcomes: Outcome[] = [];
  try {
    for (const suite of suites) {
      outcomes.push(...(await runSuite(suite, world)));
    }
  } finally {
    const errors = world.errors();
    const code = await world.stop();
    const ends: Outcome[] = [
      {
        name: "the run reported no error",
        error: errors.length === 0 ? undefined : errors.join("\n"),
      },
      { name: "the run ended on Ctrl-C", error: code === 0 ? undefined : `exit code ${code}` },
    ];
    console.log(["the local run", ...ends.map(lineOf)].join("\n"));
    outcomes.push(...ends);
  }
  const failed = outcomes.filter(({ error }) => error !== undefined).length;
  const skipped = outcomes.filter((outcome) => outcome.skipped !== undefined).length;
  console.log(`${outcomes.length - failed - skipped} passed, ${failed} failed, ${skipped} skipped`);
  process.exitCode = failed === 0 ? 0 : 1;
}
