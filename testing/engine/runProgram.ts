import { spawn } from "node:child_process";
import { once } from "node:events";
import { PROGRAM_DIR } from "../../start/programDir";
import { launch, type RuntimeOptions,runtimeOptions } from "./languageHost";
import { type Received, startServices } from "./services";

/** One run of the program by Pulumi's own loader. */
export interface EngineRun extends Received {
  exitCode: number | null;
  /** All that the process printed. */
  printed: string;
  /** From the start of the process to its last registration. */
  registeredAfterMs: number;
}

export interface EngineOptions {
  project: string;
  stack: string;
  /** By full name, such as `aws:region`. */
  config: Record<string, string>;
  /** As `pulumi preview` runs it: what only AWS can tell is unknown. @default false */
  preview?: boolean;
  /** The folder with Pulumi.yaml in it. @default the program's own */
  programDir?: string;
  /** @default those of Pulumi.yaml */
  runtimeOptions?: RuntimeOptions;
  /** The `node` on the user's PATH. @default that of this process */
  node?: string;
  /** Variables besides those of the language host. */
  environment?: Record<string, string>;
}

/**
 * Runs the program as `pulumi up` does, by Pulumi's own loader and language runtime in a process of
 * its own, against an engine that only records, and in which AWS is as it would answer.
 */
export async function runProgram(given: EngineOptions): Promise<EngineRun> {
  const { project, stack, config, preview = false, programDir = PROGRAM_DIR } = given;
  const options = given.runtimeOptions ?? runtimeOptions(programDir);
  const services = await startServices({ project, stack, preview });
  const { address } = services;
  try {
    const host = launch({ programDir, options, project, stack, config, preview, address });
    const startedAt = performance.now();
    const child = spawn(given.node ?? process.execPath, host.args, {
      cwd: host.cwd,
      env: { ...host.environment, ...given.environment },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let printed = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (chunk: Buffer) => (printed += chunk.toString()));
    }
    const [exitCode] = (await once(child, "close")) as [number | null];
    const { received } = services;
    const registeredAfterMs = received.lastRegistrationAt - startedAt;
    return { ...received, exitCode, printed, registeredAfterMs };
  } finally {
    services.stop();
  }
}
