import { element } from "../../xml";
import { readCompletedParts } from "../documents";
import type { ListedPart, UploadAddress } from "../store/multipart";
import type { ObjectStore } from "../store/objectStore";
import { type Action, addressOf, conditionsOf, eTagElement, xmlOutcome } from "./action";
import { checksumElements, checksumHeaders, checksumIn, describeObject } from "./description";
import {
  announcedChecksum,
  checkPartSizes,
  joinChecksums,
  partChecksums,
} from "./multipartChecksums";
import { readTagQuery } from "./tags";
import { checkWriteHeaders } from "./writeHeaders";

const MAX_PARTS = 10_000;

export const createUpload: Action = ({ bucket, key, headers }, store) => {
  checkWriteHeaders(headers);
  const announced = announcedChecksum(headers);
  const description = describeObject(headers);
  const { uploadId } = store.createUpload({
    bucket,
    key,
    headers: description.headers,
    tags: readTagQuery(headers["x-amz-tagging"]),
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

function partsOf(address: UploadAddress, store: ObjectStore): ReadonlyMap<number, ListedPart> {
  const { parts } = store.listParts(address, { maxParts: MAX_PARTS });
  return new Map(parts.map((part) => [part.number, part]));
}
