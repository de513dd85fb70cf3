import * as path from "node:path";
import * as pulumi from "@pulumi/pulumi";
import type { BuildFailure } from "esbuild";
import { type HandlerFactory, withEnvironment } from "../../runtime/environment";
import { bundle, openBundler, PROGRAM_ROOT } from "./bundle";
import { currentBundleCache } from "./bundleCache";
import { fileOf } from "./inspector";
import { serialize } from "./serialize";

/** Texts by file name; the promise of texts that are built beside the code. */
export type PackagedFiles = Record<string, string> | Promise<Record<string, string>>;

/** The path of the file that a callback stands in, from the program's folder, with `/`. */
function placeOf(callback: unknown): string {
  const file = fileOf(callback);
  return file === undefined ? "" : path.relative(PROGRAM_ROOT, file).replaceAll(path.sep, "/");
}

/** What is wrong with a callback, after its place, and what to do. */
function reasonOf(name: string, callback: unknown, error: Error): string {
  const [fault] = "errors" in error ? (error as BuildFailure).errors : [];
  const reason = `The callback of Lambda "${name}" cannot be packed: ${fault?.text ?? error.message}`;
  const { file = "", line = 0, column = 0 } = fault?.location ?? {};
  // The callback's own text is of no file.
  const isCallback = /^(?:callback:|$)/.test(file);
  const place = isCallback ? placeOf(callback) : `${file}:${line}:${column + 1}`;
  const placed = place === "" ? reason : `${place}: ${reason}`;
  if (!fault) {
    return (
      `${placed}\nCapture functions and plain data only. All else belongs into the module that the ` +
      'callback imports, by import("./module.ts").'
    );
  }
  return fault.text.startsWith("Could not resolve") && isCallback
    ? `${placed}: paths are from the callback's file.`
    : placed;
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
    throw new pulumi.RunError(reasonOf(name, callback, error as Error));
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
