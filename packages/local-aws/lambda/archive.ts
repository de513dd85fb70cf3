import * as path from "node:path";
import { asset } from "@pulumi/pulumi";
import type { PackageFiles } from "./deploymentPackage";

/** Paths that Pulumi reads as packed archives; every other path of a FileArchive is a folder. */
const PACKED = /\.(zip|jar|tar|tgz|tar\.gz)$/i;

/** Pulumi's assets and archives differ by their property only: `isInstance` is that of the base. */
type Content = Partial<
  Pick<asset.StringAsset, "text"> &
    Pick<asset.FileAsset, "path"> &
    Pick<asset.AssetArchive, "assets"> &
    Pick<asset.RemoteArchive, "uri">
>;

/**
 * The deployment package in a Pulumi archive. Relative paths start at the working directory, which
 * is the program's folder while the program runs.
 *
 * @param code the function's input of this name
 * @throws Error for an archive that is packed already, or that is not on this machine
 */
export async function filesOf(code: unknown, functionName: string): Promise<PackageFiles> {
  if (!asset.Archive.isInstance(code)) {
    throw refusal(functionName, "is not given as a Pulumi archive");
  }
  const files: PackageFiles = {};

  async function add(name: string, part: Content): Promise<void> {
    if (part.assets) {
      for (const [child, content] of Object.entries(await part.assets)) {
        await add(path.posix.join(name, child), content);
      }
    } else if (part.text) {
      files[name] = await part.text;
    } else if (part.path) {
      const file = await part.path;
      if (asset.Archive.isInstance(part) && PACKED.test(file)) {
        throw refusal(functionName, `is the packed file ${file}`);
      }
      files[name] = { path: path.resolve(file) };
    } else {
      throw refusal(functionName, `is at ${String(await part.uri)}`);
    }
  }

  await add(".", code);
  return files;
}

function refusal(functionName: string, why: string): Error {
  return new Error(
    `The code of the Lambda "${functionName}" ${why}, which the local Lambda cannot unpack. Give it ` +
      "as a folder (FileArchive), or as an AssetArchive of strings, files and folders.",
  );
}
