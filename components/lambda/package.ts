import * as pulumi from "@pulumi/pulumi";
import { bundle, openBundler } from "./bundle";
import { currentBundleCache } from "./bundleCache";
import { serialize } from "./serialize";

/**
 * A Lambda's deployment package: the bundled callback as `index.js`, and other files beside it.
 *
 * @param name the Lambda's logical name, for errors
 * @param files texts by file name
 * @throws RunError when the callback cannot be serialized or bundled
 */
export async function packageOf(
  name: string,
  callbackFactory: () => unknown,
  files: Record<string, string>,
): Promise<pulumi.asset.AssetMap> {
  try {
    const packing = { serialize: () => serialize(callbackFactory), bundle, openBundler };
    const cache = currentBundleCache();
    const code = cache
      ? await cache.textOf(name, callbackFactory, packing)
      : (await bundle(packing.serialize())).text;
    const texts = { ...files, "index.js": code };
    return Object.fromEntries(
      Object.entries(texts).map(([file, text]) => [file, new pulumi.asset.StringAsset(text)]),
    );
  } catch (error) {
    throw new pulumi.RunError(
      `The callback of Lambda "${name}" cannot be packed: ${(error as Error).message}\n` +
        "Build clients inside the callback factory, and capture only functions and plain data.",
    );
  }
}
