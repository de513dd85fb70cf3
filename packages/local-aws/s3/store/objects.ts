import { hash } from "node:crypto";
import { rmSync } from "node:fs";
import type { Readable } from "node:stream";
import { checkDelete, checkWrite, type WriteConditions } from "./conditions";
import type { Core } from "./core";
import { noSuchKey } from "./errors";
import type { SpooledFile } from "./files";
import type { KeyPage, PageOptions } from "./keyOrder";
import { type ChecksumValues, type Entry, type ObjectDescription, segmentsOf } from "./state";

/** The header that names an object's storage class, where it is another than STANDARD. */
const STORAGE_CLASS = "x-amz-storage-class";

export interface ListedObject {
  key: string;
  /** Bytes. */
  size: number;
  /** Without quotes. */
  eTag: string;
  lastModified: Date;
  storageClass: string;
}

export interface StoredObject extends ListedObject, ObjectDescription {
  /** 18 upper-case hexadecimal digits; later writes have greater ones. */
  sequencer: string;
  /** In order; undefined for an object that did not come in parts. */
  parts?: { number: number; size: number; checksums?: ChecksumValues }[];
}

export interface ObjectContent {
  object: StoredObject;
  /**
   * Bytes `start` up to, not including, `end`.
   * @throws AwsError NoSuchKey if the object was replaced or deleted since
   */
  read(start?: number, end?: number): Buffer;
  /**
   * As `read`; whole even if the object is replaced or deleted meanwhile. It must be read or
   * destroyed, or its file stays until the next opening.
   */
  stream(start?: number, end?: number): Readable;
}

export interface Page extends Omit<KeyPage, "keys"> {
  objects: ListedObject[];
}

export interface WriteOptions extends WriteConditions {
  /** Of an object that is taken over: nobody is told of its creation. @default now */
  modified?: Date;
}

/** Each is decided and done before it returns, so that conditions and writes are atomic. */
export interface ObjectOperations {
  /**
   * Writes an object.
   * @param body a spooled file is moved; it stays the caller's to remove if this throws
   * @throws AwsError NoSuchBucket, NoSuchKey, PreconditionFailed, NotImplemented or
   *   ServiceUnavailable
   */
  put(
    bucket: string,
    key: string,
    body: Buffer | SpooledFile,
    description: ObjectDescription,
    options?: WriteOptions,
  ): StoredObject;
  /** @throws AwsError NoSuchBucket or NoSuchKey */
  head(bucket: string, key: string): StoredObject;
  /** @throws AwsError NoSuchBucket or NoSuchKey */
  get(bucket: string, key: string): ObjectContent;
  /**
   * @param ifMatch an ETag, or `*`
   * @returns whether there was such an object
   * @throws AwsError NoSuchBucket, NoSuchKey or PreconditionFailed
   */
  delete(bucket: string, key: string, ifMatch?: string): boolean;
  /** Replaces an object's tags, and nothing else. @throws AwsError NoSuchBucket or NoSuchKey */
  setTags(bucket: string, key: string, tags: Record<string, string> | undefined): void;
  /**
   * Copies an object. Written at once, save for an object that came in parts: that is joined first,
   * and gets the ETag of its content.
   * @param description @default the source's
   * @throws AwsError as `put`
   */
  copy(
    source: { bucket: string; key: string },
    target: { bucket: string; key: string },
    description?: ObjectDescription,
    options?: WriteOptions,
  ): Promise<StoredObject>;
  /** Written objects whose events are still to be sent, oldest first: after a crash, some may have been. */
  unannounced(): { bucket: string; object: StoredObject }[];
  /** Says that the events of this write are on their way. */
  announced(sequencer: string): void;
  /** @throws AwsError NoSuchBucket */
  list(bucket: string, options?: PageOptions): Page;
}

export function createObjectOperations({
  state,
  files,
  sequencer,
  commit,
  bucketOf,
  entryOf,
}: Core): ObjectOperations {
  function write(
    target: { bucket: string; key: string },
    content: { size: number; eTag: string; create: (file: string) => void },
    description: ObjectDescription,
    { modified: given, ...conditions }: WriteOptions,
  ): StoredObject {
    const modified = given ?? new Date();
    const { bucket, key } = target;
    checkWrite(key, bucketOf(bucket).objects.get(key), conditions);
    const file = sequencer.next();
    const { size, eTag, create } = content;
    create(file);
    const about = JSON.stringify(description);
    const entry: Entry = {
      key,
      sequencer: file,
      size,
      eTag,
      modified: modified.getTime(),
      about,
    };
    commit({ op: "put", bucket, entry, announce: given === undefined }, [file]);
    return toStoredObject(entry);
  }

  const put: ObjectOperations["put"] = (bucket, key, body, description, options = {}) =>
    write(
      { bucket, key },
      {
        ...sizeAndMd5(body),
        create: (file) => {
          files.take(file, body);
        },
      },
      description,
      options,
    );

  return {
    put,
    head: (bucket, key) => toStoredObject(entryOf(bucket, key)),
    get(bucket, key) {
      const entry = entryOf(bucket, key);
      const segments = segmentsOf(entry);
      const checkCurrent = () => {
        const current = state.buckets.get(bucket)?.objects.get(key);
        if (current?.sequencer !== entry.sequencer) {
          throw noSuchKey(key);
        }
      };
      return {
        object: toStoredObject(entry),
        read(start = 0, end = entry.size) {
          checkCurrent();
          return files.read(segments, start, end);
        },
        stream(start = 0, end = entry.size) {
          checkCurrent();
          return files.stream(segments, start, end);
        },
      };
    },
    delete(bucket, key, ifMatch) {
      const existing = bucketOf(bucket).objects.get(key);
      checkDelete(key, existing, ifMatch);
      if (existing) {
        commit({ op: "delete", bucket, key });
      }
      return existing !== undefined;
    },
    setTags(bucket, key, tags) {
      const entry = entryOf(bucket, key);
      const about = JSON.stringify({ ...describe(entry), tags });
      commit({ op: "put", bucket, entry: { ...entry, about } });
    },
    async copy(source, target, description, options = {}) {
      const entry = entryOf(source.bucket, source.key);
      const { size, eTag, parts } = entry;
      if (!parts) {
        const create = (file: string) => {
          files.link(file, entry.sequencer);
        };
        return write(target, { size, eTag, create }, description ?? describe(entry), options);
      }
      // Fails early where it can.
      checkWrite(target.key, bucketOf(target.bucket).objects.get(target.key), options);
      const joined = await files.spool(sequencer.next(), files.stream(parts, 0, size));
      try {
        const about = description ?? withoutComposite(describe(entry));
        return put(target.bucket, target.key, joined, about, options);
      } catch (error) {
        rmSync(joined.file, { force: true });
        throw error;
      }
    },
    unannounced: () =>
      [...state.unannounced.values()].map(({ bucket, entry }) => ({
        bucket,
        object: toStoredObject(entry),
      })),
    announced(sequencer) {
      if (state.unannounced.has(sequencer)) {
        commit({ op: "announced", sequencer });
      }
    },
    list(bucket, options) {
      const { objects, order } = bucketOf(bucket);
      const { keys, ...page } = order.page(options);
      const found = keys.map((key) => objects.get(key)).filter((entry) => entry !== undefined);
      return { ...page, objects: found.map(toListedObject) };
    },
  };
}

/** The md5 is an object's ETag, and a part's. */
export function sizeAndMd5(body: Buffer | SpooledFile): { size: number; eTag: string } {
  return Buffer.isBuffer(body)
    ? { size: body.length, eTag: hash("md5", body) }
    : { size: body.bytes, eTag: body.md5 };
}

export function toStoredObject(entry: Entry): StoredObject {
  const { sequencer, parts } = entry;
  return {
    ...toListedObject(entry),
    ...describe(entry),
    sequencer,
    ...(parts && {
      parts: parts.map(({ number, size, checksums }) => ({ number, size, checksums })),
    }),
  };
}

function toListedObject(entry: Entry): ListedObject {
  const { key, size, eTag, modified, about } = entry;
  // Most have none: a listing need not read their JSON.
  const storageClass = about.includes(STORAGE_CLASS)
    ? describe(entry).headers[STORAGE_CLASS]
    : undefined;
  return {
    key,
    size,
    eTag,
    lastModified: new Date(modified),
    storageClass: storageClass ?? "STANDARD",
  };
}

function describe({ about }: Entry): ObjectDescription {
  return JSON.parse(about) as ObjectDescription;
}

/** A checksum over the parts' checksums is not valid for single-part content. */
function withoutComposite({ checksums, ...rest }: ObjectDescription): ObjectDescription {
  return checksums?.type === "COMPOSITE" ? rest : { ...rest, checksums };
}
