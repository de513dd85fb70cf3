import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { PutObjectCommand } from "@aws-sdk/client-s3";
import type { Client, Result, Target, Write } from "./client";
import { type PlannedUpload, WRITTEN_ONCE } from "./plan";

async function put(
  { s3, bucketName }: Target,
  { name, contentType }: PlannedUpload,
  body: Buffer,
): Promise<Write> {
  const { ETag = "" } = await s3.send(
    new PutObjectCommand({
      Bucket: bucketName,
      Key: name,
      Body: body,
      ContentType: contentType,
      ...(name.startsWith(WRITTEN_ONCE) && { IfNoneMatch: "*" }),
    }),
  );
  const sha256 = createHash("sha256").update(body).digest("hex");
  return { eTag: ETag.replaceAll('"', ""), sha256 };
}

/** Puts a file straight into the bucket. Without retries: an object that is put twice is two events. */
export async function sendDirectly(
  { target, acts }: Client,
  upload: PlannedUpload,
): Promise<Result> {
  const writes: Write[] = [];
  try {
    writes.push(await put(target, upload, upload.body));
    if (!acts || upload.act !== "overwrite") {
      return { tries: 1 };
    }
    await sleep(upload.pauseMs);
    writes.push(await put(target, upload, upload.otherBody));
    return { tries: 1, writes };
  } catch (error) {
    return { tries: 1, writes, error: String(error) };
  }
}
