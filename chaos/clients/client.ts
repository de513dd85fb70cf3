import type { S3Client } from "@aws-sdk/client-s3";
import type { PlannedUpload } from "./plan";

/** The destinations of uploads. */
export interface Target {
  uploadUrl: string;
  /** For an API that requires one. */
  uploadApiKey?: string;
  managerUrl: string;
  managerApiKey: string;
  bucketName: string;
  s3: S3Client;
}

/** A client's surroundings. */
export interface Client {
  target: Target;
  seed: number;
  /** Whether clients do more than upload: `act` of the plan. */
  acts: boolean;
  /** Ends all retries. */
  signal?: AbortSignal;
  /** Resolves when the event is finished; for `acts`. */
  finishedEvent?: (eventId: string) => Promise<void>;
}

/** What a client was told: the event, and where its file is. */
export interface Answer {
  event_id: string;
  bucket: string;
  key: string;
}

/** One write of an object. */
export interface Write {
  /** Without quotes. */
  eTag: string;
  /** Of the bytes, in hexadecimal. */
  sha256: string;
}

/** The result for the client. */
export interface UploadOutcome {
  upload: Pick<PlannedUpload, "index" | "way" | "name">;
  /** Number of requests until the file was stored, without that for a signed request. */
  tries: number;
  /** From an API, once the file is stored. */
  answer?: Answer;
  /** The last error, when the client gave up. */
  error?: string;
  /** All writes of a key that was overwritten. */
  writes?: Write[];
  /** Answers to second writes, where 412 was due. */
  unrefused?: string[];
  /** The client has deleted its event. */
  isDeleted?: boolean;
  /** Accepted writes after the event was deleted: they get no row. */
  lateWrites?: number;
}

export type Result = Omit<UploadOutcome, "upload">;

/** A result that the client may complete later, when the event is finished. */
export type Sent = Result & { later?: Promise<Result> };
