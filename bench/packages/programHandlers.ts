import { createRequire } from "node:module";
import * as path from "node:path";
import * as aws from "@pulumi/aws";
import type { asset } from "@pulumi/pulumi";
import type { CallbackFactory } from "../../components/lambda/callbackLambda";
import { withEnvironment } from "../../runtime/environment";
import { forgetProgram, stackConfig } from "../../start/program";
import { PROGRAM_DIR } from "../../start/programDir";
import { ofType, only, packagesOf, record, type Recording } from "../../testing/recordingMocks";
import { packingTools } from "../packingTools";
import { sampleEvent } from "./sampleEvents";

/** One Lambda of the program. */
export interface ProgramHandler {
  name: string;
  /** The code of its package. */
  bundle: string;
  memoryMegabytes: number;
  /** Its environment variables. */
  variables: Record<string, string>;
  /** A sample event of its trigger. */
  event: unknown;
  /** The package of an aws.lambda.CallbackFunction with the same factory. */
  callback: CallbackPackage;
}

export interface CallbackPackage {
  /** Its `__index.js`: the factory, serialized by Pulumi. */
  text: string;
  /** Folders on this machine, by their paths in the package. */
  folders: Record<string, string>;
}

type Factory = CallbackFactory<never, unknown>;

type CallbackLambdaModule = typeof import("../../components/lambda/callbackLambda");

const requireModule = createRequire(__filename);

const CALLBACK_LAMBDA = path.join(PROGRAM_DIR, "components", "lambda", "callbackLambda.ts");

function refuseErrors({ error, rejections }: Recording): void {
  const [first] = [error, ...rejections].filter((each) => each !== undefined);
  if (first !== undefined) {
    throw first instanceof Error ? first : new Error("The program rejects.", { cause: first });
  }
}

/** Reports the factory of each CallbackLambda of the next load of index.ts. */
function onFactory(report: (name: string, factory: Factory) => void): void {
  const loaded = requireModule(CALLBACK_LAMBDA) as CallbackLambdaModule;
  class ReportingLambda<Event, Result> extends loaded.CallbackLambda<Event, Result> {
    constructor(...args: ConstructorParameters<typeof loaded.CallbackLambda<Event, Result>>) {
      super(...args);
      report(args[0], args[1]);
    }
  }
  const cached = requireModule.cache[CALLBACK_LAMBDA];
  if (cached) {
    // The module's own exports are read-only.
    cached.exports = { ...loaded, CallbackLambda: ReportingLambda };
  }
}

/** Runs index.ts, and collects each Lambda's callback factory. */
async function loadProgram(): Promise<{ recording: Recording; factories: Map<string, Factory> }> {
  const factories = new Map<string, Factory>();
  const recording = await record(stackConfig({}), () => {
    forgetProgram();
    onFactory((name, factory) => factories.set(name, factory));
    return requireModule(path.join(PROGRAM_DIR, "index.ts")) as Record<string, unknown>;
  });
  // The next load gets the original module.
  forgetProgram();
  refuseErrors(recording);
  return { recording, factories };
}

async function unpack(archive: asset.AssetArchive): Promise<CallbackPackage> {
  const callback: CallbackPackage = { text: "", folders: {} };
  for (const [name, item] of Object.entries(await archive.assets)) {
    if ("text" in item) {
      callback.text = await (item as asset.StringAsset).text;
    } else {
      callback.folders[name] = await (item as asset.FileArchive).path;
    }
  }
  return callback;
}

/** Registers a plain CallbackFunction for each factory, and takes its package. */
async function callbackPackages(
  factories: Map<string, Factory>,
): Promise<Map<string, CallbackPackage>> {
  const recording = await record(stackConfig({}), () => {
    for (const [name, callbackFactory] of factories) {
      new aws.lambda.CallbackFunction<never, unknown>(name, {
        callbackFactory: withEnvironment(callbackFactory),
        role: "arn:aws:iam::123456789012:role/any",
        runtime: "nodejs24.x",
        codePathOptions: { extraExcludePackages: packingTools(PROGRAM_DIR) },
      });
    }
    return {};
  });
  refuseErrors(recording);
  const packages = new Map<string, CallbackPackage>();
  for (const { name, inputs } of ofType(recording, "Function")) {
    packages.set(name, await unpack(inputs.code as asset.AssetArchive));
  }
  return packages;
}

/**
 * The program's Lambdas, from a run of index.ts under Pulumi's mocks.
 *
 * @throws when the program cannot be loaded, or a callback cannot be packed
 */
export async function programHandlers(): Promise<ProgramHandler[]> {
  const { recording, factories } = await loadProgram();
  const packages = await packagesOf(recording);
  const callbacks = await callbackPackages(factories);
  return [...callbacks].map(([name, callback]) => {
    const { environment, memorySize } = only(recording, "Function", name).inputs;
    return {
      name,
      bundle: packages.get(name)?.["index.js"] ?? "",
      memoryMegabytes: Number(memorySize),
      variables: (environment as { variables: Record<string, string> }).variables,
      event: sampleEvent(recording, name),
      callback,
    };
  });
}
