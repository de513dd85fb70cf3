/**
 * Measures the program, part by part, beside alternatives.
 *
 *     npm run bench -- --only packages,requests --repetitions 9
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import * as path from "node:path";
import { Command, InvalidArgumentError } from "commander";
import { PROGRAM_DIR } from "../start/programDir";
import type { Part } from "./part";
import { PARTS } from "./parts";
import { resultsText } from "./results";
import { terminalTable } from "./table";

interface CommandLine {
  only?: string[];
  repetitions: number;
  quick?: boolean;
  json?: boolean;
  write?: boolean;
}

const EXIT_USAGE_ERROR = 2;

const RESULTS = path.join(__dirname, "results.md");

function parseRepetitions(text: string): number {
  if (!/^[1-9]\d{0,3}$/.test(text)) {
    throw new InvalidArgumentError("It is a whole number from 1 on.");
  }
  return Number(text);
}

/** @returns each part once */
function parseParts(text: string): string[] {
  const names = [...new Set(text.split(","))];
  const unknown = names.find((name) => !Object.hasOwn(PARTS, name));
  if (unknown !== undefined) {
    throw new InvalidArgumentError(
      `There is no part '${unknown}'; allowed: ${Object.keys(PARTS).join(", ")}.`,
    );
  }
  return names;
}

function readCommandLine(): CommandLine {
  return new Command("npm run bench --")
    .description("Measures the program, side by side with alternatives.")
    .option(
      "--only <parts>",
      `measures these parts, separated by commas: ${Object.keys(PARTS).join(", ")}`,
      parseParts,
    )
    .option("--repetitions <number>", "measurements of each thing", parseRepetitions, 9)
    .option("--quick", "part local: a tenth of the sizes")
    .option("--json", "prints one JSON object, with a key for each part, and nothing else")
    .option("--write", "with --only: writes the parts to bench/results.md too")
    .exitOverride((error) => {
      process.exit(error.exitCode === 0 ? 0 : EXIT_USAGE_ERROR);
    })
    .parse()
    .opts<CommandLine>();
}

async function measure({ only, repetitions, quick }: CommandLine): Promise<Part[]> {
  const progress = (line: string) => {
    process.stderr.write(`${line}\n`);
  };
  const parts: Part[] = [];
  for (const [name, load] of Object.entries(PARTS)) {
    if (only === undefined || only.includes(name)) {
      parts.push(await load()({ repetitions, quick, progress }));
    }
  }
  return parts;
}

function writeResults(parts: Part[]): void {
  const before = existsSync(RESULTS) ? readFileSync(RESULTS, "utf8") : undefined;
  writeFileSync(RESULTS, resultsText(parts, Object.keys(PARTS), before));
}

async function main(): Promise<void> {
  const options = readCommandLine();
  // Pulumi looks for a callback's packages from the working directory.
  process.chdir(PROGRAM_DIR);
  // Standard output has the results only: libraries print to standard error.
  console.log = console.info = console.error;
  const parts = await measure(options);
  const output = options.json
    ? JSON.stringify(Object.fromEntries(parts.map(({ name, json }) => [name, json])))
    : parts.flatMap(({ sections }) => sections.map(terminalTable)).join("\n\n");
  process.stdout.write(`${output}\n`);
  if (options.only === undefined || options.write) {
    writeResults(parts);
  }
}

void main();
