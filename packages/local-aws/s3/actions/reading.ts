import { AwsError } from "../../awsError";
import { element, group } from "../../xml";
import type { S3Request } from "../request";
import { responseOverrides } from "../responseOverrides";
import { invalidArgument } from "../store/errors";
import type { StoredObject } from "../store/objects";
import { type Action, type Outcome, xmlOutcome } from "./action";
import { checksumElements, checksumHeaders } from "./description";
import { sendable } from "./headerValues";
import { isUnchanged } from "./preconditions";

/** The bytes of an object that an answer has: `start` up to, not including, `end`. */
interface Selection {
  start: number;
  end: number;
  /** Of a request for one part. */
  part?: NonNullable<StoredObject["parts"]>[number];
}

/** Bytes; larger answers are streamed. */
const MAX_WHOLE_BYTES = 1 << 20;

const MAX_PARTS = 10_000;

export const getObject: Action = (request, store) => {
  const content = store.get(request.bucket, request.key);
  const { outcome, selection } = readOutcome(request, content.object);
  if (!selection) {
    return outcome;
  }
  const { start, end } = selection;
  return end - start > MAX_WHOLE_BYTES
    ? { ...outcome, stream: content.stream(start, end) }
    : { ...outcome, body: content.read(start, end) };
};

export const headObject: Action = (request, store) =>
  readOutcome(request, store.head(request.bucket, request.key)).outcome;

export const getObjectAttributes: Action = ({ bucket, key, headers }, store) => {
  const object = store.head(bucket, key);
  const requested = (headers["x-amz-object-attributes"] ?? "")
    .split(",")
    .map((name) => name.trim());
  const elements: Record<string, () => string> = {
    ETag: () => element("ETag", object.eTag),
    Checksum: () =>
      object.checksums
        ? group(
            "Checksum",
            checksumElements(object.checksums).map(([name, text]) => element(name, text)),
          )
        : "",
    ObjectParts: () => (object.parts ? partsElement(object.parts, headers) : ""),
    StorageClass: () =>
      element("StorageClass", object.headers["x-amz-storage-class"] ?? "STANDARD"),
    ObjectSize: () => element("ObjectSize", object.size),
  };
  const outcome = xmlOutcome(
    "GetObjectAttributesResponse",
    Object.entries(elements).map(([name, render]) => (requested.includes(name) ? render() : "")),
  );
  return {
    ...outcome,
    headers: { ...outcome.headers, "last-modified": object.lastModified.toUTCString() },
  };
};

function partsElement(parts: NonNullable<StoredObject["parts"]>, headers: S3Request["headers"]) {
  const maxParts = Number(headers["x-amz-max-parts"] ?? 1000);
  const marker = Number(headers["x-amz-part-number-marker"] ?? 0);
  const following = parts.filter(({ number }) => number > marker);
  const page = following.slice(0, maxParts);
  return group("ObjectParts", [
    element("PartsCount", parts.length),
    element("IsTruncated", following.length > page.length),
    element("MaxParts", maxParts),
    element("PartNumberMarker", marker),
    element("NextPartNumberMarker", page.at(-1)?.number ?? 0),
    ...page.map(({ number, size, checksums = {} }) =>
      group("Part", [
        element("PartNumber", number),
        element("Size", size),
        ...Object.entries(checksums).map(([name, value]) => element(`Checksum${name}`, value)),
      ]),
    ),
  ]);
}

/** All of an answer but its content; no selection where there is none. */
function readOutcome(
  { query, headers }: S3Request,
  object: StoredObject,
): { outcome: Outcome; selection?: Selection } {
  const overrides = responseOverrides(query);
  const validators = {
    etag: `"${object.eTag}"`,
    "last-modified": object.lastModified.toUTCString(),
  };
  if (isUnchanged(headers, object)) {
    return { outcome: { status: 304, headers: validators } };
  }
  const selection = select(query, headers, object);
  const { start, end, part } = selection ?? { start: 0, end: object.size };
  const { parts, checksums, size, tags } = object;
  const isEnabled = headers["x-amz-checksum-mode"]?.toUpperCase() === "ENABLED";
  const sums = part
    ? checksumHeaders(part.checksums, "FULL_OBJECT")
    : selection
      ? {}
      : checksumHeaders(checksums?.values, checksums?.type);
  return {
    outcome: {
      status: selection ? 206 : 200,
      headers: {
        ...sendable(object.headers),
        ...validators,
        "accept-ranges": "bytes",
        "content-length": `${end - start}`,
        ...(selection && { "content-range": `bytes ${start}-${end - 1}/${size}` }),
        ...(part && parts && { "x-amz-mp-parts-count": `${parts.length}` }),
        ...(tags && { "x-amz-tagging-count": `${Object.keys(tags).length}` }),
        ...(isEnabled && sums),
        ...overrides,
      },
    },
    selection: { start, end },
  };
}

/**
 * The part of the object that a request is for; undefined for the whole of it. S3 ignores anything
 * but a single range (RFC 9110, 14.2).
 *
 * @throws AwsError InvalidRange or InvalidPartNumber 416, InvalidRequest or InvalidArgument 400
 */
function select(
  query: S3Request["query"],
  headers: S3Request["headers"],
  { size, parts }: StoredObject,
): Selection | undefined {
  if (query.partNumber !== undefined) {
    if (headers.range !== undefined) {
      const message = "Cannot specify both Range header and partNumber query parameter.";
      throw new AwsError("InvalidRequest", 400, message);
    }
    return selectPart(query.partNumber, parts, size);
  }
  const { range = "" } = headers;
  const [, first = "", last = ""] = /^bytes=(\d*)-(\d*)$/.exec(range) ?? [];
  if (first === "" && last === "") {
    return undefined;
  }
  // A suffix longer than the object is all of it.
  const start = first === "" ? Math.max(size - Number(last), 0) : Number(first);
  const end = first === "" || last === "" ? size : Math.min(Number(last) + 1, size);
  if (first !== "" && last !== "" && Number(last) < start) {
    return undefined;
  }
  if (start >= end) {
    throw new AwsError("InvalidRange", 416, "The requested range is not satisfiable", {
      RangeRequested: range,
      ActualObjectSize: `${size}`,
    });
  }
  return { start, end };
}

/** Parts are counted from 1, whatever their numbers were; an object without parts is one itself. */
function selectPart(text: string, parts: StoredObject["parts"], size: number) {
  const number = Number(text);
  if (!/^\d{1,5}$/.test(text) || number < 1 || number > MAX_PARTS) {
    const message = `Part number must be an integer between 1 and ${MAX_PARTS}, inclusive`;
    throw invalidArgument("partNumber", text, message);
  }
  const count = parts?.length ?? 1;
  if (number > count) {
    throw new AwsError("InvalidPartNumber", 416, "The requested partnumber is not satisfiable", {
      PartNumberRequested: text,
      ActualPartCount: String(count),
    });
  }
  if (size === 0) {
    // No Content-Range can name nothing.
    return undefined;
  }
  const start = (parts ?? []).slice(0, number - 1).reduce((sum, each) => sum + each.size, 0);
  const part = parts?.[number - 1];
  return { start, end: start + (part?.size ?? size), part };
}
