import { createReadStream } from "node:fs";
import { fileChanged, fileFailure } from "../localFile";

/** A part of a file. */
export interface Part {
  /** From 1 on. */
  number: number;
  /** Bytes before it. */
  start: number;
  /** Bytes. */
  size: number;
}

const CHUNK_BYTES = 256 * 1024;

/** All parts have the same size but the last, which has the rest. */
export function partsOf(fileSize: number, partSize: number): Part[] {
  return Array.from({ length: Math.ceil(fileSize / partSize) }, (_, index) => {
    const start = index * partSize;
    return { number: index + 1, start, size: Math.min(partSize, fileSize - start) };
  });
}

/** @throws Failure `file_changed` where the file has become shorter, `file_unreadable` */
export async function* readPart(filePath: string, { start, size }: Part): AsyncGenerator<Buffer> {
  let bytes = 0;
  try {
    const chunks = createReadStream(filePath, {
      start,
      end: start + size - 1,
      highWaterMark: CHUNK_BYTES,
    }) as AsyncIterable<Buffer>;
    for await (const chunk of chunks) {
      bytes += chunk.length;
      yield chunk;
    }
  } catch (error) {
    throw fileFailure(error);
  }
  if (bytes < size) {
    throw fileChanged();
  }
}
