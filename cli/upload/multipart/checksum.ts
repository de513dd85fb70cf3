import { createCRC64 } from "hash-wasm";
import { type Part, readPart } from "./parts";

/** CRC64NVME's polynomial, its lowest coefficient in the highest bit. */
const POLYNOMIAL = "9a6c9329ac4bc9b5";

/** The checksum of a file whose parts are sent in any order. */
export interface RunningChecksum {
  /**
   * Goes on to this part, in the background: right before it is sent, so that the disk reads it once.
   */
  readTo(partNumber: number): void;
  /** CRC64NVME in Base64. Throws the failure to read. */
  digest(): Promise<string>;
  stop(): void;
}

/** A CRC depends on the order of bytes: the parts are read one after another. */
export async function startChecksum(filePath: string, parts: Part[]): Promise<RunningChecksum> {
  const hash = await createCRC64(POLYNOMIAL);
  hash.init();
  const add = async (part: Part) => {
    for await (const chunk of readPart(filePath, part)) {
      if (isStopped) {
        return;
      }
      hash.update(chunk);
    }
  };
  let isStopped = false;
  let begun = 0;
  let reading = Promise.resolve();
  const readTo = (partNumber: number) => {
    for (const part of parts.slice(begun, Math.max(begun, partNumber))) {
      reading = reading.then(() => (isStopped ? undefined : add(part)));
    }
    begun = Math.max(begun, partNumber);
    // `digest` throws the failure.
    reading.catch(() => undefined);
  };
  return {
    readTo,
    digest: async () => {
      readTo(parts.length);
      await reading;
      return Buffer.from(hash.digest("binary")).toString("base64");
    },
    stop: () => {
      isStopped = true;
    },
  };
}
