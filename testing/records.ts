import type { DynamoDBRecord, S3EventRecord } from "aws-lambda";
import type { Item } from "../events/item";

let sequence = 0;

/** A stream record of the event table, with its sequence number. */
export type StreamRecord = DynamoDBRecord & { dynamodb: { SequenceNumber: string } };

/**
 * The stream record of a row that was put.
 *
 * @param image of the row; undefined for a deletion
 * @param changedAt seconds since 1970
 */
export function streamRecord(
  image: Item | undefined,
  changedAt = Math.floor(Date.now() / 1000),
): StreamRecord {
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

/** The outcome of a stream Lambda's invocation that reports these records as failed. */
export function failuresOf(...records: StreamRecord[]) {
  const batchItemFailures = records.map(({ dynamodb }) => ({
    itemIdentifier: dynamodb.SequenceNumber,
  }));
  return { answer: { batchItemFailures }, functionError: undefined };
}

/** One record of an S3 event, as S3 sends it. */
export function s3Record(object: {
  bucket: string;
  /** URL-encoded, `+` for a space. */
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
