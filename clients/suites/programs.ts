import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import * as path from "node:path";
import { PROGRAM_DIR } from "../../start/programDir";
import { findCommand, runCommand } from "../command";
import { DOTTED_KEYS, LARGE_BYTES, ODD_KEYS, writeRandom } from "../files";
import { type Checks, type Outcome, type Suite } from "../suite";
import { CACHE } from "../world";

/** Clients that are libraries of another language: a program of clients/ reports its checks. */

const CLIENTS = path.join(PROGRAM_DIR, "clients");

/** The folder of `clients/install --all`: s3fs needs a botocore of its own. */
const PACKAGES = "venv-packages";

/** Downloading and compiling an SDK on a slow machine. */
const BUILD_MS = 600_000;

const PROGRAM_MS = 300_000;

/** @param folder where clients/install has put the program's packages */
function pythonOf(folder: string): string {
  return path.join(CACHE, folder, "bin", "python");
}

interface Program {
  command: string;
  args: string[];
}

/** Runs a program that prints each check as a line of JSON, and records them. */
async function runProgram({ world, folder, record }: Checks, { command, args }: Program) {
  const large = path.join(folder, "large.bin");
  const keys = path.join(folder, "keys.json");
  if (!existsSync(large)) {
    writeRandom(large, LARGE_BYTES);
    writeFileSync(keys, JSON.stringify([...ODD_KEYS, ...DOTTED_KEYS]));
  }
  await runCommand(command, [...args, large, keys], {
    env: { ...world.env, PYTHONDONTWRITEBYTECODE: "1" },
    timeoutMs: PROGRAM_MS,
    onLine: (line) => {
      record(JSON.parse(line) as Outcome);
    },
  });
}

/** Downloads or compiles, with the user's own settings and caches. */
function build(command: string, args: string[]) {
  mkdirSync(CACHE, { recursive: true });
  return runCommand(command, args, { env: process.env, timeoutMs: BUILD_MS });
}

/** @param module one that clients/install puts into this folder */
function lacksModule(module: string, folder = "venv"): string | undefined {
  return existsSync(pythonOf(folder)) ? undefined : `${module} is not installed: clients/install`;
}

function script(name: string, folder = "venv"): Program {
  return { command: pythonOf(folder), args: [path.join(CLIENTS, "python", name)] };
}

/** @param pattern of the part of the printed version that has to be `least` or more */
export function lacksVersion(
  command: string,
  args: string[],
  pattern: RegExp,
  least: number,
): string | undefined {
  const file = findCommand(command);
  if (file === undefined) {
    return `${command} is not installed`;
  }
  const { stdout } = spawnSync(file, args, { encoding: "utf8" });
  const version = Number(pattern.exec(stdout)?.[1] ?? 0);
  return version < least ? `${command} is too old: ${stdout.split("\n")[0] ?? ""}` : undefined;
}

export const python: Suite = {
  name: "boto3",
  missing: () => lacksModule("boto3"),
  async run(checks) {
    await runProgram(checks, script("boto.py"));
    await runProgram(checks, script("services.py"));
  },
};

export const pythonPackages: Suite = {
  name: "python",
  optional: true,
  missing: () => lacksModule("minio", PACKAGES),
  async run(checks) {
    await runProgram(checks, script("packages.py", PACKAGES));
  },
};

export const go: Suite = {
  name: "go",
  // From this version on, Go downloads the one that go.mod names.
  missing: () => lacksVersion("go", ["version"], /go1\.(\d+)/, 21),
  async run(checks) {
    const file = path.join(CACHE, "go-client");
    await build("go", ["build", "-C", path.join(CLIENTS, "go"), "-o", file, "."]);
    await runProgram(checks, { command: file, args: [] });
  },
};

export const java: Suite = {
  name: "java",
  missing: () =>
    lacksVersion("java", ["--version"], /(\d+)/, 17) ??
    (findCommand("mvn") ? undefined : "mvn is not installed"),
  async run(checks) {
    const file = path.join(CACHE, "java-classpath");
    const pom = path.join(CLIENTS, "java", "pom.xml");
    await build("mvn", [
      "-q",
      "-B",
      "-f",
      pom,
      "dependency:build-classpath",
      `-Dmdep.outputFile=${file}`,
    ]);
    const classpath = readFileSync(file, "utf8").trim();
    const source = path.join(CLIENTS, "java", "Client.java");
    await runProgram(checks, { command: "java", args: ["-cp", classpath, source] });
  },
};
