import type { Context } from "./commands/context";
import { Failure, UsageError } from "./errors";
import { sleep } from "./http/retries";
import { connect, type Connection, type ConnectionOptions } from "./manager/connection";
import { createManagerClient } from "./manager/managerClient";
import { plainText } from "./output/plainText";

/** Options of every command. */
export interface GlobalOptions extends ConnectionOptions {
  json?: boolean;
}

export const EXIT_USAGE_ERROR = 2;

function writeLine(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** Prints an error as one line, and sets the exit code. */
function report(error: unknown, json: boolean): void {
  const isUsage = error instanceof UsageError;
  // A 400 of the API is about a value of the command line, such as a time.
  const isUserError = isUsage || (error instanceof Failure && error.status === 400);
  process.exitCode = isUserError ? EXIT_USAGE_ERROR : 1;
  if (!isUsage && !(error instanceof Failure)) {
    process.stderr.write(`${String((error as Error).stack)}\n`);
    return;
  }
  const { message } = error;
  const code = isUsage ? "wrong_usage" : error.code;
  const text = isUsage ? `error: ${message}` : `error: ${plainText(message)} (${plainText(code)})`;
  process.stderr.write(`${json ? JSON.stringify({ error: { code, message } }) : text}\n`);
}

/** Connects to the manager and runs a command. An error ends as one line and an exit code. */
export async function runCommand(
  { json = false, ...options }: GlobalOptions,
  work: (context: Context, connection: Connection) => Promise<void>,
): Promise<void> {
  try {
    const connection = await connect(options);
    const manager = createManagerClient(connection, sleep);
    // Undefined unless standard output is a terminal.
    const { columns: width } = process.stdout as { columns?: number };
    await work({ manager, json, write: writeLine, width }, connection);
  } catch (error) {
    report(error, json);
  }
}
