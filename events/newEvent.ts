import type { S3EventRecord } from "aws-lambda";
import type { FileEvent } from "./event";
import { decodeS3Key, fileNameOf, objectIdentity, parseUploadKey } from "./identity";

/**
 * The event that a record of the bucket stands for.
 *
 * @throws URIError for a key that is not encoded as S3 does it
 */
export function eventOfRecord({ s3, eventTime }: S3EventRecord): FileEvent {
  const key = decodeS3Key(s3.object.key);
  const identity = objectIdentity({
    bucket: s3.bucket.name,
    key,
    versionId: s3.object.versionId,
    sequencer: s3.object.sequencer,
    eventTime,
  });
  return {
    ...identity,
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

/** An entry of a listing of the bucket, as far as events use it. */
export interface ListedObject {
  Key?: string;
  Size?: number;
  /** In quotes. */
  ETag?: string;
  LastModified?: Date;
}

/**
 * The event that a listed object stands for.
 *
 * @returns undefined for an object that did not come through the upload API: its identity has the
 *   time and the sequencer of its bucket event in it, which no listing tells
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
    event_info: { Bucket: bucket, Key, Size, ETag: ETag?.replaceAll('"', ""), FileName: fileName },
  };
}
