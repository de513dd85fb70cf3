import { inspectFile } from "../../../handlers/process/inspectFile";
import type { Checksum, StoredFile } from "../../../handlers/process/storedFile";
import { processedEvent } from "../../../testing/events";

export interface MemoryFile extends StoredFile {
  /** Ranges that were read. */
  reads: [start: number, end: number][];
}

/** A stored file in memory. @param known the checksum that S3 has */
export function memoryFile(
  bytes: Buffer,
  contentType: string,
  known?: Checksum & { fromUpload?: boolean },
  contentEncoding?: string,
): MemoryFile {
  const reads: MemoryFile["reads"] = [];
  const event_info = {
    Bucket: "files",
    Key: "file",
    ...(known?.fromUpload && { Checksum: known.value }),
  };
  return {
    reads,
    event: processedEvent({ event_info }),
    read: (start, end) => {
      reads.push([start, end]);
      return Promise.resolve({
        bytes: bytes.subarray(start, end),
        size: bytes.length,
        contentType,
        contentEncoding,
      });
    },
    checksum: () => Promise.resolve(known && { algorithm: known.algorithm, value: known.value }),
  };
}

export function inspect(bytes: Buffer, contentType: string) {
  return inspectFile(memoryFile(bytes, contentType));
}
