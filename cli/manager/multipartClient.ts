import type { Metadata } from "../../events/metadata";
import { jsonOf } from "../http/answer";
import { type Sleep, withRetries } from "../http/retries";
import { type ManagerRequests, queryString, type QueryValues } from "./requests";

/** What a multipart upload is started with. */
export interface NewMultipart {
  filename: string;
  /** Media type. */
  type: string;
  /** Bytes. */
  size: number;
  /** ISO 8601. */
  lastModified: string;
  metadata?: Metadata;
}

/** Of `POST /s3/multipart`. */
export interface StartedMultipart {
  key: string;
  uploadId: string;
  event_id: string;
  /** Bytes of every part but the last. */
  part_size: number;
}

/** A part that S3 has. */
export interface StoredPart {
  PartNumber: number;
  /** Bytes. */
  Size: number;
  ETag: string;
}

export interface Completion {
  /** From 1 on, without a gap. */
  parts: Omit<StoredPart, "Size">[];
  /** Of the whole file, in bytes. */
  size: number;
  /** Of the whole file, in Base64. */
  checksum_crc64nvme: string;
}

export type UploadAddress = Pick<StartedMultipart, "key" | "uploadId">;

/** The routes for multipart uploads. All methods throw Failure. */
export interface MultipartClient {
  create(upload: NewMultipart): Promise<StartedMultipart>;
  /**
   * One attempt: the caller retries the part.
   *
   * @param size of the whole file, in bytes
   * @returns the URL of a PUT, for a body of the part's exact length
   */
  signPart(upload: UploadAddress, partNumber: number, size: number): Promise<string>;
  listParts(upload: UploadAddress): Promise<StoredPart[]>;
  complete(upload: UploadAddress, completion: Completion): Promise<void>;
  abort(upload: UploadAddress): Promise<void>;
}

const ROUTE = "/s3/multipart";

function pathOf({ key, uploadId }: UploadAddress, rest = "", query: QueryValues = {}): string {
  return `${ROUTE}/${encodeURIComponent(uploadId)}${rest}${queryString({ key, ...query })}`;
}

export function multipartClient(requests: ManagerRequests, wait: Sleep): MultipartClient {
  // Of a create whose answer is lost, an upload without parts is left, which S3 removes in time.
  const repeatable = (method: string, path: string, body?: object) =>
    withRetries(() => requests.once(method, path, body), wait);
  return {
    create: async ({ filename, type, size, lastModified: last_modified, ...upload }) => {
      const metadata = { ...upload.metadata, name: filename, type, size, last_modified };
      const answer = await repeatable("POST", ROUTE, { filename, type, metadata });
      return jsonOf(answer) as StartedMultipart;
    },
    signPart: async (upload, partNumber, size) => {
      const answer = await requests.once("GET", pathOf(upload, `/${partNumber}`, { size }));
      return (jsonOf(answer) as { url: string }).url;
    },
    listParts: async (upload) => (await requests.get(pathOf(upload))) as StoredPart[],
    complete: async (upload, completion) => {
      await repeatable("POST", pathOf(upload, "/complete"), completion);
    },
    abort: async (upload) => {
      await repeatable("DELETE", pathOf(upload));
    },
  };
}
