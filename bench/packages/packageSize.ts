import { readdir, readFile } from "node:fs/promises";
import * as path from "node:path";
import { promisify } from "node:util";
import { deflateRaw } from "node:zlib";

const deflate = promisify(deflateRaw);

/** The zip format: a local header and a directory entry for each file, and the directory's end. */
const LOCAL_HEADER_BYTES = 30;
const DIRECTORY_ENTRY_BYTES = 46;
const DIRECTORY_END_BYTES = 22;

export interface PackageSize {
  /** Of the files' contents. */
  bytes: number;
  /** Of the zip, in which each file is deflated at zlib's default level. */
  zipBytes: number;
  files: number;
}

/** The size of an empty zip. */
export const NO_FILES: PackageSize = { bytes: 0, zipBytes: DIRECTORY_END_BYTES, files: 0 };

/** @param name with its folders; the zip has it twice */
async function sizeOfFile(name: string, content: Buffer): Promise<PackageSize> {
  const deflated = (await deflate(content)).length;
  return {
    bytes: content.length,
    // A file that deflate does not shrink is stored.
    zipBytes:
      Math.min(deflated, content.length) +
      LOCAL_HEADER_BYTES +
      DIRECTORY_ENTRY_BYTES +
      2 * Buffer.byteLength(name),
    files: 1,
  };
}

/** The size of one zip with the files of both. */
export function together(a: PackageSize, b: PackageSize): PackageSize {
  return {
    bytes: a.bytes + b.bytes,
    zipBytes: a.zipBytes + b.zipBytes - DIRECTORY_END_BYTES,
    files: a.files + b.files,
  };
}

/**
 * The size of a folder's files as a zip.
 *
 * @param prefix of the names in the zip, such as `node_modules/`
 */
export async function packageSize(folder: string, prefix = ""): Promise<PackageSize> {
  let size = NO_FILES;
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) {
      const file = path.join(entry.parentPath, entry.name);
      const { bytes, zipBytes, files } = await sizeOfFile(
        prefix + path.relative(folder, file),
        await readFile(file),
      );
      size = {
        bytes: size.bytes + bytes,
        zipBytes: size.zipBytes + zipBytes,
        files: size.files + files,
      };
    }
  }
  return size;
}
