import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Duplex, Readable } from "node:stream";
import type { HttpRequest } from "../../http";
import { type EnvironmentSettings, environmentVariables } from "./environmentVariables";
import { lambdaNodeFlags } from "./nodeFlags";

const RUNTIME_CLIENT = require.resolve("aws-lambda-ric");
const NATIVE_CLIENT = join(__dirname, "ricClient.cjs");

/** How long the output of a dead process is waited for, in ms: others may still hold its pipes. */
const OUTPUT_GRACE_MS = 200;

/** What a runtime's process is started with. */
export interface RuntimeOptions extends Omit<EnvironmentSettings, "runtimeDir"> {
  /** Where Node keeps the compiled form of bundles between starts. */
  compileCacheFolder: string;
  /** The secret of its Runtime API. */
  runtimeSecret: string;
  /** The folder from which Node resolves the AWS SDK of Lambda's runtime. @default there is none */
  sdkFolder?: string;
  /** The source map's file by the path of a mapped file of the package. */
  sourceMapFiles: Record<string, string>;
  /** The port of 127.0.0.1 on which Node's debugger listens. @default it does not */
  inspectPort?: number;
  /** Gets each line of stdout and stderr. */
  onLine(line: string): void;
  /** Gets the request at which the process crashed, as a fault demanded. */
  onCrash(request: HttpRequest): void;
}

/** The process of one execution environment, with AWS's runtime interface client in it. */
export interface RuntimeProcess {
  /** The pipe of the process's invocations; undefined where the process could not be started. */
  readonly invocations: Duplex | undefined;
  /** False after the exit event. */
  alive(): boolean;
  /** Resident memory in MB, or 0 when it is gone. Linux only. */
  residentMegabytes(): number;
  /** Kills it and all that it started, at once. */
  kill(): void;
  /** Resolves when it and all that it started have ended and the output has been read. */
  ended: Promise<{ code: number | null; signal: string | null }>;
}

export function spawnRuntime(options: RuntimeOptions): RuntimeProcess {
  const { memoryMegabytes, taskRoot, compileCacheFolder, sdkFolder } = options;
  const runtimeDir = dirname(RUNTIME_CLIENT);
  const child = spawn(
    process.execPath,
    [
      ...lambdaNodeFlags(memoryMegabytes),
      ...debuggerFlags(options.inspectPort),
      "--require",
      NATIVE_CLIENT,
      RUNTIME_CLIENT,
    ],
    {
      cwd: taskRoot,
      env: {
        ...environmentVariables({ ...options, runtimeDir }),
        // For ricClient.cjs, which removes them.
        _LOCAL_LIFELINE_FD: "3",
        _LOCAL_INVOCATIONS_FD: "4",
        _LOCAL_RUNTIME_SECRET: options.runtimeSecret,
        _LOCAL_COMPILE_CACHE: compileCacheFolder,
        _LOCAL_SOURCE_MAPS: JSON.stringify(options.sourceMapFiles),
        ...(sdkFolder !== undefined && { _LOCAL_SDK_FOLDER: sdkFolder }),
      },
      // The fourth is the lifeline, the fifth has the invocations.
      stdio: ["ignore", "pipe", "pipe", "pipe", "pipe"],
      // A process group of its own, so that what the function starts ends with it, and Ctrl-C in
      // the terminal reaches the host alone, which can then close in order.
      detached: process.platform !== "win32",
      windowsHide: true,
    },
  );
  const onLine = (line: string) => {
    options.onLine(line);
  };
  forEachLine(child.stdout, onLine);
  forEachLine(child.stderr, onLine);
  forEachLine(lifelineOf(child), (line) => {
    options.onCrash(requestOf(line));
  });
  return {
    invocations: (child.stdio[4] as Duplex | null | undefined) ?? undefined,
    alive: () => child.exitCode === null && child.signalCode === null,
    residentMegabytes: () => residentMegabytes(child.pid),
    kill() {
      if (this.alive() && child.pid !== undefined) {
        killGroup(child.pid);
      }
    },
    ended: ended(child),
  };
}

/** The debugger's address is asked over HTTP; on stderr it would be a line of the function's log. */
function debuggerFlags(port: number | undefined): string[] {
  return port === undefined ? [] : [`--inspect=127.0.0.1:${port}`, "--inspect-publish-uid=http"];
}

function ended(child: ChildProcess): Promise<{ code: number | null; signal: string | null }> {
  // The lifeline breaks when the process dies, and its death is seen by the `exit` event.
  lifelineOf(child)
    ?.resume()
    .on("error", () => undefined);
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code, signal) => {
      if (child.pid !== undefined) {
        killGroup(child.pid);
      }
      const grace = setTimeout(() => {
        for (const stream of child.stdio) {
          stream?.destroy();
        }
      }, OUTPUT_GRACE_MS);
      child.once("close", () => {
        clearTimeout(grace);
        resolve({ code, signal });
      });
    });
  });
}

/**
 * The pipe between host and process: it ends for the process when the host is gone, and the process
 * writes the request at which it crashes to it.
 */
function lifelineOf(child: ChildProcess): Readable | null {
  return (child.stdio[3] as Readable | null | undefined) ?? null;
}

/** The request at which a process crashed, as ricClient.cjs wrote it down. */
function requestOf(line: string): HttpRequest {
  const request = JSON.parse(line) as Omit<HttpRequest, "body"> & { body: string };
  return { ...request, body: Buffer.from(request.body) };
}

function killGroup(pid: number): void {
  try {
    process.kill(process.platform === "win32" ? pid : -pid, "SIGKILL");
  } catch (error) {
    // It has ended already.
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") {
      throw error;
    }
  }
}

function forEachLine(stream: Readable | null, onLine: (line: string) => void): void {
  let rest = "";
  stream?.setEncoding("utf8").on("data", (chunk: string) => {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop() ?? "";
    lines.forEach(onLine);
  });
  stream?.once("end", () => {
    if (rest !== "") {
      onLine(rest);
    }
  });
}

function residentMegabytes(pid: number | undefined): number {
  try {
    const status = readFileSync(`/proc/${pid ?? 0}/status`, "latin1");
    return Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? 0) / 1024;
  } catch {
    return 0;
  }
}
