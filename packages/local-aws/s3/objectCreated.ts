import { hash } from "node:crypto";
import type { S3Event } from "aws-lambda";
import type { ObjectCreated } from "./engine";

/**
 * The message that S3 sends for an object, in its own form.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
 * @param context.configurationId names the bucket's notification configuration
 */
export function toS3Event(
  event: ObjectCreated,
  context: { region: string; accountId: string; configurationId: string },
): S3Event {
  return {
    Records: [
      {
        eventVersion: "2.1",
        eventSource: "aws:s3",
        awsRegion: context.region,
        eventTime: event.eventTime.toISOString(),
        eventName: event.eventName,
        userIdentity: { principalId: principalIdOf(event.principalArn) },
        requestParameters: { sourceIPAddress: "127.0.0.1" },
        responseElements: { "x-amz-request-id": event.requestId, "x-amz-id-2": event.requestId },
        s3: {
          s3SchemaVersion: "1.0",
          configurationId: context.configurationId,
          bucket: {
            name: event.bucket,
            ownerIdentity: { principalId: context.accountId },
            arn: `arn:aws:s3:::${event.bucket}`,
          },
          object: {
            key: encodeKey(event.key),
            size: event.size,
            eTag: event.eTag,
            ...(event.versionId && { versionId: event.versionId }),
            sequencer: event.sequencer,
          },
        },
      },
    ],
  };
}

/** A role's session is its id and the session's name, which is the function's; a user is its id. */
function principalIdOf(arn = ""): string {
  if (arn === "") {
    return "Anonymous";
  }
  const [, role, session] = /:assumed-role\/([^/]+)\/(.+)$/.exec(arn) ?? [];
  return role === undefined || session === undefined
    ? `AWS:AIDA${uniqueId(arn)}`
    : `AWS:AROA${uniqueId(role)}:${session}`;
}

/** Sixteen characters, the same for the same name. */
function uniqueId(name: string): string {
  return hash("sha256", name, "hex").slice(0, 16).toUpperCase();
}

/**
 * S3 encodes keys as form fields (`application/x-www-form-urlencoded`: a space is `+`, and of the
 * punctuation only `*-._` stay), save for slashes, which it keeps.
 */
function encodeKey(key: string): string {
  return new URLSearchParams([["", key]]).toString().slice(1).replaceAll("%2F", "/");
}
