import * as path from "node:path";
import { asset } from "@pulumi/pulumi";
import { notServed, type Registration } from "../resources/resource";
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

const REMEDY =
  "Give the code as a folder (FileArchive), or as an AssetArchive of strings, files and folders.";

/**
 * The deployment package in a function's Pulumi archive. Relative paths start at the working
 * directory, which is the program's folder while the program runs.
 *
 * @throws Error for an archive that is packed already, or that is not on this machine
 */
export async function filesOf(resource: Registration<{ code?: unknown }>): Promise<PackageFiles> {
  const { code } = resource.inputs;
  if (!asset.Archive.isInstance(code)) {
    throw notServed(resource, "has code that is no Pulumi archive", REMEDY);
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
        throw notServed(resource, `has the packed archive ${file}`, REMEDY);
      }
      files[name] = { path: path.resolve(file) };
    } else {
      throw notServed(resource, `has code at ${String(await part.uri)}`, REMEDY);
    }
  }

  await add(".", code);
  return files;
}
