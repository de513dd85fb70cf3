import { readFileSync } from "node:fs";
import type { Metadata } from "../../../events/metadata";
import type { Completion } from "../../manager/multipartClient";

/** What an upload is continued for: with another one, it starts anew. */
export interface UploadIdentity {
  managerUrl: string;
  /** Absolute. */
  path: string;
  /** Bytes. */
  size: number;
  /** Of the file's last change, in nanoseconds since 1970. */
  modified: string;
  /** Media type. */
  type: string;
  metadata?: Metadata;
}

/** A multipart upload that a later command can continue, as its file in the cache folder has it. */
export interface UploadState extends UploadIdentity {
  uploadId: string;
  key: string;
  eventId: string;
  /** Bytes of every part but the last. */
  partSize: number;
  /** The request that stores the file, once it has been sent: S3 may have done it. */
  completion?: Completion;
  /** When the file was stored, in milliseconds since 1970: a repeated command sends nothing. */
  storedAt?: number;
}

function isState(value: unknown): value is UploadState {
  const state = (value ?? {}) as Record<string, unknown>;
  const texts = ["managerUrl", "path", "modified", "type", "uploadId", "key", "eventId"];
  return (
    texts.every((name) => typeof state[name] === "string") &&
    [state.size, state.partSize].every((bytes) => Number.isSafeInteger(bytes) && Number(bytes) > 0)
  );
}

/** @returns undefined where there is no such file, or none that can be read */
export function readState(file: string): UploadState | undefined {
  try {
    const value: unknown = JSON.parse(readFileSync(file, "utf8"));
    return isState(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

export function isSameUpload(one: UploadIdentity, other: UploadIdentity): boolean {
  const identityOf = ({ metadata = {}, ...identity }: UploadIdentity) => {
    const { managerUrl, path, size, modified, type } = identity;
    return JSON.stringify([
      managerUrl,
      path,
      size,
      modified,
      type,
      Object.entries(metadata).sort(),
    ]);
  };
  return identityOf(one) === identityOf(other);
}
