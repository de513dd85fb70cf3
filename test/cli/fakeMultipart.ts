import { createHash } from "node:crypto";
import type { Seen } from "./receive";

/** An upload in parts. */
export interface FakeUpload {
  uploadId: string;
  key: string;
  event_id: string;
  /** The body that it was made with. */
  created: unknown;
  parts: Map<number, { size: number; eTag: string; text: string }>;
  state: "open" | "aborted" | "completed";
  /** The body that it was completed with. */
  completion?: { parts: { PartNumber: number; ETag: string }[]; checksum_crc64nvme: string };
}

export interface FakeUploads {
  url: string;
  /** Bytes. */
  partSize: number;
  uploads: FakeUpload[];
}

/** Of the fake. */
export type Reply = [status: number, body?: unknown, headers?: Record<string, string>];

function refusal(status: number, code: string): Reply {
  return [status, { error: { code, message: `It is ${code}.` } }];
}

function create({ uploads, partSize }: FakeUploads, { text }: Seen): Reply {
  const uploadId = `upload-${uploads.length + 1}`;
  const event_id = `event-${uploads.length + 1}`;
  const key = `signed/${event_id}`;
  const created: unknown = JSON.parse(Buffer.from(text, "latin1").toString());
  uploads.push({ uploadId, key, event_id, created, parts: new Map(), state: "open" });
  return [201, { key, uploadId, event_id, part_size: partSize }];
}

/** `PUT /part`, in the place of S3. */
export function putPart({ uploads }: FakeUploads, { query, text, bytes }: Seen): Reply {
  const upload = uploads.find(({ uploadId }) => uploadId === query.uploadId);
  if (upload?.state !== "open") {
    return [404, "<Error><Code>NoSuchUpload</Code><Message>It is gone.</Message></Error>"];
  }
  const eTag = createHash("md5").update(text, "latin1").digest("hex");
  upload.parts.set(Number(query.partNumber), { size: bytes, eTag, text });
  return [200, undefined, { etag: `"${eTag}"` }];
}

function complete(fake: FakeUploads, upload: FakeUpload, { text }: Seen): Reply {
  const completion = JSON.parse(text) as NonNullable<FakeUpload["completion"]>;
  const isKnown = completion.parts.every(
    ({ PartNumber, ETag }) => upload.parts.get(PartNumber)?.eTag === ETag,
  );
  if (!isKnown) {
    return refusal(400, "invalid_part");
  }
  upload.completion = completion;
  upload.state = "completed";
  return [200, { location: `${fake.url}/object`, key: upload.key, bucket: "uploads" }];
}

/** The manager's routes below `/s3/multipart`. */
export function multipart(fake: FakeUploads, seen: Seen): Reply {
  const [id, action] = seen.path.split("/").slice(3);
  if (id === undefined) {
    return create(fake, seen);
  }
  const { key } = seen.query;
  const upload = fake.uploads.find((each) => each.uploadId === id && each.key === key);
  if (action === "complete" && upload?.state === "completed") {
    return [200, { key }];
  }
  if (upload?.state !== "open") {
    return refusal(404, "upload_not_found");
  }
  switch (`${seen.method} ${action ?? ""}`) {
    case "GET ":
      return [
        200,
        [...upload.parts].map(([PartNumber, { size, eTag }]) => ({
          PartNumber,
          Size: size,
          ETag: eTag,
        })),
      ];
    case "POST complete":
      return complete(fake, upload, seen);
    case "DELETE ":
      upload.state = "aborted";
      return [204];
    default: {
      const url = `${fake.url}/part?uploadId=${id}&partNumber=${action ?? ""}`;
      return [200, { url, expires_at: "2026-11-21T22:00:00.000Z" }];
    }
  }
}
