import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import * as path from "node:path";
import { parse as parseYaml } from "yaml";

/** `runtime.options` of Pulumi.yaml. */
export interface RuntimeOptions {
  /** Whether Pulumi's own loader compiles TypeScript. @default true */
  typescript?: boolean;
  /** Path from the program's folder. @default tsconfig.json */
  tsconfig?: string;
  /** Arguments for Node, separated by spaces. */
  nodeargs?: string;
  packagemanager?: string;
}

/** What the engine asks of a language host. */
export interface RunRequest {
  /** The folder with Pulumi.yaml in it. */
  programDir: string;
  options: RuntimeOptions;
  project: string;
  stack: string;
  /** By full name, such as `aws:region`. */
  config: Record<string, string>;
  preview: boolean;
  /** Where the resource monitor and the engine listen, as `host:port`. */
  address: string;
}

/** A process to start. */
export interface Launch {
  args: string[];
  cwd: string;
  environment: NodeJS.ProcessEnv;
}

/** Variables of the machine that would change what the program does. */
const REMOVED_VARIABLES = /^(AWS|PULUMI)_/;

/** `runtime.options` of the program's Pulumi.yaml. */
export function runtimeOptions(programDir: string): RuntimeOptions {
  const { runtime } = parseYaml(readFileSync(path.join(programDir, "Pulumi.yaml"), "utf8")) as {
    runtime: { options?: RuntimeOptions };
  };
  return runtime.options ?? {};
}

/**
 * How `pulumi-language-nodejs` starts a program: see `execRuntime` and `constructArguments` in
 * sdk/nodejs/cmd/pulumi-language-nodejs/main.go of pulumi/pulumi. The engine starts the host in the
 * folder of Pulumi.yaml, wherever `pulumi` was started, and the program inherits that folder.
 *
 * Left out: tracing, the debugger, and the pipes (`--sync`) for synchronous invokes.
 */
export function launch(request: RunRequest): Launch {
  const { programDir, options } = request;
  return {
    args: [
      ...splitArguments(options.nodeargs ?? ""),
      createRequire(path.join(programDir, "index.ts")).resolve("@pulumi/pulumi/cmd/run"),
      ...["--monitor", request.address],
      ...["--engine", request.address],
      ...["--organization", "organization"],
      ...["--project", request.project],
      ...["--root-directory", programDir],
      ...["--stack", request.stack],
      ...["--pwd", programDir],
      ...(request.preview ? ["--dry-run"] : []),
      ...["--parallel", "16"],
      ".",
    ],
    cwd: programDir,
    environment: {
      ...Object.fromEntries(
        Object.entries(process.env).filter(([name]) => !REMOVED_VARIABLES.test(name)),
      ),
      PULUMI_CONFIG: JSON.stringify(oldStyle(request.config)),
      PULUMI_CONFIG_SECRET_KEYS: "[]",
      ...(options.typescript === false ? {} : { PULUMI_NODEJS_TYPESCRIPT: "true" }),
      ...(options.tsconfig ? { PULUMI_NODEJS_TSCONFIG_PATH: options.tsconfig } : {}),
    },
  };
}

/** The host splits as a shell does; quotes and escapes are not supported. */
function splitArguments(text: string): string[] {
  if (/["'\\#]/.test(text)) {
    throw new Error(`Quotes and escapes in nodeargs are not supported: ${text}`);
  }
  return text.split(/\s+/).filter((each) => each !== "");
}

/** `namespace:config:name`, which the host writes for old versions of the SDK. */
function oldStyle(config: Record<string, string>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(config).map(([name, value]) => [name.replace(":", ":config:"), value]),
  );
}
