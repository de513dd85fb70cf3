import { constants, type Stats } from "node:fs";
import { cp, mkdir, realpath, rm, stat, writeFile } from "node:fs/promises";
import { dirname, isAbsolute, join, relative } from "node:path";
import { AwsError } from "../awsError";

/** A file or folder of this machine, to be copied into a package. */
export interface DiskEntry {
  /** Absolute. */
  path: string;
}

/**
 * A deployment package: file name, with `/` between folders → content. A folder of the disk is
 * copied with all that is in it, to the name that it is given; `.` is the package's root.
 */
export type PackageFiles = Record<string, string | Buffer | DiskEntry>;

/**
 * Unpacks a deployment package into a folder that holds nothing else afterwards. Files of the disk
 * are copied, not linked: a function could write through a link, and Node looks for the packages of
 * a linked module beside its target.
 *
 * @returns the folder's real path, which Node also uses for the modules in it
 */
export async function unpack(files: PackageFiles, folder: string): Promise<string> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  for (const [name, content] of Object.entries(files)) {
    const path = join(folder, name);
    const inside = relative(folder, path);
    if (inside.startsWith("..") || isAbsolute(inside)) {
      throw invalid(`"${name}" lies outside of the package.`);
    }
    await mkdir(dirname(path), { recursive: true });
    if (typeof content === "string" || Buffer.isBuffer(content)) {
      await writeFile(path, content);
    } else {
      await copy(name, content.path, path);
    }
  }
  return realpath(folder);
}

/** Source maps by the name of the file in the package, each as JSON or as a file of it. */
export type SourceMaps = Record<string, string | DiskEntry>;

/**
 * Writes the source maps that are no files yet; in the package itself they would not be on AWS.
 *
 * @returns the map's file by the path of the mapped file
 */
export async function placeSourceMaps(
  sourceMaps: SourceMaps,
  taskRoot: string,
  folder: string,
): Promise<Record<string, string>> {
  const files: Record<string, string> = {};
  for (const [name, map] of Object.entries(sourceMaps)) {
    const file = typeof map === "string" ? join(folder, `${name}.map`) : map.path;
    if (typeof map === "string") {
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, map);
    }
    files[join(taskRoot, name)] = file;
  }
  return files;
}

/** The source maps of a package's texts, as far as there are some. */
export function sourceMapsOf(
  files: PackageFiles,
  sourceMapOf: (code: string) => string | DiskEntry | undefined,
): SourceMaps {
  const maps: SourceMaps = {};
  for (const [name, content] of Object.entries(files)) {
    const map = typeof content === "string" ? sourceMapOf(content) : undefined;
    if (map !== undefined) {
      maps[name] = map;
    }
  }
  return maps;
}

async function copy(name: string, from: string, to: string): Promise<void> {
  const source = await statOf(from);
  if (!source) {
    throw invalid(`"${name}" is ${from}, which does not exist.`);
  }
  // A copy-on-write clone where the file system has them.
  await cp(from, to, { recursive: true, dereference: true, mode: constants.COPYFILE_FICLONE });
}

async function statOf(path: string): Promise<Stats | undefined> {
  try {
    return await stat(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") {
      return undefined;
    }
    throw error;
  }
}

function invalid(reason: string): AwsError {
  const message = `Could not unzip uploaded file: ${reason}`;
  return new AwsError("InvalidParameterValueException", 400, message);
}
