import { AwsError } from "../../awsError";
import { noSuchKey, preconditionFailed } from "./errors";
import type { Entry } from "./state";

/** The headers of a conditional write, as they were sent. */
export interface WriteConditions {
  /** An ETag: the object is there with it. */
  ifMatch?: string;
  /** Only `*`: there is no such object. */
  ifNoneMatch?: string;
}

/**
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
 * @throws AwsError PreconditionFailed 412, NoSuchKey 404 or NotImplemented 501
 */
export function checkWrite(
  key: string,
  existing: Entry | undefined,
  { ifMatch, ifNoneMatch }: WriteConditions,
): void {
  if (ifNoneMatch !== undefined && ifNoneMatch !== "*") {
    throw new AwsError(
      "NotImplemented",
      501,
      "A header you provided implies functionality that is not implemented: If-None-Match on a write takes * only.",
    );
  }
  if (ifMatch !== undefined && !existing) {
    throw noSuchKey(key);
  }
  const changed = ifMatch !== undefined && !isETagOf(existing, ifMatch);
  if (changed || (ifNoneMatch !== undefined && existing !== undefined)) {
    throw preconditionFailed();
  }
}

/**
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-deletes.html
 * @param ifMatch an ETag, or `*` for any
 * @throws AwsError PreconditionFailed 412 or NoSuchKey 404
 */
export function checkDelete(key: string, existing: Entry | undefined, ifMatch?: string): void {
  if (ifMatch === undefined) {
    return;
  }
  if (!existing) {
    throw noSuchKey(key);
  }
  if (ifMatch !== "*" && !isETagOf(existing, ifMatch)) {
    throw preconditionFailed();
  }
}

function isETagOf(entry: Entry | undefined, eTag: string): boolean {
  return entry?.eTag === eTag.replaceAll('"', "");
}
