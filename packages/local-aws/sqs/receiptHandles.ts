import { createHash } from "node:crypto";
import { AwsError } from "../awsError";

/**
 * The receipt handle as clients get it. fauxqs's own handles are random and forgotten with the
 * message: these also tell a handle that was never given, or by another queue, from an old one.
 */
export function writeHandle(queueArn: string, handle: string): string {
  const text = `${handle} ${queueArn}`;
  return Buffer.from(`${digestOf(text)} ${text}`).toString("base64");
}

/**
 * @returns fauxqs's handle; undefined for a handle that this queue did not give
 */
export function readHandle(queueArn: string, written: unknown): string | undefined {
  if (typeof written !== "string") {
    return undefined;
  }
  const [, handle = ""] = Buffer.from(written, "base64").toString().split(" ");
  return written === writeHandle(queueArn, handle) ? handle : undefined;
}

/** SQS's error for a handle that {@link readHandle} does not know. */
export function invalidHandle(written: unknown): AwsError {
  const message = `The input receipt handle "${String(written)}" is not a valid receipt handle.`;
  return new AwsError("ReceiptHandleIsInvalid", 400, message);
}

/** Against handles that are cut off or changed; there is no secret in it. */
function digestOf(text: string): string {
  return createHash("sha256").update(text).digest("base64").slice(0, 16);
}
