import { createHmac, randomUUID } from "node:crypto";
import type { EventStatus } from "../../events/event";
import { type Metadata, METADATA_HEADER, storedMetadata } from "../../events/metadata";
import { Failure } from "../errors";
import { failureOf, jsonOf } from "../http/answer";
import { type Sleep, withRetries } from "../http/retries";
import { send } from "../http/send";
import type { DirectUpload } from "../manager/answers";
import type { ManagerClient } from "../manager/managerClient";
import type { FileProgress } from "./fileProgress";
import { findFile, type HashedFile, hashFile, type LocalFile, readHashed } from "./localFile";
import { machineSecret } from "./machineSecret";
import { mediaTypeOf } from "./mediaType";
import { uploadMultipart } from "./multipart/uploadMultipart";
import { putSigned } from "./signedPut";
import type { UploadRoutes } from "./uploadRoutes";
import { untilFinished } from "./waitForEvent";

/** How a file is sent: to the upload API, or to S3 itself, whole or in parts. */
export type Way = "direct" | "presigned" | "multipart";

/** The result of one file; also its line with `--json`. */
export interface UploadResult {
  /** The path on the command line. */
  file: string;
  ok: boolean;
  event_id?: string;
  key?: string;
  /** Undefined where the upload failed before the choice. */
  via?: Way;
  /** Size of the file; 0 if there is none. */
  bytes: number;
  /** Present where the file was there already, by an earlier upload. */
  repeated?: true;
  /** Of a file that was there already, where it is known. */
  event_status?: EventStatus;
  /** Of a file that was sent in parts. */
  parts?: number;
  /** Those of them that an earlier command had sent. */
  resumed_parts?: number;
  error?: { code: string; message: string };
}

export interface Uploader {
  manager: ManagerClient;
  routes: UploadRoutes;
  uploadKey?: string;
  /** Media type. @default by the file's extension */
  type?: string;
  metadata?: Metadata;
  /** Upload a file again that was uploaded before. */
  asNew: boolean;
  /** Wait until the event is notified or failed. */
  wait: boolean;
  sleep: Sleep;
}

interface Sending {
  file: HashedFile;
  type: string;
  idempotencyKey: string;
  progress: FileProgress;
}

type Stored = Pick<DirectUpload, "event_id" | "key"> &
  Pick<UploadResult, "repeated" | "event_status" | "parts" | "resumed_parts">;

/**
 * Depends on content, name, type and metadata, so that a repeated command does not upload twice; and on a secret
 * of this machine, so that nobody who knows the file can use up its key.
 */
function idempotencyKeyOf(file: HashedFile, type: string, { metadata, asNew }: Uploader): string {
  const entries = metadata === undefined ? [] : [Object.entries(metadata).sort()];
  const identity = JSON.stringify([file.sha256, file.name, type, ...entries]);
  const key = `events-${createHmac("sha256", machineSecret()).update(identity).digest("hex")}`;
  return asNew ? `${key}-${randomUUID()}` : key;
}

async function uploadDirectly(
  { routes, uploadKey, metadata = {} }: Uploader,
  { file, type, idempotencyKey, progress }: Sending,
): Promise<Stored> {
  progress.phase("sending", file.size);
  const entries = Object.entries(storedMetadata(metadata));
  const answer = await send({
    method: "POST",
    url: `${routes.directUrl}?filename=${encodeURIComponent(file.name.toWellFormed())}`,
    headers: {
      "content-type": type,
      "idempotency-key": idempotencyKey,
      ...(uploadKey !== undefined && { "x-api-key": uploadKey }),
      ...Object.fromEntries(entries.map(([name, value]) => [METADATA_HEADER + name, value])),
    },
    body: { length: file.size, chunks: readHashed(file, progress.advance) },
  });
  if (answer.status >= 300) {
    throw failureOf(answer);
  }
  const { event_id, key } = jsonOf(answer) as DirectUpload;
  const isRepeated = answer.headers["idempotent-replayed"] === "true";
  return { event_id, key, ...(isRepeated && { repeated: true }) };
}

async function uploadPresigned(
  { manager, metadata }: Uploader,
  { file, type, idempotencyKey, progress }: Sending,
): Promise<Stored> {
  const wanted = {
    filename: file.name,
    content_type: type,
    size: file.size,
    checksum_sha256: file.sha256,
    metadata,
  };
  const ask = () => manager.newUpload(wanted, idempotencyKey);
  let created = await ask();
  if ("signed" in created) {
    progress.phase("sending", file.size);
    if ((await putSigned(created.signed, file, progress.advance)) === "stored") {
      return created.signed;
    }
    // Its event may have a row by now.
    created = await ask();
  }
  const { event_id, key } = "signed" in created ? created.signed : created.arrived;
  const event_status = "arrived" in created ? created.arrived.event_status : undefined;
  return { event_id, key, repeated: true, ...(event_status && { event_status }) };
}

/**
 * From this size on, a file is sent in parts, in bytes: a minute at 10 Mbit/s, which is worth continuing
 * after an interruption. Below it, one signed request costs less than one for each part.
 */
const MULTIPART_BYTES = 64 * 1024 ** 2;

/** @throws Failure `too_large` */
function chooseWay({ routes, uploadKey }: Uploader, { size }: LocalFile): Way {
  const { directMaxBytes, directNeedsKey, presignedMaxBytes, multipartMaxBytes = 0 } = routes;
  if (size <= directMaxBytes && (!directNeedsKey || uploadKey !== undefined)) {
    return "direct";
  }
  const maxBytes = Math.max(presignedMaxBytes, multipartMaxBytes);
  if (size > maxBytes) {
    throw new Failure(
      "too_large",
      `The file has ${size} bytes; the most that is taken is ${maxBytes}.`,
    );
  }
  const isLarge = size >= MULTIPART_BYTES || size > presignedMaxBytes;
  return isLarge && size <= multipartMaxBytes ? "multipart" : "presigned";
}

async function store(
  uploader: Uploader,
  found: LocalFile,
  way: Way,
  progress: FileProgress,
): Promise<Stored> {
  const type = uploader.type ?? mediaTypeOf(found.name);
  if (way === "multipart") {
    return uploadMultipart(uploader, found, type, progress);
  }
  progress.phase("reading", found.size);
  const file = await hashFile(found, progress.advance);
  const idempotencyKey = idempotencyKeyOf(file, type, uploader);
  const uploadIt = way === "direct" ? uploadDirectly : uploadPresigned;
  // The Idempotency-Key makes a retry safe, even when only the answer was lost.
  let attempts = 0;
  const { event_id, key, ...earlier } = await withRetries(() => {
    attempts++;
    return uploadIt(uploader, { file, type, idempotencyKey, progress });
  }, uploader.sleep);
  // A retry may find the file of this command's own first attempt.
  return { event_id, key, ...(attempts === 1 && earlier.repeated && earlier) };
}

/** Uploads one file. A Failure is in the result. */
export async function uploadFile(
  uploader: Uploader,
  file: string,
  progress: FileProgress,
): Promise<UploadResult> {
  const result: UploadResult = { file, ok: false, bytes: 0 };
  try {
    const found = await findFile(file);
    result.bytes = found.size;
    result.via = chooseWay(uploader, found);
    const stored = await store(uploader, found, result.via, progress);
    Object.assign(result, stored);
    if (uploader.wait) {
      progress.phase("waiting", found.size, found.size);
      await untilFinished(uploader.manager, stored.event_id, uploader.sleep);
    }
    return { ...result, ok: true };
  } catch (error) {
    if (!(error instanceof Failure)) {
      throw error;
    }
    // The key is the command's own: it depends on the file.
    const hint = error.code === "event_deleted" ? " The option --new makes one." : "";
    return { ...result, error: { code: error.code, message: error.message + hint } };
  }
}
