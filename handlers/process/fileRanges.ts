import type { FilePart, StoredFile } from "./storedFile";

/** One small request: has the type of nearly any file, and the dimensions of nearly all images. */
export const RANGE_BYTES = 64 * 1024;

/** Reads after the first. Each is a request to S3. */
const MAX_FURTHER_READS = 4;

/** Of a file, the first read included. */
const MAX_BYTES = 1024 * 1024;

/** The parts of a file that a search has read, and a few more reads. */
export interface FileRanges {
  /** Bytes of the whole file. */
  size: number;
  head: Uint8Array;
  /** Reads that remain. */
  readsLeft(): number;
  /** Bytes that a read may still have. */
  bytesLeft(): number;
  /**
   * The file's bytes from `start` on, as many as one part has, but at least `length`; from a part that
   * was read, or else by another read. Undefined when the file has fewer, or no read remains.
   *
   * @param readBytes how much to read @default 64 KiB
   */
  at(start: number, length: number, readBytes?: number): Promise<Uint8Array | undefined>;
}

/**
 * Bounded access to any part of a file.
 *
 * @param head its beginning
 * @param maxReads after it
 */
export function fileRanges(
  file: StoredFile,
  head: FilePart,
  maxReads: number = MAX_FURTHER_READS,
): FileRanges {
  const { size } = head;
  const parts = [{ start: 0, bytes: head.bytes }];
  let readsLeft = maxReads;
  let bytesLeft = MAX_BYTES - head.bytes.length;

  const known = (start: number, length: number) => {
    const part = parts.find(
      ({ start: from, bytes }) => from <= start && start + length <= from + bytes.length,
    );
    return part?.bytes.subarray(start - part.start);
  };

  return {
    size,
    head: head.bytes,
    readsLeft: () => readsLeft,
    bytesLeft: () => bytesLeft,
    at: async (start, length, readBytes = RANGE_BYTES) => {
      if (!Number.isSafeInteger(start) || start < 0 || !(start + length <= size)) {
        return undefined;
      }
      const bytes = known(start, length);
      const wanted = Math.min(Math.max(length, readBytes), bytesLeft);
      if (bytes !== undefined || readsLeft === 0 || wanted < length) {
        return bytes;
      }
      readsLeft -= 1;
      bytesLeft -= wanted;
      const part = await file.read(start, Math.min(start + wanted, size));
      parts.push({ start, bytes: part.bytes });
      return known(start, length);
    },
  };
}
