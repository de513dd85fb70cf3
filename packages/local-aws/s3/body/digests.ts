import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import type { IHasher } from "hash-wasm";
import type { SpooledBody } from "../../http";

/** The bytes of an object or a part. */
export type Content = Buffer | SpooledBody;

/** A digest that is computed as bytes arrive. */
export interface Digest {
  update(bytes: Buffer): void;
  /** Once only. */
  digest(): Buffer;
}

/**
 * The checksums that S3 compares and keeps, by their names in headers.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_Checksum.html
 */
export const CHECKSUMS = [
  "crc32",
  "crc32c",
  "crc64nvme",
  "sha1",
  "sha256",
  "sha512",
  "md5",
  "xxhash64",
  "xxhash3",
  "xxhash128",
] as const;

/** Polynomials of CRCs, their lowest coefficient in the highest bit. */
export const CRC_POLYNOMIALS: ReadonlyMap<string, bigint> = new Map([
  ["crc32", 0xedb88320n],
  ["crc32c", 0x82f63b78n],
  ["crc64nvme", 0x9a6c9329ac4bc9b5n],
]);

/** Those that Node.js lacks, by their names; undefined until they are loaded. */
let hashers: ReadonlyMap<string, IHasher> | undefined;
let loading: Promise<void> | undefined;

/** Loads what {@link createDigest} needs, once: WebAssembly is compiled asynchronously. */
export function loadDigests(): Promise<void> {
  return (loading ??= load());
}

async function load(): Promise<void> {
  const wasm = await import("hash-wasm");
  const polynomial = (name: string) => CRC_POLYNOMIALS.get(name) ?? 0n;
  hashers = new Map([
    ["crc32c", await wasm.createCRC32(Number(polynomial("crc32c")))],
    ["crc64nvme", await wasm.createCRC64(polynomial("crc64nvme").toString(16))],
    ["xxhash64", await wasm.createXXHash64()],
    ["xxhash3", await wasm.createXXHash3()],
    ["xxhash128", await wasm.createXXHash128()],
  ]);
}

/**
 * @param algorithm one of {@link CHECKSUMS}
 * @throws Error for one that Node.js lacks before {@link loadDigests} is done
 */
export function createDigest(algorithm: string): Digest {
  if (algorithm === "crc32") {
    return createCrc32();
  }
  const hasher = hashers?.get(algorithm);
  if (hasher) {
    return createResumed(hasher);
  }
  const hash = createHash(algorithm);
  return {
    update: (bytes) => void hash.update(bytes),
    digest: () => hash.digest(),
  };
}

function createCrc32(): Digest {
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

/** One hasher serves all digests of its kind: each keeps its own state (at most 580 bytes). */
function createResumed(hasher: IHasher): Digest {
  let state = hasher.init().save();
  return {
    update(bytes) {
      state = hasher.load(state).update(bytes).save();
    },
    digest: () => Buffer.from(hasher.load(state).digest("binary")),
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
