import { createRequire } from "node:module";
import * as path from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { type BundleCache, setBundleCache } from "../components/lambda/bundleCache";
import { openBundleCache } from "../start/bundleCache";
import { forgetProgram, projectName, stackConfig } from "../start/program";
import { PROGRAM_DIR } from "../start/programDir";
import { answerOf, idOf, type Inputs, REGION, stateOf } from "./mockedAws";
import { type Named, type NamingRequest, urnRecorder } from "./urns";

export const STACK = "test";

/** One registered resource or component. */
export interface Registration extends Named {
  /** False for components. */
  custom: boolean;
  /** As a provider gets them: ids for resources, `pulumi.unknown` in previews. */
  inputs: Inputs;
  /** Inputs that hold a secret: the engine encrypts them. */
  secretInputs: string[];
  /** Each as `type name`: the resources that the engine creates before this one. */
  dependencies: string[];
}

/** One run of index.ts. */
export interface Recording {
  registrations: Registration[];
  /** Tokens of the provider functions that were called. */
  calls: string[];
  /** What index.ts exports, unresolved. */
  outputs: Record<string, unknown>;
  /** The error with which index.ts itself ended. */
  error?: unknown;
  /** Every unhandled rejection; includes what the mocks refuse. */
  rejections: unknown[];
}

type Registered = Pick<Recording, "registrations">;

/** Settings that override those of Pulumi.dev.yaml; undefined unsets one, by full name. */
export type GivenSettings = Record<string, string | undefined>;

interface RunOptions {
  /**
   * Where bundles are kept between loads of the program; null: all are rebuilt.
   *
   * @default the user's cache folder
   */
  bundleCache?: string | null;
  /** As in `pulumi preview`: values that AWS generates are unknown. @default false */
  preview?: boolean;
  /** The environment variable AWS_REGION; the machine's own is hidden. */
  regionVariable?: string;
}

/** The part of the engine's request that mocks do not pass on. */
interface RegisterRequest extends NamingRequest {
  getDependenciesList(): string[];
}

type RegisterCallback = (error: unknown, response?: { getUrn(): string }) => void;

interface Monitor {
  registerResource(request: RegisterRequest, callback: RegisterCallback): Promise<void>;
}

const requireModule = createRequire(__filename);

/** Resolves to the output's value, or to `pulumi.unknown` in a preview that lacks it. */
export async function valueOf(output: unknown): Promise<unknown> {
  const resolved = pulumi.output(output) as unknown as {
    promise(): Promise<unknown>;
    isKnown: Promise<boolean>;
  };
  return (await resolved.isKnown) ? resolved.promise() : pulumi.unknown;
}

/** Ids in place of resources, and secrets as plain values: what a real provider gets. */
async function plain(value: unknown): Promise<unknown> {
  if (pulumi.CustomResource.isInstance(value)) {
    return valueOf(value.id);
  }
  if (Array.isArray(value)) {
    return Promise.all(value.map(plain));
  }
  if (pulumi.runtime.isRpcSecret(value)) {
    return plain(pulumi.runtime.unwrapRpcSecret(value));
  }
  if (typeof value !== "object" || value === null || pulumi.asset.AssetArchive.isInstance(value)) {
    return value;
  }
  const entries = Object.entries(value).map(async ([key, item]) => [key, await plain(item)]);
  return Object.fromEntries(await Promise.all(entries)) as Inputs;
}

function secretsOf(inputs: Inputs): string[] {
  return Object.keys(inputs).filter((name) => pulumi.runtime.isRpcSecret(inputs[name]));
}

export function typeAndName(urn: string): string {
  const [, , types = "", name = ""] = urn.replace("urn:pulumi:", "").split("::");
  return `${types.split("$").pop() ?? ""} ${name}`;
}

/** Collects unhandled rejections while `work` runs: mocha would end with the first. */
async function collectRejections(work: () => Promise<void>): Promise<unknown[]> {
  const rejections: unknown[] = [];
  const others = process.rawListeners("unhandledRejection") as NodeJS.UnhandledRejectionListener[];
  process.removeAllListeners("unhandledRejection");
  process.on("unhandledRejection", (reason) => rejections.push(reason));
  try {
    await work();
    // Node reports rejections after the microtasks.
    await new Promise((resolve) => setImmediate(resolve));
    // Pulumi rejects each waiting promise with the same error.
    return [...new Set(rejections)];
  } finally {
    process.removeAllListeners("unhandledRejection");
    for (const listener of others) {
      process.on("unhandledRejection", listener);
    }
  }
}

async function withRegionVariable(
  region: string | undefined,
  work: () => Promise<void>,
): Promise<void> {
  const { AWS_REGION, AWS_DEFAULT_REGION } = process.env;
  const set = (variables: Record<string, string | undefined>) => {
    for (const [name, value] of Object.entries(variables)) {
      if (value === undefined) {
        Reflect.deleteProperty(process.env, name);
      } else {
        process.env[name] = value;
      }
    }
  };
  set({ AWS_REGION: region, AWS_DEFAULT_REGION: undefined });
  try {
    await work();
  } finally {
    set({ AWS_REGION, AWS_DEFAULT_REGION });
  }
}

/**
 * Runs `program` under Pulumi's mocks, which answer as AWS would, and records what it registers. An
 * unexpected type or call is refused, and is among the rejections.
 *
 * @param config by full name, such as `aws:region`
 * @param program returns the stack's outputs
 */
export async function record(
  config: Record<string, string>,
  program: () => Record<string, unknown>,
  { preview = false, regionVariable }: RunOptions = {},
): Promise<Recording> {
  const registrations: Registration[] = [];
  const requests = new Map<string, Named & { dependencies: string[] }>();
  const urns = urnRecorder();
  const recording: Recording = { registrations, calls: [], outputs: {}, rejections: [] };
  pulumi.runtime.setAllConfig(config);
  await pulumi.runtime.setMocks(
    {
      newResource: async ({ type, name, custom = true, inputs: given }) => {
        const inputs = (await plain(given)) as Inputs;
        const request = requests.get(`${type} ${name}`);
        if (!request) {
          throw new Error(`${type} ${name} was not registered, but read or imported.`);
        }
        const secretInputs = secretsOf(given as Inputs);
        registrations.push({ custom, inputs, secretInputs, ...request });
        if (!custom) {
          return { id: undefined, state: inputs };
        }
        const id = idOf(type, name, inputs);
        const state = stateOf(type, id, inputs);
        return preview ? { id: undefined, state: inputs } : { id, state };
      },
      call: ({ token }) => {
        recording.calls.push(token);
        return answerOf(token);
      },
    },
    projectName(),
    STACK,
    preview,
  );
  // Mocks get no parents, aliases or dependencies; the monitor that calls them does.
  const monitor = pulumi.runtime.getMonitor() as unknown as Monitor;
  const register = monitor.registerResource.bind(monitor);
  monitor.registerResource = (request, callback) => {
    const named = urns.named(request);
    requests.set(`${named.type} ${named.name}`, {
      ...named,
      dependencies: request.getDependenciesList().map(typeAndName).sort(),
    });
    return register(request, (error, response) => {
      if (response) {
        urns.add(response.getUrn(), named.urn);
      }
      callback(error, response);
    });
  };
  const run = async () => {
    try {
      recording.outputs = program();
    } catch (error) {
      recording.error = error;
    }
    await pulumi.runtime.disconnect();
  };
  recording.rejections = await collectRejections(() => withRegionVariable(regionVariable, run));
  return recording;
}

const recordings = new Map<string, Promise<Recording>>();
let last: Promise<unknown> = Promise.resolve();

/**
 * Reloads index.ts and runs it, in the region eu-central-1. Runs of the same settings
 * share one recording, and no two run at a time: Pulumi's state is one for the process.
 */
export function recordProgram(
  settings: GivenSettings = {},
  options: RunOptions = {},
): Promise<Recording> {
  const id = JSON.stringify([Object.entries(settings), options]);
  let recording = recordings.get(id);
  if (!recording) {
    const { bundleCache } = options;
    const cache = bundleCache === null ? undefined : openBundleCache({ folder: bundleCache });
    const load = () => loadProgram(cache);
    recording = last.then(() => record(configOf(settings), load, options));
    last = recording;
    recordings.set(id, recording);
  }
  return recording;
}

export function configOf(settings: GivenSettings): Record<string, string> {
  const set: Record<string, string> = { "aws:region": REGION };
  const unset: string[] = [];
  for (const [name, value] of Object.entries(settings)) {
    if (value === undefined) {
      unset.push(name);
    } else {
      set[name] = value;
    }
  }
  return Object.fromEntries(
    Object.entries(stackConfig(set)).filter(([fullName]) => !unset.includes(fullName)),
  );
}

function loadProgram(cache: BundleCache | undefined): Record<string, unknown> {
  forgetProgram();
  setBundleCache(cache);
  try {
    return requireModule(path.join(PROGRAM_DIR, "index.ts")) as Record<string, unknown>;
  } finally {
    setBundleCache(undefined);
  }
}

/** Settings that are all different from the defaults; only `importKept` needs a destroyed stack. */
export const OTHER_SETTINGS = {
  email: " me@example.com , you@example.org",
  alarmEmail: "on-call@example.com, boss@example.com",
  maxUploadBytes: "4500000",
  allowedContentTypes: "image/*, application/PDF",
  rejectMismatch: "true",
  requestsPerSecond: "1",
  burst: "5000",
  requireApiKey: "true",
  corsOrigins: "https://www.example.com, http://localhost:3000",
  linkSecretVersion: "2",
  organisation: "Example & Sons",
  logRetentionDays: "3653",
  deleteFilesOnDestroy: "false",
  digestSeconds: "300",
  sweepMinutes: "1",
  stuckSeconds: "86400",
  maxAttempts: "100",
  statusShards: "64",
};

/** The registrations of a type, given without its module: `Function`, `RolePolicy`. */
export function ofType({ registrations }: Registered, type: string): Registration[] {
  return registrations.filter((registration) => registration.type.endsWith(`:${type}`));
}

/** The one registration of a type and, if given, a name. */
export function only(recording: Recording, type: string, name?: string): Registration {
  const found = ofType(recording, type).filter((each) => name === undefined || each.name === name);
  const [first] = found;
  if (!first || found.length !== 1) {
    throw new Error(`There are ${found.length} resources of type ${type} ${name ?? ""}, not one.`);
  }
  return first;
}

/** An input's JSON text, parsed. */
export function json(registration: Registration, input: string): unknown {
  return JSON.parse(String(registration.inputs[input]));
}

/** A Lambda's deployment package: text by file name. */
export async function filesOf(lambda: Registration): Promise<Record<string, string>> {
  const archive = lambda.inputs.code as pulumi.asset.AssetArchive;
  const files: Record<string, string> = {};
  for (const [name, file] of Object.entries(await archive.assets)) {
    files[name] = await (file as pulumi.asset.StringAsset).text;
  }
  return files;
}

/** The packages of all Lambdas, by the Lambda's name. */
export async function packagesOf(
  recording: Registered,
): Promise<Map<string, Record<string, string>>> {
  const packages = new Map<string, Record<string, string>>();
  for (const lambda of ofType(recording, "Function")) {
    packages.set(lambda.name, await filesOf(lambda));
  }
  return packages;
}
