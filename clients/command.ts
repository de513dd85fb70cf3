import { spawn } from "node:child_process";
import { accessSync, constants } from "node:fs";
import * as path from "node:path";

export interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

export interface CommandOptions {
  env: NodeJS.ProcessEnv;
  cwd?: string;
  /** For standard input. @default nothing */
  input?: string | Buffer;
  /** Milliseconds until it is killed. @default two minutes */
  timeoutMs?: number;
  /** Whether it has to end with an exit code above 0. @default false */
  fails?: boolean;
  /** Called with each line of standard output as it comes. */
  onLine?: (line: string) => void;
}

const TIMEOUT_MS = 120_000;

const SHOWN = 2000;

/** @returns the absolute path of a command, or nothing where this machine does not have it */
export function findCommand(name: string): string | undefined {
  return (process.env.PATH ?? "")
    .split(path.delimiter)
    .map((folder) => path.join(folder, name))
    .find((file) => {
      try {
        accessSync(file, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

/** Runs a command to its end. Rejects with its output unless it ends as expected. */
export function runCommand(
  command: string,
  args: string[],
  { env, cwd, input = "", timeoutMs = TIMEOUT_MS, fails = false, onLine }: CommandOptions,
): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { env, cwd, stdio: ["pipe", "pipe", "pipe"] });
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    let unfinished = "";
    let timedOut = false;
    const timer = setTimeout(() => {
      timedOut = true;
      child.kill("SIGKILL");
    }, timeoutMs);
    child.stdout.on("data", (chunk: Buffer) => {
      stdout.push(chunk);
      if (onLine) {
        const lines = (unfinished + chunk.toString()).split("\n");
        unfinished = lines.pop() ?? "";
        lines.forEach(onLine);
      }
    });
    child.stderr.on("data", (chunk: Buffer) => stderr.push(chunk));
    // A command that reads no input may be gone before it is written.
    child.stdin.on("error", () => undefined);
    child.stdin.end(input);
    child.on("error", (error) => {
      clearTimeout(timer);
      reject(error);
    });
    child.on("close", (code) => {
      clearTimeout(timer);
      const ended = {
        code,
        stdout: Buffer.concat(stdout).toString(),
        stderr: Buffer.concat(stderr).toString(),
      };
      const line = [path.basename(command), ...args].join(" ");
      if (timedOut) {
        reject(new Error(`${line}: not done after ${timeoutMs / 1000} s. ${outputOf(ended)}`));
      } else if ((code === 0) === fails) {
        reject(new Error(`${line}: exit code ${String(code)}. ${outputOf(ended)}`));
      } else {
        resolve(ended);
      }
    });
  });
}

function outputOf({ stdout, stderr }: Ended): string {
  return `${stderr.trim()}\n${stdout.trim()}`.trim().slice(-SHOWN);
}
