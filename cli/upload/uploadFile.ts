import { createHash, randomUUID } from "node:crypto";
import type { DirectUpload } from "./answers";
import { Failure } from "./errors";
import { failureOf, jsonOf, send } from "./http";
import {
  findFile,
  type HashedFile,
  hashFile,
  type LocalFile,
  type OnBytes,
  readHashed,
} from "./localFile";
import type { Manager } from "./manager";
import { mediaTypeOf } from "./mediaType";
import { retrying, type Sleep } from "./retries";
import { sendForm } from "./sendForm";
import type { UploadRoutes } from "./uploadRoutes";
import { untilFinished } from "./waitForEvent";

/** What became of one file; also the line of `--json`. */
export interface UploadResult {
  /** As it was named on the command line. */
  file: string;
  ok: boolean;
  event_id?: string;
  key?: string;
  /** Missing where it was not chosen any more. */
  via?: "direct" | "presigned";
  /** Of the file; 0 if there is none. */
  bytes: number;
  error?: { code: string; message: string };
}

/** Is shown how far one file is. */
export interface FileProgress {
  /** A new part of the work begins: `reading` and `sending` go up to all of the file's bytes. */
  phase(name: "reading" | "sending" | "waiting", totalBytes: number): void;
  advance: OnBytes;
}

export interface Uploader {
  manager: Manager;
  routes: UploadRoutes;
  uploadKey?: string;
  /** Media type, in place of what the name suggests. */
  type?: string;
  /** Whether a file is sent again that was sent before. */
  asNew: boolean;
  /** Whether to wait until the event is notified or failed. */
  wait: boolean;
  sleep: Sleep;
}

interface Sending {
  file: HashedFile;
  type: string;
  idempotencyKey: string;
  progress: FileProgress;
}

type Stored = Pick<DirectUpload, "event_id" | "key">;

/** The same for the same file, name and type: a repeated command sends nothing twice. */
function idempotencyKeyOf(file: HashedFile, type: string, asNew: boolean): string {
  const identity = JSON.stringify([file.sha256, file.name, type]);
  const key = `events-${createHash("sha256").update(identity).digest("hex")}`;
  return asNew ? `${key}-${randomUUID()}` : key;
}

async function sendDirectly(
  { routes, uploadKey }: Uploader,
  { file, type, idempotencyKey, progress }: Sending,
): Promise<Stored> {
  progress.phase("sending", file.size);
  const answer = await send({
    method: "POST",
    url: `${routes.directUrl}?filename=${encodeURIComponent(file.name.toWellFormed())}`,
    headers: {
      "content-type": type,
      "idempotency-key": idempotencyKey,
      ...(uploadKey !== undefined && { "x-api-key": uploadKey }),
    },
    body: { length: file.size, chunks: readHashed(file, progress.advance) },
  });
  if (answer.status >= 300) {
    throw failureOf(answer);
  }
  return jsonOf(answer) as DirectUpload;
}

async function sendPresigned(
  { manager }: Uploader,
  { file, type, idempotencyKey, progress }: Sending,
): Promise<Stored> {
  const asked = await manager.newUpload(
    { filename: file.name, content_type: type, size: file.size, checksum_sha256: file.sha256 },
    idempotencyKey,
  );
  if ("arrived" in asked) {
    return asked.arrived;
  }
  progress.phase("sending", file.size);
  await sendForm(asked.form, file, type, progress.advance);
  return asked.form;
}

/** @throws Failure `too_large` */
function wayOf({ routes, uploadKey }: Uploader, { size }: LocalFile): "direct" | "presigned" {
  const { directMaxBytes, directNeedsKey, presignedMaxBytes } = routes;
  if (size <= directMaxBytes && (!directNeedsKey || uploadKey !== undefined)) {
    return "direct";
  }
  if (size > presignedMaxBytes) {
    throw new Failure(
      "too_large",
      `The file has ${size} bytes; the most that is taken is ${presignedMaxBytes}.`,
    );
  }
  return "presigned";
}

async function store(
  uploader: Uploader,
  found: LocalFile,
  way: "direct" | "presigned",
  progress: FileProgress,
): Promise<Stored> {
  progress.phase("reading", found.size);
  const file = await hashFile(found, progress.advance);
  const type = uploader.type ?? mediaTypeOf(file.name);
  const idempotencyKey = idempotencyKeyOf(file, type, uploader.asNew);
  const sendIt = way === "direct" ? sendDirectly : sendPresigned;
  // With the same key a repeat is safe, also when only the answer was lost.
  return retrying(() => sendIt(uploader, { file, type, idempotencyKey, progress }), uploader.sleep);
}

/** Sends one file. Whatever goes wrong with it is in the result. */
export async function uploadFile(
  uploader: Uploader,
  file: string,
  progress: FileProgress,
): Promise<UploadResult> {
  const result: UploadResult = { file, ok: false, bytes: 0 };
  try {
    const found = await findFile(file);
    result.bytes = found.size;
    result.via = wayOf(uploader, found);
    const { event_id, key } = await store(uploader, found, result.via, progress);
    Object.assign(result, { event_id, key });
    if (uploader.wait) {
      progress.phase("waiting", found.size);
      await untilFinished(uploader.manager, event_id, uploader.sleep);
    }
    return { ...result, ok: true };
  } catch (error) {
    if (!(error instanceof Failure)) {
      throw error;
    }
    return { ...result, error: { code: error.code, message: error.message } };
  }
}
