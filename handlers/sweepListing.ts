import { ListObjectsV2Command, type S3Client } from "@aws-sdk/client-s3";
import type { FileEvent } from "../events/event";
import { UPLOAD_PREFIX } from "../events/identity";
import { readRows } from "./eventStore";
import { logError } from "./log";
import { eventOfListedUpload, type ListedObject } from "./newEvent";
import { forEachConcurrently } from "./streamBatch";
import { isoBefore, putMissing, type SweepRun } from "./sweepRun";

/** The least window to look back, in seconds: many runs of the sweeper, and most outages. */
const MIN_WINDOW_SECONDS = 60 * 60;

/** Pages of 1,000 objects in one run. */
const MAX_PAGES = 100;

/** Rows that are put at the same time. */
const CONCURRENCY = 16;

async function putMissingRows(run: SweepRun, uploads: FileEvent[]): Promise<void> {
  const { store, counts } = run;
  // A stale read is harmless: the rows are put on condition that they are not there.
  const rows = await readRows(store, uploads, { attributes: [], consistent: false });
  const known = new Set(rows.map((row) => row.event_id?.S));
  const missing = uploads.filter(({ event_id }) => !known.has(event_id));
  const failures = await forEachConcurrently(missing, CONCURRENCY, async (event) => {
    if (await putMissing(run, event)) {
      counts.WrittenFromListing += 1;
    }
  });
  for (const { item, error } of failures) {
    logError("A missing row could not be written.", error, { event_id: item.event_id });
  }
  if (failures[0]) {
    throw failures[0].error;
  }
}

/**
 * Gives uploads their rows that have none: neither the upload API nor the bucket's event wrote it.
 * The keys begin with the time, so that the uploads of a window are one range of the listing; the
 * newest of them are left out, as both writers are still at it.
 *
 * @throws when the bucket could not be listed, or a row not be read or written
 */
export async function sweepListing(run: SweepRun, s3: S3Client, bucket: string): Promise<void> {
  const { stuckSeconds, hasTime } = run;
  const windowSeconds = Math.max(MIN_WINDOW_SECONDS, 4 * stuckSeconds);
  const newest = Date.now() - Math.max(1, stuckSeconds / 4) * 1000;
  const isSettled = ({ LastModified }: ListedObject) => (LastModified?.getTime() ?? 0) <= newest;
  const errors: unknown[] = [];
  let next: string | undefined;
  let pages = 0;
  do {
    const page = await s3.send(
      new ListObjectsV2Command({
        Bucket: bucket,
        Prefix: UPLOAD_PREFIX,
        // The characters of ISO 8601 sort as the times do.
        StartAfter: `${UPLOAD_PREFIX}${isoBefore(windowSeconds)}`,
        ContinuationToken: next,
      }),
    );
    const uploads = (page.Contents ?? [])
      .filter(isSettled)
      .map((object) => eventOfListedUpload(bucket, object))
      .filter((event) => event !== undefined);
    try {
      await putMissingRows(run, uploads);
    } catch (error) {
      // The uploads of the pages to come have their right all the same.
      errors.push(error);
    }
    next = page.NextContinuationToken;
    pages += 1;
  } while (next !== undefined && pages < MAX_PAGES && hasTime());
  if (errors.length > 0) {
    throw errors[0];
  }
}
