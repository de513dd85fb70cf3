import type { Segment } from "./files";
import { createKeyOrder, type KeyOrder } from "./keyOrder";

/** By algorithm in upper case (CRC32, SHA256, …), in base64. */
export type ChecksumValues = Record<string, string>;

/** What is kept of an object besides its content. */
export interface ObjectDescription {
  /**
   * What a GET and a HEAD answer with, by name in lower case: content-type, cache-control,
   * content-disposition, content-encoding, content-language, expires, x-amz-meta-*, …
   */
  headers: Record<string, string>;
  checksums?: { type: "FULL_OBJECT" | "COMPOSITE"; values: ChecksumValues };
  tags?: Record<string, string>;
}

/** A part of a multipart upload, or of the object that it became. */
export interface Part extends Segment {
  number: number;
  /** Of its content, in hexadecimal digits: its ETag. */
  md5: string;
  /** Milliseconds since 1970. */
  modified: number;
  checksums?: ChecksumValues;
}

/** An object in the index. */
export interface Entry {
  key: string;
  /** Names the object's file, too, unless there are parts. */
  sequencer: string;
  /** Bytes. */
  size: number;
  /** Without quotes. */
  eTag: string;
  /** Milliseconds since 1970. */
  modified: number;
  /** An ObjectDescription as JSON: a fraction of the memory that the object itself takes. */
  about: string;
  /** In order, if it came in parts; each is a file. */
  parts?: Part[];
}

export interface Upload extends Omit<ObjectDescription, "checksums"> {
  uploadId: string;
  bucket: string;
  key: string;
  /** Milliseconds since 1970. */
  initiated: number;
  /** The checksum that the client announced for its parts and the object, such as CRC32. */
  checksumAlgorithm?: string;
  checksumType?: "FULL_OBJECT" | "COMPOSITE";
}

export interface UploadState {
  upload: Upload;
  parts: Map<number, Part>;
}

export interface BucketState {
  /** Milliseconds since 1970. */
  created: number;
  /** The document as it was put. */
  lifecycle?: string;
  objects: Map<string, Entry>;
  order: KeyOrder;
}

/** One step from state to state: what the journal consists of. */
export type Change =
  | { op: "open"; version: 1; sequencer: string }
  | { op: "createBucket"; bucket: string; created: number }
  | { op: "deleteBucket"; bucket: string }
  | { op: "lifecycle"; bucket: string; document?: string }
  /**
   * @property uploadId the upload that ends by becoming this object
   * @property announce whether its event is still to be sent: until `announced`
   */
  | { op: "put"; bucket: string; entry: Entry; uploadId?: string; announce?: boolean }
  | { op: "announced"; sequencer: string }
  | { op: "delete"; bucket: string; key: string }
  | { op: "createUpload"; upload: Upload }
  | { op: "putPart"; uploadId: string; part: Part }
  | { op: "abortUpload"; uploadId: string };

export interface State {
  readonly buckets: ReadonlyMap<string, BucketState>;
  readonly uploads: ReadonlyMap<string, UploadState>;
  /** Objects whose event is still to be sent, by sequencer. */
  readonly unannounced: ReadonlyMap<string, { bucket: string; entry: Entry }>;
  /** @returns the files that nothing uses after it */
  apply(change: Change): string[];
  /** The changes that lead to this state, as few as possible. */
  changes(): Iterable<Change>;
  /** How many those are. */
  size(): number;
  filesInUse(): Set<string>;
}

export function createState(): State {
  const buckets = new Map<string, BucketState>();
  const uploads = new Map<string, UploadState>();
  const unannounced = new Map<string, { bucket: string; entry: Entry }>();

  function bucketOf(name: string): BucketState {
    const bucket = buckets.get(name);
    if (!bucket) {
      throw new Error(`The journal uses a bucket that it does not create: ${name}.`);
    }
    return bucket;
  }

  function endUpload(uploadId: string, kept: readonly Part[]): string[] {
    const parts = uploads.get(uploadId)?.parts.values() ?? [];
    uploads.delete(uploadId);
    const inUse = new Set(kept.map(({ file }) => file));
    return [...parts].map(({ file }) => file).filter((file) => !inUse.has(file));
  }

  function put(bucketName: string, entry: Entry): string[] {
    const { objects, order } = bucketOf(bucketName);
    const replaced = objects.get(entry.key);
    objects.set(entry.key, entry);
    if (!replaced) {
      order.add(entry.key);
    }
    if (!replaced) {
      return [];
    }
    // A change of tags alone keeps the content.
    const kept = new Set(filesOf(entry));
    return filesOf(replaced).filter((file) => !kept.has(file));
  }

  return {
    buckets,
    uploads,
    unannounced,
    apply(change) {
      switch (change.op) {
        case "open":
          return [];
        case "createBucket": {
          const objects = new Map<string, Entry>();
          const order = createKeyOrder(() => objects.keys());
          buckets.set(change.bucket, { created: change.created, objects, order });
          return [];
        }
        case "deleteBucket":
          buckets.delete(change.bucket);
          return [];
        case "lifecycle":
          bucketOf(change.bucket).lifecycle = change.document;
          return [];
        case "put":
          if (change.announce) {
            unannounced.set(change.entry.sequencer, { bucket: change.bucket, entry: change.entry });
          }
          return [
            ...put(change.bucket, change.entry),
            ...(change.uploadId ? endUpload(change.uploadId, change.entry.parts ?? []) : []),
          ];
        case "announced":
          unannounced.delete(change.sequencer);
          return [];
        case "delete": {
          const { objects, order } = bucketOf(change.bucket);
          const deleted = objects.get(change.key);
          objects.delete(change.key);
          order.remove(change.key);
          return deleted ? filesOf(deleted) : [];
        }
        case "createUpload": {
          const { uploadId } = change.upload;
          const replaced = endUpload(uploadId, []);
          uploads.set(uploadId, { upload: change.upload, parts: new Map() });
          return replaced;
        }
        case "putPart": {
          const parts = uploads.get(change.uploadId)?.parts;
          const replaced = parts?.get(change.part.number);
          parts?.set(change.part.number, change.part);
          return replaced ? [replaced.file] : [];
        }
        case "abortUpload":
          return endUpload(change.uploadId, []);
      }
    },
    *changes() {
      for (const [bucket, { created, lifecycle, objects }] of buckets) {
        yield { op: "createBucket", bucket, created };
        if (lifecycle !== undefined) {
          yield { op: "lifecycle", bucket, document: lifecycle };
        }
        for (const entry of objects.values()) {
          const announce = unannounced.has(entry.sequencer);
          yield { op: "put", bucket, entry, ...(announce && { announce }) };
        }
      }
      for (const [uploadId, { upload, parts }] of uploads) {
        yield { op: "createUpload", upload };
        for (const part of parts.values()) {
          yield { op: "putPart", uploadId, part };
        }
      }
    },
    size() {
      let size = 2 * buckets.size;
      for (const { objects } of buckets.values()) {
        size += objects.size;
      }
      for (const { parts } of uploads.values()) {
        size += 1 + parts.size;
      }
      return size;
    },
    filesInUse() {
      const files = [
        ...[...buckets.values()].flatMap(({ objects }) => [...objects.values()].flatMap(filesOf)),
        ...[...uploads.values()].flatMap(({ parts }) => [...parts.values()].map(partFile)),
      ];
      return new Set(files);
    },
  };
}

/** The files that an object's content is in, in order. */
export function segmentsOf({ sequencer, size, parts }: Entry): readonly Segment[] {
  return parts ?? [{ file: sequencer, size }];
}

function filesOf(entry: Entry): string[] {
  return entry.parts ? entry.parts.map(partFile) : [entry.sequencer];
}

function partFile({ file }: Part): string {
  return file;
}
