import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import type { SpooledBody } from "../../http";

/** The bytes of an object or a part. */
export type Content = Buffer | SpooledBody;

/** A digest that is computed as bytes arrive. */
export interface Digest {
  update(bytes: Buffer): void;
  /** Once only. */
  digest(): Buffer;
}

/** The checksums that S3 compares and keeps here, by their names in headers. */
export const CHECKSUMS = ["crc32", "sha1", "sha256"] as const;

/** @param algorithm md5, crc32, sha1 or sha256 */
export function createDigest(algorithm: string): Digest {
  if (algorithm !== "crc32") {
    const hash = createHash(algorithm);
    return {
      update: (bytes) => void hash.update(bytes),
      digest: () => hash.digest(),
    };
  }
  let sum = 0;
  return {
    update(bytes) {
      sum = crc32(bytes, sum);
    },
    digest() {
      const bytes = Buffer.alloc(4);
      bytes.writeUInt32BE(sum);
      return bytes;
    },
  };
}

/** @throws Error for a spooled content of which this digest was not foreseen */
export function digestOf(algorithm: string, content: Content): Buffer {
  if (Buffer.isBuffer(content)) {
    const digest = createDigest(algorithm);
    digest.update(content);
    return digest.digest();
  }
  const digest = content.digests.get(algorithm);
  if (!digest) {
    throw new Error(`The ${algorithm} of a spooled body was not computed.`);
  }
  return digest;
}

/** Bytes. */
export function bytesOf(content: Content): number {
  return Buffer.isBuffer(content) ? content.length : content.bytes;
}
