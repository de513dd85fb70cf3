/** Bytes; S3's least for every part but the last: 5 MiB. */
export const MIN_PART_BYTES = 5 * 1024 ** 2;

/** Bytes; S3's most for one part: 5 GiB. */
export const MAX_PART_BYTES = 5 * 1024 ** 3;

/** S3's most parts of one upload. */
export const MAX_PARTS = 10_000;

/** Bytes; S3's limit for an object: 48.8 TiB. */
export const MAX_OBJECT_BYTES = MAX_PART_BYTES * MAX_PARTS;

/** A part as S3 lists it, in the names that @uppy/aws-s3 reads. */
export interface ListedPart {
  PartNumber: number;
  /** Bytes. */
  Size: number;
  /** Without quotes. */
  ETag: string;
}

/** A part as a client names it to complete an upload. */
export type NamedPart = Pick<ListedPart, "PartNumber" | "ETag">;

/**
 * The size of each part but the last, in bytes: what @uppy/aws-s3 cuts by default, too.
 *
 * @param size of the file, in bytes
 */
export function partSizeOf(size: number): number {
  return Math.max(MIN_PART_BYTES, Math.ceil(size / MAX_PARTS));
}

/** @param size of the file, in bytes; from 1 */
export function partCountOf(size: number): number {
  return Math.ceil(size / partSizeOf(size));
}

/**
 * The length of one part of a file of this size, in bytes.
 *
 * @returns undefined where the file has no such part
 */
export function partLengthOf(size: number, partNumber: number): number | undefined {
  const count = partCountOf(size);
  if (partNumber < 1 || partNumber > count) {
    return undefined;
  }
  const partSize = partSizeOf(size);
  return partNumber < count ? partSize : size - partSize * (count - 1);
}
