import { ListObjectsV2Command, type S3Client } from "@aws-sdk/client-s3";
import type { FileEvent } from "../../events/event";
import { gracePeriodSeconds } from "../../events/gracePeriod";
import { UPLOAD_PREFIX } from "../../events/identity";
import { eventOfListedUpload, type ListedObject } from "../../events/newEvent";
import { forEachConcurrently } from "../../runtime/concurrency";
import { logError } from "../../runtime/log";
import { withoutRow } from "../../store/batchReads";
import { moveListingPosition, readListingPosition } from "../../store/listingPosition";
import { isoBefore, putMissingRow, type SweepRun } from "./sweepRun";

/** Rows that are written at the same time. */
const CONCURRENCY = 16;

async function putMissingRows(run: SweepRun, uploads: FileEvent[]): Promise<void> {
  const { store, counts } = run;
  // A stale read is harmless: a row is written only if it does not exist.
  const missing = await withoutRow(store, uploads);
  const failures = await forEachConcurrently(missing, CONCURRENCY, async (event) => {
    if (await putMissingRow(run, event)) {
      counts.WrittenFromListing += 1;
    }
  });
  for (const { item, error } of failures) {
    logError("Missing row not written.", error, {
      event_id: item.event_id,
      key: item.event_info.Key,
    });
  }
  if (failures[0]) {
    throw failures[0].error;
  }
}

/** A page of the bucket's listing, without keys that are too new. */
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
 * Writes the missing rows of uploads whose row the upload API could not write. Keys begin with the
 * upload's time, so the bucket lists them in that order, and each upload is checked once: a run
 * continues after the last one and ends at the uploads within the grace period. An object that is
 * created later under an older key is recorded by the bucket's event.
 *
 * If something fails in a page, the following pages are processed, but the next run starts at the
 * failed page again.
 *
 * @throws the first error of listing the bucket, or of reading or writing rows
 */
export async function sweepUnrecordedUploads(run: SweepRun, bucket: string): Promise<void> {
  const { store, s3, stuckSeconds, hasTime } = run;
  // ISO 8601 sorts in order of time.
  const newest = `${UPLOAD_PREFIX}${isoBefore(gracePeriodSeconds(stuckSeconds))}`;
  const errors: unknown[] = [];
  let after = await readListingPosition(store);
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
        await moveListingPosition(store, page.end);
      }
    } catch (error) {
      errors.push(error);
    }
    after = page.end;
  }
  if (errors.length > 0) {
    throw errors[0];
  }
}
