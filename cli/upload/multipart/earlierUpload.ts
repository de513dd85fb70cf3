import type { EventStatus } from "../../../events/event";
import type { Metadata } from "../../../events/metadata";
import { Failure } from "../../errors";
import type { Sleep } from "../../http/retries";
import type { ManagerClient } from "../../manager/managerClient";
import type { StateFile } from "./stateFolder";
import { isSameUpload, type UploadState } from "./uploadState";

export interface MultipartUploader {
  manager: ManagerClient;
  metadata?: Metadata;
  /** Send a file again that is stored already. */
  asNew: boolean;
  sleep: Sleep;
}

/** An upload in parts, as the result tells it. */
export interface MultipartResult {
  event_id: string;
  key: string;
  /** Present where an earlier command has stored the file. */
  repeated?: true;
  event_status?: EventStatus;
  /** Of the whole file. */
  parts?: number;
  /** Those that S3 had from earlier commands. */
  resumed_parts?: number;
}

/** A row is written within seconds of the object; the sweeper writes what is missing after this time. */
const ROW_MS = 120_000;

/** @returns the event's status; undefined while it has no row */
async function statusOf(
  { manager }: MultipartUploader,
  eventId: string,
): Promise<EventStatus | undefined> {
  try {
    return (await manager.show(eventId)).event.event_status;
  } catch (error) {
    if (error instanceof Failure && error.status === 404) {
      return undefined;
    }
    throw error;
  }
}

/** The result of a file that is stored already; undefined where it is not there. */
export async function storedBefore(
  uploader: MultipartUploader,
  { eventId: event_id, key, storedAt }: UploadState,
): Promise<MultipartResult | undefined> {
  const event_status = await statusOf(uploader, event_id);
  const isFresh = storedAt !== undefined && Date.now() - storedAt < ROW_MS;
  // Without a row after that time, the event was deleted.
  return event_status !== undefined || isFresh
    ? { event_id, key, repeated: true, ...(event_status && { event_status }) }
    : undefined;
}

/** Deletes the parts. What fails is left to S3, which removes unfinished uploads in time. */
export async function abandon(
  { manager }: MultipartUploader,
  stateFile: StateFile,
  state: UploadState,
): Promise<void> {
  stateFile.remove();
  await manager.multipart.abort(state).catch((error: unknown) => {
    if (!(error instanceof Failure)) {
      throw error;
    }
  });
}

/** What an earlier command has left, if this one can go on with it. */
export async function earlierUpload(
  uploader: MultipartUploader,
  stateFile: StateFile,
): Promise<{ result?: MultipartResult; state?: UploadState }> {
  const state = stateFile.read();
  if (!state) {
    return {};
  }
  const isStored = state.storedAt !== undefined;
  if (!isSameUpload(state, stateFile.identity)) {
    if (!isStored) {
      await abandon(uploader, stateFile, state);
    }
    stateFile.remove();
    return {};
  }
  if (!isStored) {
    return { state };
  }
  const result = uploader.asNew ? undefined : await storedBefore(uploader, state);
  if (!result) {
    stateFile.remove();
  }
  return { result };
}
