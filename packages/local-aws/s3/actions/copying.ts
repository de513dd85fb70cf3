import { AwsError } from "../../awsError";
import { decodeUri } from "../../url";
import { element } from "../../xml";
import { createDigest } from "../body/digests";
import { unsupportedChecksum } from "../errors";
import type { S3Request } from "../request";
import { invalidArgument } from "../store/errors";
import type { ObjectContent, StoredObject } from "../store/objects";
import type { ObjectDescription } from "../store/state";
import { type Action, addressOf, conditionsOf, eTagElement, xmlOutcome } from "./action";
import { checksumElements, describeObject, knownAlgorithm } from "./description";
import { checkCopySource } from "./preconditions";
import { readTagQuery } from "./tags";
import { checkWriteHeaders } from "./writeHeaders";

type Headers = S3Request["headers"];

/** Bytes; of a smaller object, S3 copies no range. */
const MIN_RANGE_SOURCE = 5 << 20;

/** Bytes that one request can copy. */
const MAX_COPY = 5 * 2 ** 30;

/** Headers that a copy gets from its own request only. */
const NOT_COPIED = /^x-amz-(storage-class|website-redirect-location|server-side-encryption.*)$/;

export const copyObject: Action = async ({ bucket, key, headers }, store) => {
  checkWriteHeaders(headers);
  const source = copySourceOf(headers);
  const object = store.head(source.bucket, source.key);
  checkCopySource(headers, object);
  checkCopySize(object.size);
  const description = describeCopy(headers, object);
  if (source.bucket === bucket && source.key === key && !changesItself(headers)) {
    throw new AwsError(
      "InvalidRequest",
      400,
      "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.",
    );
  }
  const named = headers["x-amz-checksum-algorithm"];
  if (named !== undefined) {
    description.checksums = await checksumOf(named, object, store.get(source.bucket, source.key));
    if (store.head(source.bucket, source.key).sequencer !== object.sequencer) {
      const message = "A conflicting conditional operation is currently in progress. Try again.";
      throw new AwsError("OperationAborted", 409, message);
    }
  }
  const written = await store.copy(source, { bucket, key }, description, conditionsOf(headers));
  const { eTag, lastModified, checksums } = written;
  const elements = [
    eTagElement(eTag),
    element("LastModified", lastModified.toISOString()),
    ...checksumElements(checksums).map(([name, text]) => element(name, text)),
  ];
  return { ...xmlOutcome("CopyObjectResult", elements), written };
};

/** The checksum that a copy is to have: the source's, or one of its content. */
async function checksumOf(
  named: string,
  { checksums }: StoredObject,
  content: ObjectContent,
): Promise<ObjectDescription["checksums"]> {
  const algorithm = knownAlgorithm(named);
  if (algorithm === undefined) {
    throw unsupportedChecksum();
  }
  if (checksums?.type === "FULL_OBJECT" && checksums.values[algorithm] !== undefined) {
    return checksums;
  }
  const digest = createDigest(algorithm.toLowerCase());
  for await (const chunk of content.stream() as AsyncIterable<Buffer>) {
    digest.update(chunk);
  }
  return { type: "FULL_OBJECT", values: { [algorithm]: digest.digest().toString("base64") } };
}

export const copyPart: Action = async (request, store) => {
  const { headers, query } = request;
  const source = copySourceOf(headers);
  const object = store.head(source.bucket, source.key);
  checkCopySource(headers, object);
  const range = copyRange(headers["x-amz-copy-source-range"], object.size);
  checkCopySize((range.end ?? object.size) - (range.start ?? 0));
  const address = addressOf(request);
  const { checksumAlgorithm: algorithm } = store.uploadOf(address);
  const { eTag, lastModified, checksums } = await store.copyPart(
    address,
    Number(query.partNumber),
    { ...source, ...range },
    algorithm === undefined
      ? undefined
      : { algorithm, digest: createDigest(algorithm.toLowerCase()) },
  );
  return xmlOutcome("CopyPartResult", [
    eTagElement(eTag),
    element("LastModified", lastModified.toISOString()),
    ...Object.entries(checksums ?? {}).map(([name, text]) => element(`Checksum${name}`, text)),
  ]);
};

/** @throws AwsError InvalidArgument 400 */
function copySourceOf(headers: Headers): { bucket: string; key: string } {
  const [path = ""] = (headers["x-amz-copy-source"] ?? "").split("?", 1);
  const [, bucket, key] = /^\/?([^/]+)\/(.+)$/s.exec(decodeUri(path)) ?? [];
  if (bucket === undefined || key === undefined) {
    throw new AwsError("InvalidArgument", 400, "Invalid copy source bucket name");
  }
  return { bucket, key };
}

function describeCopy(headers: Headers, source: StoredObject): ObjectDescription {
  const isReplaced = replaces(headers, "x-amz-metadata-directive");
  const described = describeObject(headers);
  const own = Object.entries(described.headers).filter(([name]) => NOT_COPIED.test(name));
  const copied = Object.entries(source.headers).filter(([name]) => !NOT_COPIED.test(name));
  return {
    headers: isReplaced ? described.headers : Object.fromEntries([...copied, ...own]),
    // A composite checksum is not a checksum of the joined content.
    checksums: source.checksums?.type === "COMPOSITE" ? undefined : source.checksums,
    tags: replaces(headers, "x-amz-tagging-directive")
      ? readTagQuery(headers["x-amz-tagging"])
      : source.tags,
  };
}

/** @throws AwsError InvalidArgument 400 */
function replaces(headers: Headers, name: string): boolean {
  const directive = headers[name] ?? "COPY";
  if (directive !== "COPY" && directive !== "REPLACE") {
    const what = name === "x-amz-tagging-directive" ? "tagging" : "metadata";
    throw invalidArgument(name, directive, `Unknown ${what} directive.`);
  }
  return directive === "REPLACE";
}

function changesItself(headers: Headers): boolean {
  return (
    headers["x-amz-metadata-directive"] === "REPLACE" ||
    Object.keys(headers).some((name) => NOT_COPIED.test(name))
  );
}

function checkCopySize(size: number): void {
  if (size > MAX_COPY) {
    const message = `The specified copy source is larger than the maximum allowable size for a copy source: ${MAX_COPY}`;
    throw new AwsError("InvalidRequest", 400, message);
  }
}

function copyRange(range: string | undefined, size: number): { start?: number; end?: number } {
  if (range === undefined) {
    return {};
  }
  const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(range) ?? [];
  if (first === undefined || last === undefined) {
    const message =
      "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the zero-based offsets of the first and last bytes to copy";
    throw invalidArgument("x-amz-copy-source-range", range, message);
  }
  const start = Number(first);
  const end = Number(last) + 1;
  if (start >= end || end > size) {
    const message = `Range specified is not valid for source object of size: ${size}`;
    throw invalidArgument("x-amz-copy-source-range", range, message);
  }
  if (size <= MIN_RANGE_SOURCE) {
    const message = "The specified copy source is not supported as a byte-range copy source";
    throw new AwsError("InvalidRequest", 400, message);
  }
  return { start, end };
}
