import type { S3Request } from "../request";
import { preconditionFailed } from "../store/errors";
import type { StoredObject } from "../store/objects";

/** The prefix of a copy's conditions on its source. */
const COPY_SOURCE = "x-amz-copy-source-";

/**
 * Checks the conditions of a read. RFC 9110, 13.2.2: an ETag counts, and a date only where there is no
 * ETag.
 *
 * @returns whether the answer is 304
 * @throws AwsError PreconditionFailed 412
 */
export function isUnchanged(headers: S3Request["headers"], object: StoredObject): boolean {
  return isNotModified(headers, object, "");
}

/**
 * Checks the conditions of a copy on its source.
 *
 * @throws AwsError PreconditionFailed 412
 */
export function checkCopySource(headers: S3Request["headers"], source: StoredObject): void {
  if (isNotModified(headers, source, COPY_SOURCE)) {
    throw preconditionFailed();
  }
}

function isNotModified(
  headers: S3Request["headers"],
  { eTag, lastModified }: StoredObject,
  prefix: string,
): boolean {
  const names = (list: string) =>
    list.split(",").some((each) => ["*", eTag].includes(each.trim().replaceAll('"', "")));
  // HTTP's dates have whole seconds.
  const modified = Math.floor(lastModified.getTime() / 1000) * 1000;
  const ifMatch = headers[`${prefix}if-match`];
  const ifNoneMatch = headers[`${prefix}if-none-match`];
  const hasFailed =
    ifMatch === undefined
      ? modified > Date.parse(headers[`${prefix}if-unmodified-since`] ?? "")
      : !names(ifMatch);
  if (hasFailed) {
    throw preconditionFailed();
  }
  return ifNoneMatch === undefined
    ? modified <= Date.parse(headers[`${prefix}if-modified-since`] ?? "")
    : names(ifNoneMatch);
}
