import * as pulumi from "@pulumi/pulumi";
import { bundle, openBundler } from "./bundle";
import { currentBundleCache } from "./bundleCache";
import { serialize } from "./serialize";

/** Texts by file name; the promise of texts that are built beside the code. */
export type PackagedFiles = Record<string, string> | Promise<Record<string, string>>;

/** @throws RunError when the callback cannot be serialized or bundled */
async function codeOf(name: string, callbackFactory: () => unknown): Promise<string> {
  try {
    const packing = { serialize: () => serialize(callbackFactory), bundle, openBundler };
    const cache = currentBundleCache();
    return cache
      ? await cache.textOf(name, callbackFactory, packing)
      : (await bundle(packing.serialize())).text;
  } catch (error) {
    throw new pulumi.RunError(
      `The callback of Lambda "${name}" cannot be packed: ${(error as Error).message}\n` +
        "Build clients inside the callback factory, and capture only functions and plain data.",
    );
  }
}

/**
 * A Lambda's deployment package: the bundled callback as `index.js`, and other files beside it.
 *
 * @param name the Lambda's logical name, for errors
 * @throws RunError when the callback cannot be serialized or bundled
 */
export async function packageOf(
  name: string,
  callbackFactory: () => unknown,
  files: PackagedFiles,
): Promise<pulumi.asset.AssetMap> {
  const [code, others] = await Promise.all([codeOf(name, callbackFactory), files]);
  const texts = { ...others, "index.js": code };
  return Object.fromEntries(
    Object.entries(texts).map(([file, text]) => [file, new pulumi.asset.StringAsset(text)]),
  );
}
