import type { DynamoDBRecord, S3EventRecord } from "aws-lambda";
import type { FileEvent } from "../events/event";
import { type Item, newItem, toMap } from "../events/item";

/** An event with everything that processing finds. */
export function processedEvent(changes: Partial<FileEvent> = {}): FileEvent {
  return {
    event_id: "019a0000-abcd-7abc-8abc-abcdefabcdef",
    event_timestamp: "2026-11-21T20:00:00.000Z",
    event_status: "processed",
    event_info: { Bucket: "files", Key: "photos/cat.jpg", Size: 78_012, FileName: "cat.jpg" },
    event_result: { size: 78_012, type: "image/jpeg", width: 1200, height: 800 },
    updated_at: "2026-11-21T20:00:01.000Z",
    ...changes,
  };
}

/** An event that process gave up. */
export function failedEvent(changes: Partial<FileEvent> = {}): FileEvent {
  return processedEvent({
    event_status: "failed",
    event_result: undefined,
    failed_from: "uploaded",
    last_error: { code: "NoSuchKey", message: "The key does not exist.", step: "process" },
    ...changes,
  });
}

/** The row of an event in any status. */
export function itemOf(event: FileEvent): Item {
  const { event_result, last_error, failed_from, attempts, alarmed_at } = event;
  return {
    ...newItem(event),
    ...(event_result && { event_result: toMap(event_result) }),
    ...(last_error && { last_error: { S: JSON.stringify(last_error) } }),
    ...(failed_from && { failed_from: { S: failed_from } }),
    ...(attempts !== undefined && { attempts: { N: String(attempts) } }),
    ...(alarmed_at && { alarmed_at: { S: alarmed_at } }),
  };
}

let sequence = 0;

/**
 * The stream record of a row that was put.
 *
 * @param changedAt seconds since 1970
 */
export function streamRecord(
  image: Item | undefined,
  changedAt = Math.floor(Date.now() / 1000),
): DynamoDBRecord & { dynamodb: { SequenceNumber: string } } {
  sequence += 1;
  return {
    eventID: String(sequence),
    eventName: image ? "INSERT" : "REMOVE",
    eventVersion: "1.1",
    eventSource: "aws:dynamodb",
    awsRegion: "us-east-1",
    dynamodb: {
      ApproximateCreationDateTime: changedAt,
      ...(image && { NewImage: image as NonNullable<DynamoDBRecord["dynamodb"]>["NewImage"] }),
      SequenceNumber: String(sequence).padStart(21, "0"),
      SizeBytes: 100,
      StreamViewType: "NEW_AND_OLD_IMAGES",
    },
  };
}

/** One record of an S3 event, as S3 sends it. */
export function s3Record(object: {
  bucket: string;
  /** As it is in the event: URL-encoded, `+` for a space. */
  encodedKey: string;
  eventName?: string;
  eventTime?: string;
  sequencer?: string;
  versionId?: string;
  size?: number;
}): S3EventRecord {
  const { bucket, encodedKey, eventName = "ObjectCreated:Put", size = 1 } = object;
  return {
    eventVersion: "2.1",
    eventSource: "aws:s3",
    awsRegion: "us-east-1",
    eventTime: object.eventTime ?? "2026-11-21T20:00:00.000Z",
    eventName,
    userIdentity: { principalId: "AWS:AIDA" },
    requestParameters: { sourceIPAddress: "127.0.0.1" },
    responseElements: { "x-amz-request-id": "C3D13FE58DE4C810", "x-amz-id-2": "FMyUVURIY8" },
    s3: {
      s3SchemaVersion: "1.0",
      configurationId: "object-created",
      bucket: { name: bucket, ownerIdentity: { principalId: "A3" }, arn: `arn:aws:s3:::${bucket}` },
      object: {
        key: encodedKey,
        size,
        eTag: "d41d8cd98f00b204e9800998ecf8427e",
        sequencer: object.sequencer ?? "0055AED6DCD90281E5",
        ...(object.versionId !== undefined && { versionId: object.versionId }),
      },
    },
  };
}
