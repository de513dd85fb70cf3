import { spawn } from "node:child_process";
import { once } from "node:events";
import { projectName } from "../../start/program";
import { PROGRAM_DIR } from "../../start/programDir";
import type { Inputs } from "../mockedAws";
import { configOf, type GivenSettings, STACK } from "../recordingMocks";
import { launch, type RuntimeOptions, runtimeOptions } from "./languageHost";
import { type Received, startServices } from "./services";

/** One run of the program by Pulumi's own loader. */
export interface EngineRecording extends Received {
  exitCode: number | null;
  /** All that the process printed. */
  printed: string;
  /** From the start of the process to its last registration. */
  registeredAfterMs: number;
}

interface EngineOptions {
  /** As `pulumi preview` runs it: what only AWS can tell is unknown. @default false */
  preview?: boolean;
  /** Inputs of resources that an earlier deployment made, by `TYPES::NAME`. @default none */
  deployed?: Record<string, Inputs>;
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
 * Runs index.ts as `pulumi up` does, by Pulumi's own loader and language runtime in a process of
 * its own, against an engine that only records and adds AWS's outputs. Takes the
 * settings of `recordProgram`, and records what that does.
 */
export async function recordByEngine(
  settings: GivenSettings,
  options: EngineOptions = {},
): Promise<EngineRecording> {
  const { preview = false, programDir = PROGRAM_DIR, node = process.execPath } = options;
  const deployment = { project: projectName(), stack: STACK, preview };
  const services = await startServices({ ...deployment, deployed: options.deployed });
  try {
    const { args, cwd, environment } = launch({
      ...deployment,
      programDir,
      options: options.runtimeOptions ?? runtimeOptions(programDir),
      config: configOf(settings),
      address: services.address,
    });
    const startedAt = performance.now();
    const child = spawn(node, args, {
      cwd,
      env: { ...environment, ...options.environment },
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
