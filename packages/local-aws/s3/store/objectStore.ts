import { type BucketOperations, createBucketOperations } from "./buckets";
import { openCore } from "./core";
import { createMultipartOperations, type MultipartOperations } from "./multipart";
import { createObjectOperations, type ObjectOperations } from "./objects";

/** Buckets and objects on the disk. What a call has returned from survives `kill -9`. */
export interface ObjectStore extends BucketOperations, ObjectOperations, MultipartOperations {
  /** Bodies that are spooled here become objects without being copied. Emptied at opening. */
  readonly spoolFolder: string;
  /** Resolves once files of deleted objects are removed; streams must have ended. */
  close(): Promise<void>;
}

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html */
const MIN_PART_SIZE = 5 << 20;

/**
 * Opens a folder, or makes it:
 *
 *     journal   what happened, one line of JSON each; the index in memory is made of it
 *     files/    contents: a file for each object or part, named by its sequencer, never by its key
 *     spool/    bodies on their way in
 *
 * A content is written first, the journal's line after it: a crash in between leaves a file that no
 * line names, which is removed at the next opening. The same holds for replaced and deleted objects.
 *
 * @param options.folder nobody else may have it open
 * @param options.minPartSize bytes, of each part of an upload but the last @default 5 MiB
 * @throws Error for a damaged journal, or one of a later version
 */
export function createObjectStore(options: { folder: string; minPartSize?: number }): ObjectStore {
  const { folder, minPartSize = MIN_PART_SIZE } = options;
  const core = openCore(folder);
  return {
    ...createBucketOperations(core),
    ...createObjectOperations(core),
    ...createMultipartOperations(core, minPartSize),
    spoolFolder: core.files.spoolFolder,
    close: () => core.close(),
  };
}
