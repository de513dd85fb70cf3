import { createRequire } from "node:module";
import * as path from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { forgetProgram, projectName, stackConfig } from "../start/program";
import { PROGRAM_DIR } from "../start/programDir";

export const REGION = "eu-central-1";
export const ACCOUNT_ID = "123456789012";

const STACK = "test";

/** One registered resource or component. */
export interface Registration {
  type: string;
  /** The logical name. */
  name: string;
  /** False for components. */
  custom: boolean;
  /** As a provider gets them: ids for resources, and `pulumi.unknown` in previews. */
  inputs: Inputs;
  /** The inputs with a secret in them, as the engine is told: it encrypts these. */
  secretInputs: string[];
  /** The URN of the parent; empty at the root. */
  parent: string;
  /** Each as `type name`: all that the engine makes before, for whichever reason. */
  dependencies: string[];
}

export type Inputs = Record<string, unknown>;

/** One run of index.ts. */
export interface Recording {
  registrations: Registration[];
  /** Tokens of the provider functions that were called. */
  calls: string[];
  /** What index.ts exports, unresolved. */
  outputs: Record<string, unknown>;
  /** The error with which index.ts itself ended. */
  error?: unknown;
  /** Every promise that was rejected and left alone meanwhile; includes what the mocks refuse. */
  rejections: unknown[];
}

/** Settings that go before those of Pulumi.dev.yaml; undefined takes one (by full name) away. */
export type GivenSettings = Record<string, string | undefined>;

interface RunOptions {
  /** As `pulumi preview` runs it: what only AWS can tell is unknown. @default false */
  preview?: boolean;
  /** The environment variable AWS_REGION; those of the machine are out of sight. */
  regionVariable?: string;
}

/** The part of the engine's request that mocks do not pass on. */
interface RegisterRequest {
  getType(): string;
  getName(): string;
  getParent(): string;
  getDependenciesList(): string[];
}

interface Monitor {
  registerResource(request: RegisterRequest, callback: unknown): Promise<void>;
}

const requireModule = createRequire(__filename);

/** 32 bytes in base64, with the mark that all names of the mocks have. */
const RANDOM_BYTES = `${"1a2b3c4".padEnd(43, "A")}=`;

/** What AWS adds to the inputs, by type. A type that is not here is not expected. */
const COMPUTED: Record<string, (id: string, inputs: Inputs) => Inputs> = {
  "aws:apigateway/apiKey:ApiKey": () => ({ value: "a-key-for-the-header-x-api-key" }),
  "aws:apigateway/deployment:Deployment": () => ({}),
  "aws:apigateway/methodSettings:MethodSettings": () => ({}),
  "aws:apigateway/restApi:RestApi": (id) => ({
    arn: `arn:aws:apigateway:${REGION}::/restapis/${id}`,
    executionArn: `arn:aws:execute-api:${REGION}:${ACCOUNT_ID}:${id}`,
    rootResourceId: "root123456",
  }),
  "aws:apigateway/stage:Stage": (_id, { restApi, stageName }) => ({
    invokeUrl: `https://${String(restApi)}.execute-api.${REGION}.amazonaws.com/${String(stageName)}`,
  }),
  "aws:apigateway/usagePlan:UsagePlan": () => ({}),
  "aws:apigateway/usagePlanKey:UsagePlanKey": () => ({ value: "a-key-for-the-header-x-api-key" }),
  "aws:cloudwatch/eventRule:EventRule": (id) => ({
    name: id,
    arn: regionalArn("events", `rule/${id}`),
  }),
  "aws:cloudwatch/eventTarget:EventTarget": () => ({}),
  "aws:cloudwatch/logGroup:LogGroup": (_id, { name }) => ({
    arn: regionalArn("logs", `log-group:${String(name)}`),
  }),
  "aws:dynamodb/table:Table": (id, { streamEnabled }) => ({
    name: id,
    arn: regionalArn("dynamodb", `table/${id}`),
    streamArn: streamEnabled
      ? regionalArn("dynamodb", `table/${id}/stream/2026-11-30T00:00:00.000`)
      : undefined,
  }),
  "aws:iam/role:Role": (id) => ({ name: id, arn: `arn:aws:iam::${ACCOUNT_ID}:role/${id}` }),
  "aws:iam/rolePolicy:RolePolicy": () => ({}),
  "aws:lambda/eventSourceMapping:EventSourceMapping": () => ({}),
  "aws:lambda/function:Function": (id) => ({
    name: id,
    arn: regionalArn("lambda", `function:${id}`),
    invokeArn:
      `arn:aws:apigateway:${REGION}:lambda:path/2015-03-31/functions/` +
      `${regionalArn("lambda", `function:${id}`)}/invocations`,
    version: "$LATEST",
  }),
  "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig": () => ({}),
  "aws:lambda/permission:Permission": () => ({}),
  "aws:s3/bucket:Bucket": (id) => ({ bucket: id, arn: `arn:aws:s3:::${id}`, region: REGION }),
  "aws:s3/bucketCorsConfiguration:BucketCorsConfiguration": () => ({}),
  "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": () => ({}),
  "aws:s3/bucketNotification:BucketNotification": () => ({}),
  "aws:s3/bucketOwnershipControls:BucketOwnershipControls": () => ({}),
  "aws:s3/bucketPolicy:BucketPolicy": () => ({}),
  "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": () => ({}),
  "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration":
    () => ({}),
  "aws:sns/topic:Topic": (id) => ({ name: id.split(":").pop(), arn: id }),
  "aws:sns/topicPolicy:TopicPolicy": () => ({}),
  "aws:sns/topicSubscription:TopicSubscription": () => ({}),
  "aws:sqs/queue:Queue": (id) => {
    const name = id.split("/").pop() ?? "";
    return { name, url: id, arn: regionalArn("sqs", name) };
  },
  "aws:sqs/queuePolicy:QueuePolicy": () => ({}),
  "random:index/randomBytes:RandomBytes": () => ({
    base64: RANDOM_BYTES,
    hex: Buffer.from(RANDOM_BYTES, "base64").toString("hex"),
  }),
};

function regionalArn(service: string, resource: string): string {
  return `arn:aws:${service}:${REGION}:${ACCOUNT_ID}:${resource}`;
}

/** The id of the REST API of that name: ten characters, as API Gateway gives them. */
export function restApiId(name: string): string {
  return `${name.slice(0, 3)}1a2b3c4`;
}

function idOf(type: string, name: string, inputs: Inputs): string {
  switch (type) {
    case "aws:cloudwatch/logGroup:LogGroup":
      return String(inputs.name);
    case "aws:sns/topic:Topic":
      return regionalArn("sns", `${name}-1a2b3c4`);
    case "aws:sqs/queue:Queue":
      return `https://sqs.${REGION}.amazonaws.com/${ACCOUNT_ID}/${name}-1a2b3c4`;
    case "aws:apigateway/restApi:RestApi":
      return restApiId(name);
    default:
      return `${name}-1a2b3c4`;
  }
}

function stateOf(type: string, id: string, inputs: Inputs): Inputs {
  const computed = COMPUTED[type];
  if (!computed) {
    throw new Error(`The mocks do not expect a resource of type ${type}.`);
  }
  return { ...inputs, ...computed(id, inputs) };
}

/** Resolves to what the output holds; to `pulumi.unknown` when a preview cannot know it. */
export async function valueOf(output: unknown): Promise<unknown> {
  const resolved = pulumi.output(output) as unknown as {
    promise(): Promise<unknown>;
    isKnown: Promise<boolean>;
  };
  return (await resolved.isKnown) ? resolved.promise() : pulumi.unknown;
}

/** Ids in place of resources, and what is secret as it is: what a real provider gets. */
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

function typeAndName(urn: string): string {
  const [, , types = "", name = ""] = urn.replace("urn:pulumi:", "").split("::");
  return `${types.split("$").pop() ?? ""} ${name}`;
}

/** Collects rejections that nobody handles while `work` runs: mocha would end with the first. */
async function collectRejections(work: () => Promise<void>): Promise<unknown[]> {
  const rejections: unknown[] = [];
  const others = process.rawListeners("unhandledRejection") as NodeJS.UnhandledRejectionListener[];
  process.removeAllListeners("unhandledRejection");
  process.on("unhandledRejection", (reason) => rejections.push(reason));
  try {
    await work();
    // Node reports a rejection when the microtasks are done.
    await new Promise((resolve) => setImmediate(resolve));
    // Pulumi rejects each promise that waited with the same error.
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
 * Runs `program` under Pulumi's mocks, in which AWS is as it would answer, and records what it
 * registers. A type or a call that is not expected is refused, and found among the rejections.
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
  const requests = new Map<string, { parent: string; dependencies: string[] }>();
  const recording: Recording = { registrations, calls: [], outputs: {}, rejections: [] };
  pulumi.runtime.setAllConfig(config);
  await pulumi.runtime.setMocks(
    {
      newResource: async ({ type, name, custom = true, inputs: given }) => {
        const inputs = (await plain(given)) as Inputs;
        const request = requests.get(`${type} ${name}`) ?? { parent: "", dependencies: [] };
        const secretInputs = secretsOf(given as Inputs);
        registrations.push({ type, name, custom, inputs, secretInputs, ...request });
        if (!custom) {
          return { id: undefined, state: inputs };
        }
        const id = idOf(type, name, inputs);
        const state = stateOf(type, id, inputs);
        return preview ? { id: undefined, state: inputs } : { id, state };
      },
      call: ({ token }) => {
        recording.calls.push(token);
        if (token !== "aws:index/getCallerIdentity:getCallerIdentity") {
          throw new Error(`The mocks do not expect a call of ${token}.`);
        }
        const arn = `arn:aws:iam::${ACCOUNT_ID}:root`;
        return { accountId: ACCOUNT_ID, id: ACCOUNT_ID, userId: ACCOUNT_ID, arn };
      },
    },
    projectName(),
    STACK,
    preview,
  );
  // Mocks hear neither of parents nor of dependencies; the monitor that calls them does.
  const monitor = pulumi.runtime.getMonitor() as unknown as Monitor;
  const register = monitor.registerResource.bind(monitor);
  monitor.registerResource = (request, callback) => {
    requests.set(`${request.getType()} ${request.getName()}`, {
      parent: request.getParent(),
      dependencies: request.getDependenciesList().map(typeAndName).sort(),
    });
    return register(request, callback);
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
 * Runs index.ts as it is, loaded afresh, in the region eu-central-1. Runs of the same settings
 * share one recording, and no two run at a time: Pulumi's state is one for the process.
 */
export function recordProgram(
  settings: GivenSettings = {},
  options: RunOptions = {},
): Promise<Recording> {
  const id = JSON.stringify([Object.entries(settings), options]);
  let recording = recordings.get(id);
  if (!recording) {
    recording = last.then(() => record(configOf(settings), loadProgram, options));
    last = recording;
    recordings.set(id, recording);
  }
  return recording;
}

function configOf(settings: GivenSettings): Record<string, string> {
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

function loadProgram(): Record<string, unknown> {
  forgetProgram();
  return requireModule(path.join(PROGRAM_DIR, "index.ts")) as Record<string, unknown>;
}

/** Settings that are all different from the defaults. */
export const OTHER_SETTINGS = {
  email: " me@example.com , you@example.org",
  alarmEmail: "on-call@example.com, boss@example.com",
  maxUploadBytes: "4500000",
  allowedContentTypes: "image/*, application/PDF",
  requestsPerSecond: "1",
  burst: "5000",
  requireApiKey: "true",
  corsOrigins: "https://www.example.com, http://localhost:3000",
  logRetentionDays: "731",
  deleteFilesOnDestroy: "false",
  digestSeconds: "300",
  sweepMinutes: "1",
  stuckSeconds: "86400",
  maxAttempts: "100",
  statusShards: "64",
};

/** The registrations of a type, given without its module: `Function`, `RolePolicy`. */
export function ofType({ registrations }: Recording, type: string): Registration[] {
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
  recording: Recording,
): Promise<Map<string, Record<string, string>>> {
  const packages = new Map<string, Record<string, string>>();
  for (const lambda of ofType(recording, "Function")) {
    packages.set(lambda.name, await filesOf(lambda));
  }
  return packages;
}
