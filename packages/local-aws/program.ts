import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import * as path from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { parse as parseYaml } from "yaml";
import type { Cloud } from "./cloud";
import { provision } from "./resources";
import { StartError } from "./startError";

const STACK = "dev";

const requireModule = createRequire(__filename);

interface ProjectFile {
  name: string;
  config?: Record<string, unknown>;
}

interface StackFile {
  config?: Record<string, unknown>;
}

function readProject(programDir: string): ProjectFile {
  return parseYaml(readFileSync(path.join(programDir, "Pulumi.yaml"), "utf8")) as ProjectFile;
}

/** The stack's own settings; none, once `pulumi stack rm` has deleted its file. */
function readStack(programDir: string): StackFile {
  const file = path.join(programDir, `Pulumi.${STACK}.yaml`);
  return existsSync(file)
    ? ((parseYaml(readFileSync(file, "utf8")) as StackFile | null) ?? {})
    : {};
}

/** The project's name, as Pulumi.yaml gives it. */
export function projectName(programDir: string): string {
  return readProject(programDir).name;
}

/**
 * The settings of the stack `dev`, as Pulumi.dev.yaml gives them, under the ones given.
 *
 * @param settings by name, with or without a namespace; without one they are the project's
 * @returns by full name, such as `aws:region`
 * @throws StartError for a setting that Pulumi.yaml does not declare
 */
export function stackConfig(
  programDir: string,
  settings: Record<string, string>,
): Record<string, string> {
  const { name: project, config: declared = {} } = readProject(programDir);
  for (const name of Object.keys(settings)) {
    if (!name.includes(":") && !Object.hasOwn(declared, name)) {
      throw new StartError(
        `There is no setting "${name}"; there are ${Object.keys(declared).join(", ")}.`,
      );
    }
  }
  const config: Record<string, string> = { "aws:region": "us-east-1" };
  for (const [name, value] of Object.entries({ ...readStack(programDir).config, ...settings })) {
    const fullName = name.includes(":") ? name : `${project}:${name}`;
    config[fullName] = typeof value === "string" ? value : JSON.stringify(value);
  }
  return config;
}

/** Of the program's folder, what registers no resources: packages, and the local cloud itself. */
function isProgramModule(file: string, programDir: string): boolean {
  return (
    file.startsWith(programDir + path.sep) &&
    !file.includes(`${path.sep}node_modules${path.sep}`) &&
    !file.startsWith(__dirname + path.sep)
  );
}

/**
 * Has a program's modules loaded anew, and its resources registered again, by the next load.
 *
 * @param modules names in the program's folder: files, or folders with all that is in them
 * @default every file of the folder that is loaded, but for node_modules and this package
 */
export function forgetModules(programDir: string, modules?: string[]): void {
  const named = modules?.map((name) => path.join(programDir, name));
  for (const file of Object.keys(requireModule.cache)) {
    const forgets = named
      ? named.some((module) => file === module || file.startsWith(module + path.sep))
      : isProgramModule(file, programDir);
    if (forgets) {
      // The cache is a plain object, and deleting is the documented way to load a module again.
      // eslint-disable-next-line @typescript-eslint/no-dynamic-delete
      delete requireModule.cache[file];
    }
  }
}

/**
 * The inputs as a provider sees them: where the program gave a resource, its id. (The engine does
 * the same for a real provider.)
 */
async function idsForResources(value: unknown): Promise<unknown> {
  if (pulumi.CustomResource.isInstance(value)) {
    return valueOf(value.id);
  }
  if (Array.isArray(value)) {
    return Promise.all(value.map(idsForResources));
  }
  // A secret, or something with one in it: a provider gets it as it is.
  if (pulumi.runtime.isRpcSecret(value)) {
    return idsForResources(pulumi.runtime.unwrapRpcSecret(value));
  }
  if (typeof value !== "object" || value === null || pulumi.asset.AssetArchive.isInstance(value)) {
    return value;
  }
  const entries = Object.entries(value).map(
    async ([name, property]) => [name, await idsForResources(property)] as const,
  );
  return Object.fromEntries(await Promise.all(entries));
}

async function valueOf(output: unknown): Promise<unknown> {
  return new Promise((resolve) => {
    (pulumi.output(output) as pulumi.Output<unknown>).apply(resolve);
  });
}

/** Where a program is, and what of it is loaded anew. */
export interface ProgramFiles {
  /** The folder that Pulumi.yaml is in. */
  programDir: string;
  /**
   * Absolute path of the entry.
   * @default index.ts in the program's folder
   */
  programFile?: string;
  /** As for `forgetModules`. */
  modules?: string[];
}

/**
 * Runs a program as it is, under Pulumi's own mocks, with the cloud as its provider.
 *
 * @param config by full name
 * @returns the stack's outputs
 * @throws the first error: of the program itself, or of a resource that cannot be made
 */
export async function runProgram(
  cloud: Cloud,
  config: Record<string, string>,
  { programDir, programFile = path.join(programDir, "index.ts"), modules }: ProgramFiles,
): Promise<{ outputs: Record<string, unknown>; functionNames: string[] }> {
  const errors: unknown[] = [];
  const functionNames: string[] = [];
  const fail = (error: unknown) => {
    errors.push(error);
  };
  pulumi.runtime.setAllConfig(config);
  await pulumi.runtime.setMocks(
    {
      newResource: async ({ custom, type, name, inputs }) => {
        if (custom === false) {
          return { id: undefined, state: inputs as Record<string, unknown> };
        }
        try {
          const plainInputs = (await idsForResources(inputs)) as Record<string, unknown>;
          const resource = { type, name, inputs: plainInputs };
          const { id, state } = await provision(resource, cloud);
          if (type === "aws:lambda/function:Function") {
            functionNames.push(id);
          }
          return { id, state: { ...plainInputs, ...state } };
        } catch (error) {
          // Pulumi would only log it; the start ends with the first one, below.
          fail(error);
          return { id: `${name}-failed`, state: {} };
        }
      },
      call: ({ token }) => {
        if (token !== "aws:index/getCallerIdentity:getCallerIdentity") {
          fail(new Error(`The program calls ${token}, which the local run does not know.`));
        }
        const { accountId } = cloud;
        return {
          accountId,
          id: accountId,
          userId: accountId,
          arn: `arn:aws:iam::${accountId}:root`,
        };
      },
    },
    projectName(programDir),
    STACK,
    false,
  );
  process.on("unhandledRejection", fail);
  // Pulumi takes a stack trace of every resource and output; mapping each one back to TypeScript is
  // a tenth of the start. A stack that is looked at later is mapped then.
  const stackTraces = Error as { prepareStackTrace?: unknown };
  const mapped = stackTraces.prepareStackTrace;
  stackTraces.prepareStackTrace = undefined;
  try {
    forgetModules(programDir, modules);
    forgetModules(path.dirname(programFile), [path.basename(programFile)]);
    // An import would load the program before the mocks are set, and only once.
    const program = requireModule(programFile) as Record<string, unknown>;
    await pulumi.runtime.disconnect();
    if (errors.length > 0) {
      throw errors[0];
    }
    const outputs: Record<string, unknown> = {};
    for (const [name, output] of Object.entries(program)) {
      const value = await valueOf(output);
      if (value !== undefined) {
        outputs[name] = value;
      }
    }
    return { outputs, functionNames };
  } finally {
    stackTraces.prepareStackTrace = mapped;
    process.off("unhandledRejection", fail);
  }
}
