import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import * as path from "node:path";
import { Failure } from "../errors";

export interface LocalFile {
  path: string;
  /** Without folders. */
  name: string;
  /** Bytes. */
  size: number;
  /** Of the last change, in nanoseconds since 1970; a text, as it exceeds a number's precision. */
  modified: string;
}

export interface HashedFile extends LocalFile {
  /** SHA-256 of the bytes, in hexadecimal. */
  sha256: string;
}

/** Gets the number of further bytes. */
export type OnBytes = (bytes: number) => void;

const CHUNK_BYTES = 64 * 1024;

export function fileFailure(error: unknown): unknown {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === "ENOENT" || code === "ENOTDIR") {
    return new Failure("file_not_found", "There is no such file.");
  }
  return typeof code === "string" && !(error instanceof Failure)
    ? new Failure("file_unreadable", `The file cannot be read: ${message}.`)
    : error;
}

export function fileChanged(): Failure {
  return new Failure("file_changed", "The file changed while it was read. Send it again.");
}

/** @throws Failure for anything but a file with content */
export async function findFile(filePath: string): Promise<LocalFile> {
  const found = await stat(filePath, { bigint: true }).catch((error: unknown) => {
    throw fileFailure(error);
  });
  if (!found.isFile()) {
    const what = found.isDirectory() ? "It is a directory" : "It is no regular file";
    throw new Failure("not_a_file", `${what}; only files can be sent.`);
  }
  if (found.size === 0n) {
    throw new Failure("empty_file", "The file is empty; only files with content can be sent.");
  }
  const name = path.basename(filePath);
  return { path: filePath, name, size: Number(found.size), modified: String(found.mtimeNs) };
}

/** @throws Failure `file_changed` where the file is another one than was found */
export async function checkUnchanged(file: LocalFile): Promise<void> {
  const { size, modified } = await findFile(file.path);
  if (size !== file.size || modified !== file.modified) {
    throw fileChanged();
  }
}

async function* chunksOf(filePath: string): AsyncGenerator<Buffer> {
  try {
    yield* createReadStream(filePath, {
      highWaterMark: CHUNK_BYTES,
    }) as AsyncIterable<Buffer>;
  } catch (error) {
    throw fileFailure(error);
  }
}

/** @throws Failure `file_changed`, `file_unreadable` */
export async function hashFile(file: LocalFile, onBytes: OnBytes): Promise<HashedFile> {
  const hash = createHash("sha256");
  let bytes = 0;
  for await (const chunk of chunksOf(file.path)) {
    hash.update(chunk);
    bytes += chunk.length;
    onBytes(chunk.length);
  }
  if (bytes !== file.size) {
    throw fileChanged();
  }
  return { ...file, sha256: hash.digest("hex") };
}

/**
 * Reads a hashed file again. When its bytes have changed, the last ones are not yielded, so that the
 * request breaks off and nothing is stored.
 *
 * @throws Failure `file_changed`, `file_unreadable`
 */
export async function* readHashed(file: HashedFile, onBytes: OnBytes): AsyncGenerator<Buffer> {
  const hash = createHash("sha256");
  let bytes = 0;
  for await (const chunk of chunksOf(file.path)) {
    hash.update(chunk);
    bytes += chunk.length;
    if (bytes > file.size || (bytes === file.size && hash.copy().digest("hex") !== file.sha256)) {
      throw fileChanged();
    }
    yield chunk;
    onBytes(chunk.length);
  }
  if (bytes < file.size) {
    throw fileChanged();
  }
}
