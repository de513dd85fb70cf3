import * as path from "node:path";
import { plainETag } from "../../../events/eTag";
import { Failure } from "../../errors";
import type { Completion } from "../../manager/multipartClient";
import type { FileProgress } from "../fileProgress";
import { checkUnchanged, type LocalFile } from "../localFile";
import { startChecksum } from "./checksum";
import {
  abandon,
  earlierUpload,
  type MultipartResult,
  type MultipartUploader,
  storedBefore,
} from "./earlierUpload";
import { type Part, partsOf } from "./parts";
import { sendParts } from "./sendParts";
import { openStateFile, type StateFile } from "./stateFolder";
import { beginResumable } from "./underway";
import type { UploadState } from "./uploadState";

interface Sending {
  file: LocalFile;
  progress: FileProgress;
  stateFile: StateFile;
}

/** The upload is not open any more. */
const GONE = ["upload_not_found", "NoSuchUpload", "upload_completed"];

/** The parts that S3 has are not those of the file that is here. */
const OTHER_PARTS = ["checksum_mismatch", "invalid_part", "invalid_upload"];

const MAX_UPLOADS = 3;

function isOne(error: unknown, codes: string[]): boolean {
  return error instanceof Failure && codes.includes(error.code);
}

async function start(
  { manager }: MultipartUploader,
  { file, stateFile }: Sending,
): Promise<UploadState> {
  const { identity } = stateFile;
  const { uploadId, key, event_id, part_size } = await manager.multipart.create({
    filename: file.name,
    type: identity.type,
    metadata: identity.metadata,
    size: file.size,
    lastModified: new Date(Number(BigInt(file.modified) / 1_000_000n)).toISOString(),
  });
  const state = { ...identity, uploadId, key, eventId: event_id, partSize: part_size };
  stateFile.write(state);
  return state;
}

/** The parts of the file that S3 has, by number. */
async function storedParts(
  { manager }: MultipartUploader,
  state: UploadState,
  parts: Part[],
): Promise<Map<number, string>> {
  const stored = new Map<number, string>();
  for (const { PartNumber, Size, ETag } of await manager.multipart.listParts(state)) {
    if (parts[PartNumber - 1]?.size === Size) {
      stored.set(PartNumber, plainETag(ETag));
    }
  }
  return stored;
}

/** Sends what S3 lacks. @returns the request that completes the upload */
async function sendMissing(
  { manager: { multipart }, sleep }: MultipartUploader,
  { file, progress }: Sending,
  state: UploadState,
  parts: Part[],
  eTags: Map<number, string>,
): Promise<Completion> {
  const there = parts.filter(({ number }) => eTags.has(number));
  const bytesThere = there.reduce((sum, { size }) => sum + size, 0);
  progress.phase("sending", file.size, bytesThere);
  const checksum = await startChecksum(file.path, parts);
  try {
    await sendParts({
      path: file.path,
      parts: parts.filter(({ number }) => !eTags.has(number)),
      sign: async ({ number }) => {
        await checkUnchanged(file);
        return multipart.signPart(state, number, file.size);
      },
      onStart: ({ number }) => {
        checksum.readTo(number);
      },
      onBytes: progress.advance,
      onStored: ({ number }, eTag) => eTags.set(number, eTag),
      sleep,
    });
    progress.phase("finishing", file.size, file.size);
    const checksum_crc64nvme = await checksum.digest();
    await checkUnchanged(file);
    return {
      parts: parts.map(({ number }) => ({ PartNumber: number, ETag: eTags.get(number) ?? "" })),
      size: file.size,
      checksum_crc64nvme,
    };
  } finally {
    checksum.stop();
  }
}

/** @param isNew S3 has no part of it */
async function finish(
  uploader: MultipartUploader,
  sending: Sending,
  state: UploadState,
  isNew: boolean,
): Promise<MultipartResult> {
  const { stateFile, file } = sending;
  const { multipart } = uploader.manager;
  const parts = partsOf(file.size, state.partSize);
  let resumed = parts.length;
  if (!state.completion) {
    const eTags = isNew ? new Map<number, string>() : await storedParts(uploader, state, parts);
    resumed = eTags.size;
    state.completion = await sendMissing(uploader, sending, state, parts, eTags);
    stateFile.write(state);
  }
  await multipart.complete(state, state.completion);
  stateFile.write({ ...state, completion: undefined, storedAt: Date.now() });
  return {
    event_id: state.eventId,
    key: state.key,
    parts: parts.length,
    ...(resumed > 0 && { resumed_parts: resumed }),
  };
}

function continuable(error: unknown, { isKept }: StateFile): unknown {
  return error instanceof Failure && isKept
    ? new Failure(error.code, `${error.message} The same command goes on from there.`, error)
    : error;
}

async function uploadLocked(
  uploader: MultipartUploader,
  sending: Sending,
): Promise<MultipartResult> {
  const { stateFile } = sending;
  const earlier = await earlierUpload(uploader, stateFile);
  if (earlier.result) {
    return earlier.result;
  }
  for (let uploads = 1; ; uploads += 1) {
    const continued = uploads === 1 ? earlier.state : undefined;
    const state = continued ?? (await start(uploader, sending));
    try {
      return await finish(uploader, sending, state, !continued);
    } catch (error) {
      const isGone = isOne(error, GONE);
      const stored = isGone ? await storedBefore(uploader, state) : undefined;
      if (stored) {
        stateFile.write({ ...state, completion: undefined, storedAt: Date.now() });
        return continued ? stored : { event_id: stored.event_id, key: stored.key };
      }
      const isOther = isOne(error, OTHER_PARTS);
      const isLost = isGone || isOther || isOne(error, ["file_changed"]);
      if (isLost) {
        await abandon(uploader, stateFile, state);
      }
      // What an earlier command has sent may be of other bytes, with the same size and time.
      const helpsAnew = isGone || (isOther && continued !== undefined);
      if (!helpsAnew || uploads === MAX_UPLOADS) {
        throw isLost ? error : continuable(error, stateFile);
      }
    }
  }
}

/** Uploads a file in parts; what S3 has of it from an earlier command is not sent again. */
export async function uploadMultipart(
  uploader: MultipartUploader,
  file: LocalFile,
  type: string,
  progress: FileProgress,
): Promise<MultipartResult> {
  const identity = {
    managerUrl: uploader.manager.url,
    path: path.resolve(file.path),
    size: file.size,
    modified: file.modified,
    type,
    metadata: uploader.metadata,
  };
  const stateFile = openStateFile(identity, (text) => {
    progress.notice(text);
  });
  const release = await stateFile.lock(uploader.sleep, (pid) => {
    const holder = pid === undefined ? "Another command" : `Another command (process ${pid})`;
    progress.phase("waiting", file.size);
    progress.notice(`${file.path}  ${holder} sends this file; waiting until it has ended.`);
  });
  const end = stateFile.isKept ? beginResumable() : () => undefined;
  try {
    return await uploadLocked(uploader, { file, progress, stateFile });
  } finally {
    end();
    release();
  }
}
