import { AwsError } from "../../awsError";
import { element } from "../../xml";
import { digestOf } from "../body/digests";
import { readCompletedParts } from "../documents";
import type { S3Request } from "../request";
import type { CompletedPart, UploadAddress } from "../store/multipart";
import type { ObjectStore } from "../store/objectStore";
import type { ObjectDescription } from "../store/state";
import { type Action, eTagElement, xmlOutcome } from "./action";
import {
  checksumElements,
  checksumHeaders,
  checksumIn,
  describeObject,
  knownAlgorithm,
} from "./description";
import { conditionsOf, copySourceOf } from "./objects";

const MAX_PARTS = 10_000;

/** Bytes; of a smaller object, S3 copies no range. */
const MIN_RANGE_SOURCE = 5 << 20;

export const createUpload: Action = ({ bucket, key, headers }, store) => {
  const checksumAlgorithm = knownAlgorithm(headers["x-amz-checksum-algorithm"]);
  const description = describeObject(headers);
  const { uploadId } = store.createUpload({
    bucket,
    key,
    headers: description.headers,
    checksumAlgorithm,
  });
  const outcome = xmlOutcome("InitiateMultipartUploadResult", [
    element("Bucket", bucket),
    element("Key", key),
    element("UploadId", uploadId),
  ]);
  const announced = checksumAlgorithm && { "x-amz-checksum-algorithm": checksumAlgorithm };
  return { ...outcome, headers: { ...outcome.headers, ...announced } };
};

export const uploadPart: Action = (request, store) => {
  const { headers, content, query } = request;
  const checksums = checksumIn(headers);
  const { eTag } = store.putPart(addressOf(request), Number(query.partNumber), content, checksums);
  return { headers: { etag: `"${eTag}"`, ...checksumHeaders(checksums) } };
};

export const copyPart: Action = async (request, store) => {
  const { headers, query } = request;
  const source = copySourceOf(headers);
  const { size } = store.head(source.bucket, source.key);
  const range = copyRange(headers["x-amz-copy-source-range"], size);
  const { eTag, lastModified } = await store.copyPart(
    addressOf(request),
    Number(query.partNumber),
    { ...source, ...range },
  );
  return xmlOutcome("CopyPartResult", [
    eTagElement(eTag),
    element("LastModified", lastModified.toISOString()),
  ]);
};

export const completeUpload: Action = (request, store) => {
  const { bucket, key, headers, body } = request;
  const address = addressOf(request);
  const parts = readCompletedParts(body);
  const checksums = compositeOf(address, parts, store);
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

/** The checksum of the parts' checksums, where the upload announced an algorithm and parts have it. */
function compositeOf(
  address: UploadAddress,
  named: readonly CompletedPart[],
  store: ObjectStore,
): ObjectDescription["checksums"] {
  const { checksumAlgorithm } = store.uploadOf(address);
  if (checksumAlgorithm === undefined) {
    return undefined;
  }
  const stored = new Map(
    store
      .listParts(address, { maxParts: MAX_PARTS })
      .parts.map(({ number, checksums }) => [number, checksums?.[checksumAlgorithm]]),
  );
  const sums = named.map(({ number }) => stored.get(number)).filter((sum) => sum !== undefined);
  if (sums.length === 0) {
    return undefined;
  }
  const joined = Buffer.concat(sums.map((sum) => Buffer.from(sum, "base64")));
  const sum = digestOf(checksumAlgorithm.toLowerCase(), joined).toString("base64");
  return { type: "COMPOSITE", values: { [checksumAlgorithm]: `${sum}-${sums.length}` } };
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
