import { createCRC64, type IHasher } from "hash-wasm";

/** The polynomial of CRC64NVME, reversed. */
const CRC64NVME = "9a6c9329ac4bc9b5";

/**
 * One part of the file. Its content is generated: no two parts are equal, so that parts in another order
 * make another file.
 *
 * @param length in bytes
 */
export function contentOf(partNumber: number, length: number): Buffer<ArrayBuffer> {
  return Buffer.alloc(length, `part ${partNumber} of a large file `);
}

/** Computes a CRC64NVME. */
export async function createChecksum(): Promise<{
  update(bytes: Uint8Array): void;
  end(): string;
}> {
  const hasher: IHasher = await createCRC64(CRC64NVME);
  return {
    update: (bytes) => hasher.update(bytes),
    /** In base64. */
    end: () => Buffer.from(hasher.digest("binary")).toString("base64"),
  };
}
