import { createHash, randomBytes } from "node:crypto";
import { rmSync } from "node:fs";
import { AwsError } from "../../awsError";
import type { Digest } from "../body/digests";
import { checkWrite } from "./conditions";
import type { Core } from "./core";
import { invalidArgument, noSuchUpload } from "./errors";
import type { SpooledFile } from "./files";
import { compareKeys } from "./keyOrder";
import { sizeAndMd5, type StoredObject, toStoredObject, type WriteOptions } from "./objects";
import {
  type ChecksumValues,
  type Entry,
  type ObjectDescription,
  type Part,
  segmentsOf,
  type Upload,
  type UploadState,
} from "./state";

/** Where an upload is found. */
export interface UploadAddress {
  bucket: string;
  key: string;
  uploadId: string;
}

export interface ListedPart {
  number: number;
  /** Bytes. */
  size: number;
  /** Without quotes. */
  eTag: string;
  lastModified: Date;
  checksums?: ChecksumValues;
}

/** A part as the client names it in CompleteMultipartUpload. */
export interface CompletedPart {
  number: number;
  /** With or without quotes. */
  eTag: string;
  /** Compared with the part's own, if it has one of the algorithm. */
  checksums?: ChecksumValues;
}

export interface MultipartOperations {
  /**
   * @param upload its `uploadId` and `initiated` come from an older store; an open upload of that
   *   id is replaced
   * @throws AwsError NoSuchBucket
   */
  createUpload(upload: Omit<Upload, "uploadId" | "initiated"> & Partial<Upload>): Readonly<Upload>;
  /** @throws AwsError NoSuchUpload */
  uploadOf(address: UploadAddress): Readonly<Upload>;
  /**
   * Writes a part, or replaces it.
   * @param body a spooled file is moved; it stays the caller's to remove if this throws
   * @throws AwsError NoSuchUpload, InvalidArgument for its number, or ServiceUnavailable
   */
  putPart(
    address: UploadAddress,
    number: number,
    body: Buffer | SpooledFile,
    checksums?: ChecksumValues,
  ): ListedPart;
  /**
   * Makes a part of an object's bytes `start` up to, not including, `end`.
   * @param checksum the one that the part is to have
   * @throws AwsError as `putPart`, NoSuchBucket or NoSuchKey
   */
  copyPart(
    address: UploadAddress,
    number: number,
    source: { bucket: string; key: string; start?: number; end?: number },
    checksum?: { algorithm: string; digest: Digest },
  ): Promise<ListedPart>;
  /** @param page `after` is a part's number @throws AwsError NoSuchUpload */
  listParts(
    address: UploadAddress,
    page?: { after?: number; maxParts?: number },
  ): { parts: ListedPart[]; isTruncated: boolean };
  /**
   * Makes an object of parts, whose files become the object's: nothing is copied. Atomic, as `put`.
   * @param options.checksums the object's, where the client or the caller has one
   * @throws AwsError NoSuchUpload, MalformedXML, InvalidPart, InvalidPartOrder, EntityTooSmall, or
   *   as `put`
   */
  completeUpload(
    address: UploadAddress,
    parts: readonly CompletedPart[],
    options?: WriteOptions & { checksums?: ObjectDescription["checksums"] },
  ): StoredObject;
  /** @throws AwsError NoSuchUpload */
  abortUpload(address: UploadAddress): void;
  /**
   * Lists open uploads by key, then by age; keys that share a delimiter as one common prefix.
   * @param page `after` is the last upload of the page before; without an id, all of its key
   * @throws AwsError NoSuchBucket
   */
  listUploads(
    bucket: string,
    page?: {
      prefix?: string;
      delimiter?: string;
      after?: { key: string; uploadId?: string };
      maxUploads?: number;
    },
  ): UploadPage;
}

export interface UploadPage {
  uploads: Readonly<Upload>[];
  commonPrefixes: string[];
  isTruncated: boolean;
  /** The last upload or common prefix of a page that is truncated. */
  next?: { key: string; uploadId?: string };
}

const MAX_PART_NUMBER = 10_000;

/** @param minPartSize in bytes, of each part but the last */
export function createMultipartOperations(
  { state, files, sequencer, commit, bucketOf, entryOf }: Core,
  minPartSize: number,
): MultipartOperations {
  function find({ bucket, key, uploadId }: UploadAddress): UploadState {
    const found = state.uploads.get(uploadId);
    if (found?.upload.bucket !== bucket || found.upload.key !== key) {
      throw noSuchUpload(uploadId);
    }
    return found;
  }

  const putPart: MultipartOperations["putPart"] = (address, number, body, checksums) => {
    find(address);
    checkPartNumber(number);
    const file = sequencer.next();
    const { size, eTag: md5 } = sizeAndMd5(body);
    files.take(file, body);
    const part: Part = { number, file, size, md5, modified: Date.now(), checksums };
    commit({ op: "putPart", uploadId: address.uploadId, part }, [file]);
    return toListedPart(part);
  };

  return {
    putPart,
    createUpload(upload) {
      bucketOf(upload.bucket);
      const created: Upload = {
        ...upload,
        // In the order of their age, for listings.
        uploadId: upload.uploadId ?? `${sequencer.next()}${randomBytes(16).toString("hex")}`,
        initiated: upload.initiated ?? Date.now(),
      };
      commit({ op: "createUpload", upload: created });
      return created;
    },
    uploadOf: (address) => find(address).upload,
    async copyPart(address, number, { bucket, key, start = 0, end }, checksum) {
      find(address);
      checkPartNumber(number);
      const entry = entryOf(bucket, key);
      const content = files.stream(segmentsOf(entry), start, end ?? entry.size);
      const spooled = await files.spool(sequencer.next(), content, checksum?.digest);
      const checksums = checksum && {
        [checksum.algorithm]: checksum.digest.digest().toString("base64"),
      };
      try {
        return putPart(address, number, spooled, checksums);
      } catch (error) {
        rmSync(spooled.file, { force: true });
        throw error;
      }
    },
    listParts(address, { after = 0, maxParts = 1000 } = {}) {
      const following = [...find(address).parts.values()]
        .filter(({ number }) => number > after)
        .sort((a, b) => a.number - b.number);
      return {
        parts: following.slice(0, maxParts).map(toListedPart),
        isTruncated: maxParts > 0 && following.length > maxParts,
      };
    },
    completeUpload(address, named, { checksums, modified, ...conditions } = {}) {
      const { upload, parts: stored } = find(address);
      const { bucket, key } = address;
      const parts = chooseParts(named, stored, minPartSize);
      checkWrite(key, bucketOf(bucket).objects.get(key), conditions);
      const digest = createHash("md5");
      let size = 0;
      for (const part of parts) {
        digest.update(part.md5, "hex");
        size += part.size;
      }
      const { headers, tags } = upload;
      const description: ObjectDescription = { headers, checksums, tags };
      const entry: Entry = {
        key,
        sequencer: sequencer.next(),
        size,
        eTag: `${digest.digest("hex")}-${parts.length}`,
        modified: modified?.getTime() ?? Date.now(),
        about: JSON.stringify(description),
        parts,
      };
      const { uploadId } = upload;
      commit({ op: "put", bucket, entry, uploadId, announce: modified === undefined });
      return toStoredObject(entry);
    },
    abortUpload(address) {
      find(address);
      commit({ op: "abortUpload", uploadId: address.uploadId });
    },
    listUploads(bucket, { prefix = "", delimiter = "", after, maxUploads = 1000 } = {}) {
      bucketOf(bucket);
      const following = [...state.uploads.values()]
        .map(({ upload }) => upload)
        .filter((upload) => upload.bucket === bucket && upload.key.startsWith(prefix))
        .filter((upload) => !after || follows(upload, after))
        .sort((a, b) => compareKeys(a.key, b.key) || compareKeys(a.uploadId, b.uploadId));
      const page: UploadPage = { uploads: [], commonPrefixes: [], isTruncated: false };
      for (const upload of following) {
        const { key, uploadId } = upload;
        const end = delimiter === "" ? -1 : key.indexOf(delimiter, prefix.length);
        const common = end < 0 ? undefined : key.slice(0, end + delimiter.length);
        // The prefix may be the end of the page before.
        if (common !== undefined && [page.commonPrefixes.at(-1), after?.key].includes(common)) {
          continue;
        }
        if (page.uploads.length + page.commonPrefixes.length >= maxUploads) {
          return { ...page, isTruncated: maxUploads > 0 };
        }
        if (common === undefined) {
          page.uploads.push(upload);
        } else {
          page.commonPrefixes.push(common);
        }
        page.next = common === undefined ? { key, uploadId } : { key: common };
      }
      return page;
    },
  };
}

function follows({ key, uploadId }: Upload, after: { key: string; uploadId?: string }): boolean {
  const order = compareKeys(key, after.key);
  return order === 0
    ? after.uploadId !== undefined && compareKeys(uploadId, after.uploadId) > 0
    : order > 0;
}

function checkPartNumber(number: number): void {
  if (!Number.isInteger(number) || number < 1 || number > MAX_PART_NUMBER) {
    const message = `Part number must be an integer between 1 and ${MAX_PART_NUMBER}, inclusive`;
    throw invalidArgument("partNumber", String(number), message);
  }
}

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html */
function chooseParts(
  named: readonly CompletedPart[],
  stored: ReadonlyMap<number, Part>,
  minPartSize: number,
): Part[] {
  if (named.length === 0) {
    throw new AwsError(
      "MalformedXML",
      400,
      "The XML you provided was not well-formed or did not validate against our published schema",
    );
  }
  if (named.some(({ number }, at) => number <= (named[at - 1]?.number ?? 0))) {
    throw new AwsError(
      "InvalidPartOrder",
      400,
      "The list of parts was not in ascending order. The parts list must be specified in order by part number.",
    );
  }
  const parts = named.map((each) => {
    const part = stored.get(each.number);
    if (part?.md5 !== each.eTag.replaceAll('"', "") || !agree(part.checksums, each.checksums)) {
      throw new AwsError(
        "InvalidPart",
        400,
        "One or more of the specified parts could not be found. The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.",
        { PartNumber: String(each.number), ETag: each.eTag },
      );
    }
    return part;
  });
  const small = parts.slice(0, -1).find(({ size }) => size < minPartSize);
  if (small) {
    throw new AwsError(
      "EntityTooSmall",
      400,
      "Your proposed upload is smaller than the minimum allowed size",
      {
        ProposedSize: String(small.size),
        MinSizeAllowed: String(minPartSize),
        PartNumber: String(small.number),
      },
    );
  }
  return parts;
}

function agree(stored: ChecksumValues = {}, named: ChecksumValues = {}): boolean {
  return Object.entries(named).every(
    ([algorithm, value]) => stored[algorithm] === undefined || stored[algorithm] === value,
  );
}

function toListedPart({ number, size, md5, modified, checksums }: Part): ListedPart {
  return { number, size, eTag: md5, lastModified: new Date(modified), checksums };
}
