import * as pulumi from "@pulumi/pulumi";
import type { BuildFailure } from "esbuild";
import { type HandlerFactory, withEnvironment } from "../../runtime/environment";
import { bundle, openBundler } from "./bundle";
import { currentBundleCache } from "./bundleCache";
import { serialize } from "./serialize";

/** Texts by file name; the promise of texts that are built beside the code. */
export type PackagedFiles = Record<string, string> | Promise<Record<string, string>>;

/** What is wrong with a callback, and what to do; first the place in a file of this project. */
function reasonOf(name: string, error: Error): string {
  const [fault] = "errors" in error ? (error as BuildFailure).errors : [];
  const reason = `The callback of Lambda "${name}" cannot be packed: ${fault?.text ?? error.message}`;
  if (!fault) {
    const advice =
      'Capture functions and plain data only; for all else, import a module: import("./module.ts").';
    return `${reason}\n${advice}`;
  }
  const { file = "", line = 0, column = 0 } = fault.location ?? {};
  // The callback's own text is of no file.
  return /^(?:callback:|$)/.test(file) ? reason : `${file}:${line}:${column + 1}: ${reason}`;
}

/** @throws RunError when the callback cannot be serialized or bundled */
async function codeOf<Names extends string, Event, Result>(
  name: string,
  callback: HandlerFactory<Names, Event, Result>,
): Promise<string> {
  const factory = withEnvironment(callback);
  try {
    const packing = { serialize: () => serialize(factory), bundle, openBundler };
    const cache = currentBundleCache();
    return cache
      ? await cache.textOf(name, factory, packing)
      : (await bundle(packing.serialize())).text;
  } catch (error) {
    throw new pulumi.RunError(reasonOf(name, error as Error));
  }
}

/**
 * A Lambda's deployment package: the bundled callback as `index.js`, and other files beside it.
 *
 * @param name the Lambda's logical name, for errors
 * @throws RunError when the callback cannot be serialized or bundled
 */
export async function packageOf<Names extends string, Event, Result>(
  name: string,
  callbackFactory: HandlerFactory<Names, Event, Result>,
  files: PackagedFiles,
): Promise<pulumi.asset.AssetMap> {
  const [code, others] = await Promise.all([codeOf(name, callbackFactory), files]);
  const texts = { ...others, "index.js": code };
  return Object.fromEntries(
    Object.entries(texts).map(([file, text]) => [file, new pulumi.asset.StringAsset(text)]),
  );
}
