import type { S3EventRecord } from "aws-lambda";
import { plainETag } from "./eTag";
import type { FileEvent } from "./event";
import {
  decodeS3Key,
  type directIdentity,
  fileNameOf,
  objectIdentity,
  parseUploadKey,
} from "./identity";

/** Whether the object is what the S3 console's "Create folder" writes: no file. */
export function isFolderMarker({ s3 }: S3EventRecord): boolean {
  // Not URL-encoded: a slash stands for itself.
  return s3.object.size === 0 && s3.object.key.endsWith("/");
}

/**
 * The event for a record of the bucket's event.
 *
 * @param identityOf for an object that is no upload whatever its key says: `directIdentity`
 * @throws URIError for a key that is not URL-encoded
 */
export function eventOfRecord(
  { s3, eventTime }: S3EventRecord,
  identityOf: typeof directIdentity = objectIdentity,
): FileEvent {
  const key = decodeS3Key(s3.object.key);
  const identity = identityOf({
    bucket: s3.bucket.name,
    key,
    versionId: s3.object.versionId,
    sequencer: s3.object.sequencer,
    eventTime,
  });
  const linkId = parseUploadKey(key)?.linkId;
  return {
    ...identity,
    ...(linkId !== undefined && { link_id: linkId }),
    event_status: "created",
    updated_at: new Date().toISOString(),
    event_info: {
      Bucket: s3.bucket.name,
      Key: key,
      Size: s3.object.size,
      ETag: s3.object.eTag,
      VersionId: s3.object.versionId,
      FileName: fileNameOf(key),
    },
  };
}

/** An entry of the bucket's listing: the fields in use. */
export interface ListedObject {
  Key?: string;
  Size?: number;
  /** In quotes. */
  ETag?: string;
  LastModified?: Date;
}

/**
 * The event for a listed upload.
 *
 * @returns undefined for any other object: its identity contains the time and sequencer of its
 *   bucket event, which are not in the listing
 */
export function eventOfListedUpload(bucket: string, object: ListedObject): FileEvent | undefined {
  const { Key, Size, ETag } = object;
  const upload = Key === undefined ? undefined : parseUploadKey(Key);
  if (Key === undefined || !upload) {
    return undefined;
  }
  const { event_id, event_timestamp, fileName } = upload;
  return {
    event_id,
    event_timestamp,
    event_status: "created",
    updated_at: new Date().toISOString(),
    event_info: { Bucket: bucket, Key, Size, ETag: plainETag(ETag), FileName: fileName },
  };
}
