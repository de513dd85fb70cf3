import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { setImmediate, setTimeout } from "node:timers/promises";
import { Command, InvalidArgumentError } from "commander";
import type { Inspect } from "local-aws";
import { type FaultPlan, parseFaultPlan, StartError } from "local-aws/faults";
import { DEFAULT_PORT } from "../cli/defaultPort";
import { optionTakenByNpm } from "../cli/npmOptions";
import { createLineWriter } from "./lineWriter";
import { openPage } from "./openPage";
import { jsonOutput, type Output, textOutput } from "./output";
import type * as RunModule from "./run";

interface CommandLine {
  port: number;
  data?: string;
  email?: string;
  confirm?: boolean;
  config?: Record<string, string>;
  faults?: FaultPlan;
  inspect?: Inspect;
  watch?: boolean;
  open?: boolean;
  json?: boolean;
  verbose?: boolean;
}

const requireModule = createRequire(__filename);

const EXIT_USAGE_ERROR = 2;

/** Ctrl-C ends the run within a second, even if a part of it hangs. */
const STOP_MS = 900;

const PARENT_POLL_MS = 100;

/** After an error of the start, until a signal that has caused it is certain to be seen. */
const SIGNAL_MS = 50;

function parsePort(text: string): number {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port > 65535) {
    throw new InvalidArgumentError("A port is a whole number from 0 to 65535.");
  }
  return port;
}

function parseInspect(text: string): Inspect {
  const [, functionName = "", port = "0"] = /^([^=]+)(?:=(.*))?$/.exec(text) ?? [];
  if (functionName === "") {
    throw new InvalidArgumentError("A Lambda to inspect is given as NAME or NAME=PORT.");
  }
  return { functionName, port: parsePort(port) };
}

function parseFolder(text: string): string {
  if (text === "") {
    throw new InvalidArgumentError("A folder has a name.");
  }
  return text;
}

function collectSetting(
  text: string,
  settings: Record<string, string> = {},
): Record<string, string> {
  const [, name, value] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
  if (name === undefined || value === undefined) {
    throw new InvalidArgumentError("A setting is given as NAME=VALUE.");
  }
  return { ...settings, [name]: value };
}

function readFaults(file: string): FaultPlan {
  try {
    return parseFaultPlan(readFileSync(file, "utf8"));
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message);
  }
}

function refuseOptionsOfNpm(command: Command): void {
  const taken = optionTakenByNpm("start", command.options);
  if (taken) {
    const { option, value } = taken;
    const rest = value === "true" ? process.argv.slice(2).join(" ") : value;
    const given = option.isBoolean() ? "" : ` ${rest || option.flags.replace(/^.* /, "")}`;
    command.error(
      `error: npm took the option --${option.name()} for its own. Write two dashes before the options: ` +
        `npm start -- --${option.name()}${given}`,
    );
  }
}

/** Reads the command line; ends the process for --help (0) and for a usage error (2). */
function readCommandLine(): CommandLine {
  const command = new Command("npm start --")
    .description("Runs the program of index.ts on this machine, without an AWS account.")
    .option("--port <number>", "port on 127.0.0.1; 0 takes a free one", parsePort, DEFAULT_PORT)
    .option(
      "--data <dir>",
      "keep files, rows and mails in this folder (default: keep nothing)",
      parseFolder,
    )
    .option("--email <addresses>", "who gets the mails (as the setting email)")
    .option("--confirm", "the mails' addresses have to confirm their subscription, as on AWS")
    .option(
      "--config <name=value>",
      "a setting, instead of the one in Pulumi.dev.yaml; may be repeated",
      collectSetting,
    )
    .option("--faults <file>", "inject the faults of this JSON file", readFaults)
    .option(
      "--inspect <lambda[=port]>",
      "run this Lambda under Node's debugger, without its timeout",
      parseInspect,
    )
    .option("--verbose", "print every line that the Lambdas log")
    .option("--watch", "serve changed handlers within a second after they are saved")
    .option("--open", "open the console in the browser")
    .option("--json", "print one JSON object a line, for programs")
    .helpOption("--help", "show this help")
    .exitOverride((error) => {
      process.exit(error.exitCode === 0 ? 0 : EXIT_USAGE_ERROR);
    });
  refuseOptionsOfNpm(command);
  return command.parse().opts<CommandLine>();
}

/** Pulumi's RunError, by which the program refuses a setting. */
function isSettingRefused(error: unknown): error is Error {
  return error instanceof Error && "__pulumiRunError" in error;
}

const REMEDIES = {
  config: "Give another with --config NAME=VALUE.",
  port: "Choose another with --port, or a free one with --port 0.",
  dataDir: "Choose another with --data.",
  inspect: "Choose another with --inspect NAME=PORT, or a free one with --inspect NAME.",
};

function messageOf(error: Error): string {
  const option = error instanceof StartError ? error.option : undefined;
  // Pulumi writes before the program's own error which properties were waiting for it.
  const message = error.message.replace(/^(?:error serializing property "\w+": )+/, "");
  return option === undefined ? localAdvice(message) : `${message} ${REMEDIES[option]}`;
}

/** The program's advice is for a stack; here, a setting is an option. */
function localAdvice(message: string): string {
  return message.replace(/pulumi config set (\S+) VALUE/, (_, setting: string) =>
    setting === "email" ? "--email ADDRESSES" : `--config ${setting}=VALUE`,
  );
}

/**
 * Starts the run; ends the process where it cannot.
 *
 * @param isStopping whether Ctrl-C has come, which also ends the bundler: its errors are no news then
 */
async function start(
  commandLine: CommandLine,
  output: Output,
  isStopping: () => boolean,
): Promise<RunModule.Run> {
  const { port, data: dataDir, email, confirm, config = {}, faults, inspect, watch } = commandLine;
  // Loaded late, since Pulumi's packages take a while: --help and wrong options do without them.
  const { startRun } = requireModule("./run") as typeof RunModule;
  // A signal that came in the meantime ends the process here, before there is anything to remove.
  await setImmediate();
  try {
    return await startRun({
      port,
      dataDir,
      confirmSubscriptions: confirm,
      config: email === undefined ? config : { ...config, email },
      faults,
      inspect,
      watch,
      onEvent: (event) => {
        // Invocations that Ctrl-C cuts off fail. Their errors are no news where nothing is kept.
        const isCutOff = event.type === "log" || event.type === "error";
        if (!(isCutOff && dataDir === undefined && isStopping())) {
          output.event(event);
        }
      },
    });
  } catch (error) {
    await setTimeout(SIGNAL_MS);
    if (isStopping()) {
      exitQuietly();
    }
    const isUsageError = error instanceof StartError || isSettingRefused(error);
    process.stderr.write(`${isUsageError ? messageOf(error) : String((error as Error).stack)}\n`);
    process.exit(isUsageError ? EXIT_USAGE_ERROR : 1);
  }
}

/** Ends a start. Pulumi would list the resources that are not registered yet, and exit with 1. */
function exitQuietly(): never {
  process.stderr.write = () => true;
  process.once("exit", () => {
    process.exitCode = 0;
  });
  process.exit(0);
}

/**
 * npm passes signals on to the shell of its script, which may end without passing them on; killed
 * itself, npm cannot.
 */
function onParentGone(stop: () => void): void {
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid !== parent) {
      clearInterval(timer);
      stop();
    }
  }, PARENT_POLL_MS);
  timer.unref();
}

async function main(): Promise<void> {
  const commandLine = readCommandLine();
  const writer = createLineWriter((text) => process.stdout.write(text));
  // The last lines: a write to a file, a pipe or a terminal is done when the call returns.
  process.on("exit", () => {
    writer.flush();
  });
  const writeLine = (text: string) => {
    writer.line(text);
  };
  const writeError = (text: string) => {
    process.stderr.write(`${text}\n`);
  };
  const { json, verbose } = commandLine;
  const output = json
    ? jsonOutput(writeLine, writeError)
    : textOutput(writeLine, writeError, { verbose });
  // A closed pipe (`npm start | head`) ends the run like Ctrl-C.
  process.stdout.on("error", () => process.kill(process.pid, "SIGTERM"));
  let run = undefined as RunModule.Run | undefined;
  let stopping = false;
  const stop = () => {
    // npm passes Ctrl-C on to a script that already has it from the terminal.
    if (stopping) {
      return;
    }
    stopping = true;
    if (!run) {
      exitQuietly();
    }
    void setTimeout(STOP_MS).then(() => process.exit(0));
    void run.stop().finally(() => {
      process.exit(0);
    });
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(signal, stop);
  }
  if (process.env.npm_lifecycle_event !== undefined) {
    onParentGone(stop);
  }
  run = await start(commandLine, output, () => stopping);
  output.ready(run);
  if (commandLine.open) {
    openPage(String(run.outputs.consoleUrl), writeError);
  }
  if (commandLine.faults) {
    output.faults(commandLine.faults.seed);
  }
}

void main();
