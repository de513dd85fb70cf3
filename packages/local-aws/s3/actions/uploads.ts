import { ACCOUNT_ID } from "../../fauxqs/fauxqs";
import { element, group } from "../../xml";
import { invalidArgument } from "../store/errors";
import { encodeName, readEncodingType } from "../store/listingRequest";
import type { Upload } from "../store/state";
import { type Action, addressOf, eTagElement, OWNER, xmlOutcome } from "./action";

const MAX_LISTED = 1000;

/** Whoever began an upload: all callers are of the one account. */
const INITIATOR = group("Initiator", [element("ID", ACCOUNT_ID), element("DisplayName", "local")]);

export const listParts: Action = (request, store) => {
  const { bucket, key, query } = request;
  const address = addressOf(request);
  const maxParts = readCount(query, "max-parts");
  const after = readNumber(query, "part-number-marker", 0);
  const { headers, checksumAlgorithm, checksumType } = store.uploadOf(address);
  const { parts, isTruncated } = store.listParts(address, { after, maxParts });
  return xmlOutcome("ListPartsResult", [
    element("Bucket", bucket),
    element("Key", key),
    element("UploadId", address.uploadId),
    INITIATOR,
    OWNER,
    element("StorageClass", headers["x-amz-storage-class"] ?? "STANDARD"),
    element("PartNumberMarker", after),
    element("NextPartNumberMarker", parts.at(-1)?.number ?? after),
    element("MaxParts", maxParts),
    element("IsTruncated", isTruncated),
    element("ChecksumAlgorithm", checksumAlgorithm),
    element("ChecksumType", checksumType),
    ...parts.map(({ number, size, eTag, lastModified, checksums = {} }) =>
      group("Part", [
        element("PartNumber", number),
        element("LastModified", lastModified.toISOString()),
        eTagElement(eTag),
        element("Size", size),
        ...Object.entries(checksums).map(([name, value]) => element(`Checksum${name}`, value)),
      ]),
    ),
  ]);
};

export const listUploads: Action = ({ bucket, query }, store) => {
  const { prefix = "", delimiter = "", "key-marker": keyMarker = "" } = query;
  const uploadIdMarker = query["upload-id-marker"] ?? "";
  const maxUploads = readCount(query, "max-uploads");
  const encode = readEncodingType(query["encoding-type"]);
  const { uploads, commonPrefixes, isTruncated, next } = store.listUploads(bucket, {
    prefix,
    delimiter,
    maxUploads,
    ...(keyMarker && { after: { key: keyMarker, uploadId: uploadIdMarker || undefined } }),
  });
  const name = (tag: string, text: string) => element(tag, encode ? encodeName(text) : text);
  return xmlOutcome("ListMultipartUploadsResult", [
    element("Bucket", bucket),
    name("KeyMarker", keyMarker),
    element("UploadIdMarker", uploadIdMarker),
    isTruncated && next ? name("NextKeyMarker", next.key) : "",
    isTruncated && next ? element("NextUploadIdMarker", next.uploadId) : "",
    name("Prefix", prefix),
    delimiter === "" ? "" : name("Delimiter", delimiter),
    element("EncodingType", encode ? "url" : undefined),
    element("MaxUploads", maxUploads),
    element("IsTruncated", isTruncated),
    ...uploads.map((upload) => group("Upload", [name("Key", upload.key), ...about(upload)])),
    ...commonPrefixes.map((each) => group("CommonPrefixes", [name("Prefix", each)])),
  ]);
};

function about(upload: Readonly<Upload>): string[] {
  const { uploadId, headers, initiated, checksumAlgorithm, checksumType } = upload;
  return [
    element("UploadId", uploadId),
    INITIATOR,
    OWNER,
    element("StorageClass", headers["x-amz-storage-class"] ?? "STANDARD"),
    element("Initiated", new Date(initiated).toISOString()),
    element("ChecksumAlgorithm", checksumAlgorithm),
    element("ChecksumType", checksumType),
  ];
}

function readCount(query: Readonly<Record<string, string>>, name: string): number {
  return Math.min(readNumber(query, name, MAX_LISTED), MAX_LISTED);
}

function readNumber(
  query: Readonly<Record<string, string>>,
  name: string,
  fallback: number,
): number {
  const text = query[name];
  if (text === undefined || text === "") {
    return fallback;
  }
  if (!/^\d{1,10}$/.test(text) || Number(text) >= 2 ** 31) {
    const message = `Argument ${name} must be an integer between 0 and 2147483647`;
    throw invalidArgument(name, text, message);
  }
  return Number(text);
}
