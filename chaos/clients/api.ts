import type { UploadAnswer } from "../../handlers/upload/upload";
import type { Client, Result } from "./client";
import { errorOf, requestUntilAnswered } from "./http";
import type { PlannedUpload } from "./plan";

const CREATED = 201;

/** Posts a file, and retries transient errors with the same Idempotency-Key. */
export async function post(
  { target, seed, signal }: Client,
  upload: PlannedUpload,
): Promise<Result> {
  const reply = await requestUntilAnswered(
    `${target.uploadUrl}?filename=${encodeURIComponent(upload.name)}`,
    {
      method: "POST",
      headers: {
        "content-type": upload.contentType,
        // Without an answer, the file may be stored: the key makes a retry safe.
        "idempotency-key": `${seed}-${upload.index}`,
        ...(target.uploadApiKey !== undefined && { "x-api-key": target.uploadApiKey }),
      },
      body: new Uint8Array(upload.body),
    },
    signal,
  );
  const { tries } = reply;
  if (reply.status !== CREATED) {
    return { tries, error: errorOf(reply) };
  }
  const { event_id, bucket, key } = JSON.parse(reply.text) as UploadAnswer;
  return { tries, answer: { event_id, bucket, key } };
}
