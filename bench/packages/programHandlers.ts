import * as aws from "@pulumi/aws";
import type { asset } from "@pulumi/pulumi";
import { linksHandler } from "../../handlers/links/links";
import { managerHandler } from "../../handlers/manager/manager";
import { notifyHandler } from "../../handlers/notify/notify";
import { inspectFile } from "../../handlers/process/inspectFile";
import { processHandler } from "../../handlers/process/process";
import { recordHandler } from "../../handlers/record/record";
import { sweepHandler } from "../../handlers/sweep/sweep";
import { uploadHandler } from "../../handlers/upload/upload";
import { type HandlerFactory, withEnvironment } from "../../runtime/environment";
import { stackConfig } from "../../start/program";
import { PROGRAM_DIR } from "../../start/programDir";
import {
  ofType,
  only,
  packagesOf,
  record,
  type Recording,
  recordProgram,
} from "../../testing/recordingMocks";
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

type Factory = HandlerFactory<string, never, unknown>;

/** The Lambdas' handlers, captured by value: a CallbackFunction has no other files of a program. */
const FACTORIES: Record<string, Factory> = {
  upload: uploadHandler,
  record: recordHandler,
  process: processHandler(inspectFile),
  notify: notifyHandler,
  sweep: sweepHandler,
  links: linksHandler,
  manager: managerHandler,
};

function refuseErrors({ error, rejections }: Recording): void {
  const [first] = [error, ...rejections].filter((each) => each !== undefined);
  if (first !== undefined) {
    throw first instanceof Error ? first : new Error("The program rejects.", { cause: first });
  }
}

/** Runs index.ts. */
async function loadProgram(): Promise<Recording> {
  const recording = await recordProgram({});
  refuseErrors(recording);
  return recording;
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
async function callbackPackages(): Promise<Map<string, CallbackPackage>> {
  const recording = await record(stackConfig({}), () => {
    for (const [name, callbackFactory] of Object.entries(FACTORIES)) {
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
  const recording = await loadProgram();
  const packages = await packagesOf(recording);
  const callbacks = await callbackPackages();
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
