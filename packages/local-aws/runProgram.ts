import { createRequire } from "node:module";
import * as path from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { forgetModules, projectName, STACK } from "./program";
import type { Provisioned, Registration } from "./resources/resource";

const requireModule = createRequire(__filename);

/** The type of a function. */
export const FUNCTION = "aws:lambda/function:Function";

/** The component behind `bucket.onObjectCreated` and `bucket.onEvent`. */
const BUCKET_SUBSCRIPTION = "aws:s3:BucketEventSubscription";

/** The location of a program. */
export interface ProgramFiles {
  /** The folder with Pulumi.yaml; the program runs in it, as under the Pulumi CLI. */
  programDir: string;
  /**
   * Absolute path of the entry.
   * @default index.ts in the program's folder
   */
  programFile?: string;
  /**
   * The files and folders, by name in the program's folder, that are loaded again for each run of
   * one process.
   * @default every loaded file of the folder, except node_modules
   */
  modules?: string[];
}

/** Makes the resources of a program. */
export interface Provider {
  readonly accountId: string;
  make(resource: Registration<Record<string, unknown>>): Promise<Provisioned>;
}

/** What a program registered and exported. */
export interface Registered {
  /** The stack's outputs, resolved. */
  outputs: Record<string, unknown>;
  functionNames: string[];
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
  // A provider gets a secret, or a value with one in it, in plain text.
  if (pulumi.runtime.isRpcSecret(value)) {
    return idsForResources(pulumi.runtime.unwrapRpcSecret(value));
  }
  const isFile = pulumi.asset.Asset.isInstance(value) || pulumi.asset.Archive.isInstance(value);
  if (typeof value !== "object" || value === null || isFile) {
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

const STACK_REFERENCE = "pulumi:pulumi:StackReference";

/** The error for a resource that exists elsewhere: `get`, the option `import`, another stack. */
function notMadeHere(type: string, name: string, id: string): Error {
  if (type === STACK_REFERENCE) {
    return new Error(
      `The program reads the outputs of another stack, "${name}" (${type}), which is not served: ` +
        "a run has one stack. Take the values from the stack's settings instead.",
    );
  }
  return new Error(
    `The program reads or imports the existing resource "${name}" (${type}) with the id "${id}", ` +
      "which is not served: a run has the resources that its program creates. Create it with " +
      '"new", or read it on AWS only (by a setting).',
  );
}

/** Pulumi's view of a provider. */
function mocksOf(
  provider: Provider,
  functionNames: string[],
  fail: (error: unknown) => void,
): pulumi.runtime.Mocks {
  let hasSubscriptions = false;

  // @pulumi/aws registers the notification of all a bucket's subscriptions when the process has
  // nothing left to do, which a process that serves requests never reaches.
  function registerNotifications(): void {
    if (!hasSubscriptions) {
      hasSubscriptions = true;
      process.emit("beforeExit", 0);
    }
  }

  return {
    newResource: async ({ custom, type, name, id: existingId, inputs }) => {
      try {
        if (existingId) {
          throw notMadeHere(type, name, existingId);
        }
        if (custom === false) {
          if (type === BUCKET_SUBSCRIPTION) {
            registerNotifications();
          }
          return { id: undefined, state: inputs as Record<string, unknown> };
        }
        const plainInputs = (await idsForResources(inputs)) as Record<string, unknown>;
        const { id, state } = await provider.make({ type, name, inputs: plainInputs });
        if (type === FUNCTION) {
          functionNames.push(id);
        }
        return { id, state: { ...plainInputs, ...state } };
      } catch (error) {
        // Pulumi would only log it; the start ends with the first error.
        fail(error);
        return { id: `${name}-failed`, state: {} };
      }
    },
    call: ({ token }) => {
      if (token !== "aws:index/getCallerIdentity:getCallerIdentity") {
        fail(
          new Error(
            `The program calls ${token}, which is not served; the only call that is served is ` +
              "aws.getCallerIdentity. Take the value from the stack's settings instead.",
          ),
        );
      }
      const { accountId } = provider;
      return {
        accountId,
        id: accountId,
        userId: accountId,
        arn: `arn:aws:iam::${accountId}:root`,
      };
    },
  };
}

/**
 * Pulumi takes a stack trace of every resource and output; mapping each one back to TypeScript is a
 * tenth of the start. A stack that is read later is mapped then.
 *
 * @returns ends it
 */
function withoutStackMapping(): () => void {
  const stackTraces = Error as { prepareStackTrace?: unknown };
  const mapped = stackTraces.prepareStackTrace;
  stackTraces.prepareStackTrace = undefined;
  return () => {
    stackTraces.prepareStackTrace = mapped;
  };
}

/**
 * Enters the program's folder: programs and Pulumi's own packaging use paths relative to it.
 *
 * @returns leaves it
 */
function enterFolder(folder: string): () => void {
  const before = process.cwd();
  if (path.resolve(folder) === before) {
    return () => undefined;
  }
  process.chdir(folder);
  return () => {
    process.chdir(before);
  };
}

/**
 * Runs an unchanged program under Pulumi's own mocks, with this provider of resources. The process
 * works in the program's folder until it is done.
 *
 * @param config by full name
 * @throws the first error: of the program itself, or of a resource that cannot be made
 */
export async function runProgram(
  provider: Provider,
  config: Record<string, string>,
  { programDir, programFile = path.join(programDir, "index.ts"), modules }: ProgramFiles,
): Promise<Registered> {
  const errors: unknown[] = [];
  const functionNames: string[] = [];
  const fail = (error: unknown) => {
    errors.push(error);
  };
  pulumi.runtime.setAllConfig(config);
  const mocks = mocksOf(provider, functionNames, fail);
  await pulumi.runtime.setMocks(mocks, projectName(programDir), STACK, false);
  process.on("unhandledRejection", fail);
  const mapStacks = withoutStackMapping();
  const leaveFolder = enterFolder(programDir);
  try {
    forgetModules(programDir, modules);
    forgetModules(path.dirname(programFile), [path.basename(programFile)]);
    // An import would load the program before the mocks are set, and only once.
    const program = requireModule(programFile) as Record<string, unknown>;
    await pulumi.runtime.disconnect();
    // Node reports rejections after the microtasks.
    await new Promise((resolve) => setImmediate(resolve));
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
    leaveFolder();
    mapStacks();
    process.off("unhandledRejection", fail);
  }
}
