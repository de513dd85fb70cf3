import { AwsError } from "../../awsError";
import { element } from "../../xml";
import { createDigest } from "../body/digests";
import { readCompletedParts } from "../documents";
import type { S3Request } from "../request";
import type { ListedPart, UploadAddress } from "../store/multipart";
import type { ObjectStore } from "../store/objectStore";
import { type Action, eTagElement, xmlOutcome } from "./action";
import { checksumElements, checksumHeaders, checksumIn, describeObject } from "./description";
import {
  announcedChecksum,
  checkPartSizes,
  joinChecksums,
  partChecksums,
} from "./multipartChecksums";
import { conditionsOf, copySourceOf } from "./objects";

const MAX_PARTS = 10_000;

/** Bytes; of a smaller object, S3 copies no range. */
const MIN_RANGE_SOURCE = 5 << 20;

export const createUpload: Action = ({ bucket, key, headers }, store) => {
  const announced = announcedChecksum(headers);
  const description = describeObject(headers);
  const { uploadId } = store.createUpload({
    bucket,
    key,
    headers: description.headers,
    ...announced,
  });
  const outcome = xmlOutcome("InitiateMultipartUploadResult", [
    element("Bucket", bucket),
    element("Key", key),
    element("UploadId", uploadId),
  ]);
  const checksum = announced && {
    "x-amz-checksum-algorithm": announced.checksumAlgorithm,
    "x-amz-checksum-type": announced.checksumType,
  };
  return { ...outcome, headers: { ...outcome.headers, ...checksum } };
};

export const uploadPart: Action = (request, store) => {
  const { headers, content, query } = request;
  const address = addressOf(request);
  const checksums = partChecksums(request, store.uploadOf(address));
  const { eTag } = store.putPart(address, Number(query.partNumber), content, checksums);
  return { headers: { etag: `"${eTag}"`, ...checksumHeaders(checksumIn(headers)) } };
};

export const copyPart: Action = async (request, store) => {
  const { headers, query } = request;
  const source = copySourceOf(headers);
  const { size } = store.head(source.bucket, source.key);
  const range = copyRange(headers["x-amz-copy-source-range"], size);
  const address = addressOf(request);
  const { checksumAlgorithm } = store.uploadOf(address);
  const { eTag, lastModified, checksums } = await store.copyPart(
    address,
    Number(query.partNumber),
    { ...source, ...range },
    checksumAlgorithm === undefined
      ? undefined
      : {
          algorithm: checksumAlgorithm,
          digest: createDigest(checksumAlgorithm.toLowerCase()),
        },
  );
  return xmlOutcome("CopyPartResult", [
    eTagElement(eTag),
    element("LastModified", lastModified.toISOString()),
    ...Object.entries(checksums ?? {}).map(([name, text]) => element(`Checksum${name}`, text)),
  ]);
};

export const completeUpload: Action = (request, store) => {
  const { bucket, key, headers, body } = request;
  const address = addressOf(request);
  const parts = readCompletedParts(body);
  const stored = partsOf(address, store);
  const checksums = joinChecksums(headers, store.uploadOf(address), parts, stored);
  checkPartSizes(headers, parts, stored);
  const options = { ...conditionsOf(headers), checksums };
  const written = store.completeUpload(address, parts, options);
  const outcome = xmlOutcome("CompleteMultipartUploadResult", [
    element("Location", `http://${headers.host ?? "localhost"}/${bucket}/${key}`),
    element("Bucket", bucket),
    element("Key", key),
    eTagElement(written.eTag),
    ...checksumElements(checksums).map(([name, text]) => element(name, text)),
  ]);
  return {
    ...outcome,
    headers: { ...outcome.headers, ...checksumHeaders(checksums?.values) },
    written,
  };
};

export const abortUpload: Action = (request, store) => {
  store.abortUpload(addressOf(request));
  return { status: 204 };
};

function addressOf({ bucket, key, query }: S3Request): UploadAddress {
  return { bucket, key, uploadId: query.uploadId ?? "" };
}

function partsOf(address: UploadAddress, store: ObjectStore): ReadonlyMap<number, ListedPart> {
  const { parts } = store.listParts(address, { maxParts: MAX_PARTS });
  return new Map(parts.map((part) => [part.number, part]));
}

function copyRange(range: string | undefined, size: number): { start?: number; end?: number } {
  if (range === undefined) {
    return {};
  }
  if (size <= MIN_RANGE_SOURCE) {
    const message = "The specified copy source is not supported as a byte-range copy source";
    throw new AwsError("InvalidRequest", 400, message);
  }
  const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(range) ?? [];
  const start = Number(first);
  const end = Number(last) + 1;
  // Also where there is no match.
  if (!(start < end && end <= size)) {
    const message = `Range specified is not valid for source object of size: ${size}`;
    throw new AwsError("InvalidArgument", 400, message);
  }
  return { start, end };
}
