import { ListObjectsV2Command, type S3Client } from "@aws-sdk/client-s3";
import type { FileEvent } from "../../events/event";
import { settleSeconds } from "../../events/gracePeriod";
import { UPLOAD_PREFIX } from "../../events/identity";
import { eventOfListedUpload, type ListedObject } from "../../events/newEvent";
import { logError } from "../../runtime/log";
import { forEachConcurrently } from "../../runtime/streamBatch";
import { moveListedUpTo, readListedUpTo } from "../../store/countsTable";
import { readRows } from "../../store/eventStore";
import { isoBefore, putMissing, type SweepRun } from "./sweepRun";

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
    logError("A missing row could not be written.", error, {
      event_id: item.event_id,
      key: item.event_info.Key,
    });
  }
  if (failures[0]) {
    throw failures[0].error;
  }
}

/** A part of the bucket's listing, whose keys are as old as they have to be. */
interface Page {
  objects: ListedObject[];
  /** The last key; undefined: there are no objects. */
  end: string | undefined;
  isLast: boolean;
}

/** @param newest sorts after every key that is old enough */
async function listPage(
  s3: S3Client,
  bucket: string,
  after: string,
  newest: string,
): Promise<Page> {
  const { Contents: listed = [], IsTruncated: isTruncated } = await s3.send(
    new ListObjectsV2Command({ Bucket: bucket, Prefix: UPLOAD_PREFIX, StartAfter: after }),
  );
  const objects = listed.filter(({ Key = "" }) => Key < newest);
  return {
    objects,
    end: objects.at(-1)?.Key,
    isLast: !isTruncated || objects.length < listed.length,
  };
}

/**
 * Gives uploads their rows that have none: the upload API could not write them, and the bucket's
 * event leaves them to this. The keys begin with the time, so that the listing is in its order, and
 * each upload is looked at once: a run goes on where the last one ended, up to the uploads that the
 * API may still be at. What comes under an older key later, the bucket's event writes.
 *
 * A page in which something failed is gone through again by the next run, with all that follow it,
 * until it is done with; the rows of those are written all the same.
 *
 * @throws when the bucket could not be listed, or a row not be read or written
 */
export async function sweepListing(run: SweepRun, s3: S3Client, bucket: string): Promise<void> {
  const { store, stuckSeconds, hasTime } = run;
  // The characters of ISO 8601 sort as the times do.
  const newest = `${UPLOAD_PREFIX}${isoBefore(settleSeconds(stuckSeconds))}`;
  const errors: unknown[] = [];
  let after = await readListedUpTo(store);
  let isLast = false;
  while (!isLast && hasTime()) {
    const page = await listPage(s3, bucket, after ?? UPLOAD_PREFIX, newest);
    isLast = page.isLast;
    if (page.end === undefined) {
      break;
    }
    const uploads = page.objects
      .map((object) => eventOfListedUpload(bucket, object))
      .filter((event) => event !== undefined);
    try {
      await putMissingRows(run, uploads);
      if (errors.length === 0) {
        await moveListedUpTo(store, page.end);
      }
    } catch (error) {
      // The uploads of the pages to come have their right all the same.
      errors.push(error);
    }
    after = page.end;
  }
  if (errors.length > 0) {
    throw errors[0];
  }
}
