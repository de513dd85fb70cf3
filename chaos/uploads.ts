import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { PutObjectCommand, type S3Client, S3ServiceException } from "@aws-sdk/client-s3";
import { encode as encodeJpeg } from "jpeg-js";
import type { UploadAnswer } from "../handlers/upload/upload";
import { type Random, randomOf } from "./random";

/** One file to upload, derived from the seed. */
export interface PlannedUpload {
  index: number;
  /** Through the API, or directly into the bucket. */
  way: "api" | "direct";
  /** The file's name for the API; the object's key for the bucket. */
  name: string;
  contentType: string;
  body: Buffer;
}

/** The result for the client. */
export interface UploadOutcome {
  upload: Pick<PlannedUpload, "index" | "way" | "name">;
  /** Number of requests. */
  tries: number;
  /** The body of the API's 201. */
  answer?: UploadAnswer;
  /** The last error, when the client gave up. */
  error?: string;
}

/** The destinations of uploads. */
export interface Target {
  uploadUrl: string;
  /** For an API that requires one. */
  uploadApiKey?: string;
  bucketName: string;
  s3: S3Client;
}

const MAX_BYTES = 20_000;
const IMAGE_SHARE = 0.2;

/** S3's answer to a second conditional write. */
const WRITTEN = "PreconditionFailed";

/** Faults with a share of 20 % rarely hit more than three requests in a row. */
const MAX_TRIES = 25;
const FIRST_PAUSE_MS = 20;
const MAX_PAUSE_MS = 1000;

/**
 * Keys of other writers. Some are under `uploads/`, the API's prefix, which the sweeper lists, but are
 * not keys of the API.
 */
const KEYS: ((index: number) => string)[] = [
  (index) => `photos/${index}.jpg`,
  (index) => `a b+c%2B/ünï 写真 #${index}?.jpg`,
  (index) => `x//${index}`,
  (index) => `/leading and trailing ${index}/`,
  (index) => `dots/../and/./${index}`,
  (index) => `${"k".repeat(1000)}/${index}`,
  (index) => `${"😀".repeat(200)}${index}`,
  (index) => `uploads/stranger ${index}.txt`,
  (index) => `uploads/2999-01-01T00:00:00.000Z/${index}/not an id.txt`,
  (index) => `'"<&>${index};=@!*(){}[]^~|`,
];

const NAMES: ((index: number) => string)[] = [
  (index) => `holiday-${index}.jpg`,
  (index) => `été & 写真 ${index}+%.png`,
  (index) => `C:\\files\\report ${index}.pdf`,
  (index) => `${"n".repeat(300)}${index}.txt`,
];

function pick<T>(values: readonly T[], random: Random): T {
  const value = values[Math.floor(random() * values.length)];
  if (value === undefined) {
    throw new Error("The list is empty.");
  }
  return value;
}

/** Bytes that depend on the name. */
function bytesOf(name: string, length: number): Buffer {
  return createHash("shake256", { outputLength: length }).update(name).digest();
}

function picture(name: string, random: Random): Buffer {
  const width = 8 + Math.floor(random() * 32);
  const height = 8 + Math.floor(random() * 32);
  return encodeJpeg({ width, height, data: bytesOf(name, width * height * 4) }, 60).data;
}

/** Plans the upload with this index. Every second one goes through the API. */
export function planUpload(seed: number, index: number): PlannedUpload {
  const identity = `${seed} upload ${index}`;
  const random = randomOf(identity);
  const way = index % 2 === 0 ? "api" : "direct";
  const name = pick(way === "api" ? NAMES : KEYS, random)(index);
  if (random() < IMAGE_SHARE) {
    return { index, way, name, contentType: "image/jpeg", body: picture(identity, random) };
  }
  // Uniform in the logarithm, so that small files are as likely as large ones.
  const length = Math.floor(MAX_BYTES ** random());
  const body = bytesOf(identity, length);
  return { index, way, name, contentType: "application/octet-stream", body };
}

async function putDirectly({ s3, bucketName }: Target, upload: PlannedUpload): Promise<void> {
  // Below the prefix of uploads, the bucket takes no other writes.
  const isWrittenOnce = upload.name.startsWith("uploads/");
  const command = new PutObjectCommand({
    Bucket: bucketName,
    Key: upload.name,
    Body: upload.body,
    ContentType: upload.contentType,
    ...(isWrittenOnce && { IfNoneMatch: "*" }),
  });
  await s3.send(command).catch((error: unknown) => {
    // An attempt before, whose answer was lost, has written it.
    if (!(isWrittenOnce && error instanceof S3ServiceException && error.name === WRITTEN)) {
      throw error;
    }
  });
}

function isTransient(status: number): boolean {
  return status === 429 || status >= 500;
}

/** Posts a file, and retries transient errors with the same Idempotency-Key. */
async function post(
  target: Target,
  upload: PlannedUpload,
  idempotencyKey: string,
  signal?: AbortSignal,
): Promise<Omit<UploadOutcome, "upload">> {
  const url = `${target.uploadUrl}?filename=${encodeURIComponent(upload.name)}`;
  let error = "";
  for (let tries = 1; tries <= MAX_TRIES && !signal?.aborted; tries += 1) {
    try {
      const response = await fetch(url, {
        method: "POST",
        headers: {
          "content-type": upload.contentType,
          "idempotency-key": idempotencyKey,
          ...(target.uploadApiKey !== undefined && { "x-api-key": target.uploadApiKey }),
        },
        body: new Uint8Array(upload.body),
        signal,
      });
      const text = await response.text();
      if (response.status === 201) {
        return { tries, answer: JSON.parse(text) as UploadAnswer };
      }
      error = `${response.status} ${text}`;
      if (!isTransient(response.status)) {
        return { tries, error };
      }
    } catch (thrown) {
      // Without an answer, the file may be stored: the Idempotency-Key makes a retry safe.
      error = String(thrown);
    }
    await sleep(Math.min(FIRST_PAUSE_MS * 2 ** tries, MAX_PAUSE_MS));
  }
  return { tries: MAX_TRIES, error };
}

/** Sends one upload. Only uploads through the API are retried. */
export async function sendUpload(
  target: Target,
  upload: PlannedUpload,
  seed: number,
  signal?: AbortSignal,
): Promise<UploadOutcome> {
  const { index, way, name } = upload;
  const named = { index, way, name };
  if (way === "api") {
    return { upload: named, ...(await post(target, upload, `${seed}-${index}`, signal)) };
  }
  try {
    await putDirectly(target, upload);
    return { upload: named, tries: 1 };
  } catch (error) {
    return { upload: named, tries: 1, error: String(error) };
  }
}

/** Calls `work` with each index below `count`, by `clients` concurrent workers. */
export async function byClients(
  count: number,
  clients: number,
  work: (index: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  const client = async () => {
    while (next < count) {
      const index = next;
      next += 1;
      await work(index);
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
}
