import { AwsError } from "../awsError";
import type { HttpRequest } from "../http";
import { MAX_KEY_BYTES, type S3Address } from "./address";
import { createChunkCutter, incompleteBody, isChunked, readTrailers } from "./body/chunks";
import { bytesOf, CHECKSUMS, type Content, digestOf } from "./body/digests";

/** An S3 request in its parts: decoded, unchunked and checked against its digests. */
export interface S3Request extends S3Address {
  method: string;
  headers: Record<string, string>;
  /** The whole body, decoded, unless it is spooled; then what surrounds its content. */
  body: Buffer;
  /** The body of an upload. */
  content: Content;
}

/**
 * Reads the rest of a request whose address is known: decodes its chunks, and checks its digests.
 *
 * @throws AwsError KeyTooLongError, IncompleteBody, InvalidDigest, BadDigest, InvalidRequest or
 *   XAmzContentSHA256Mismatch
 */
export function readS3Request(request: HttpRequest, address: S3Address): S3Request {
  if (Buffer.byteLength(address.key) > MAX_KEY_BYTES) {
    throw new AwsError("KeyTooLongError", 400, "Your key is too long");
  }
  const read: S3Request = {
    method: request.method,
    ...address,
    headers: { ...request.headers },
    body: request.body,
    content: request.spooled ?? request.body,
  };
  unchunk(read);
  checkIntegrity(read);
  return read;
}

/** Decodes `aws-chunked`, and takes its trailers for headers. */
function unchunk(request: S3Request): void {
  const { headers } = request;
  if (!isChunked(headers)) {
    return;
  }
  let rest = request.body;
  if (Buffer.isBuffer(request.content)) {
    const cutter = createChunkCutter();
    request.content = request.body = Buffer.concat(cutter.push(rest));
    rest = cutter.end();
  }
  const trailers = readTrailers(rest);
  const expected = headers["x-amz-decoded-content-length"];
  if (expected !== undefined && Number(expected) !== bytesOf(request.content)) {
    throw incompleteBody();
  }
  Object.assign(headers, trailers);
  const encodings = (headers["content-encoding"] ?? "")
    .split(/\s*,\s*/)
    .filter((encoding) => encoding !== "" && encoding !== "aws-chunked");
  if (encodings.length > 0) {
    headers["content-encoding"] = encodings.join(",");
  } else {
    delete headers["content-encoding"];
  }
}

/**
 * Compares the body with every digest in the headers. CRC32C and CRC64NVME pass unchecked.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html
 */
export function checkIntegrity({ method, headers, content }: S3Request): void {
  const md5 = headers["content-md5"];
  if (md5 !== undefined) {
    const digest = Buffer.from(md5, "base64");
    if (digest.length !== 16) {
      throw new AwsError("InvalidDigest", 400, "The Content-MD5 you specified was invalid.");
    }
    if (!digestOf("md5", content).equals(digest)) {
      throw badDigest("Content-MD5 you specified did not match what we received");
    }
  }

  const signed = headers["x-amz-content-sha256"];
  if (signed && /^[0-9a-f]{64}$/.test(signed)) {
    if (digestOf("sha256", content).toString("hex") !== signed) {
      throw new AwsError(
        "XAmzContentSHA256Mismatch",
        400,
        "The provided 'x-amz-content-sha256' header does not match what was computed.",
      );
    }
  }

  // On a POST the checksum may be that of the object to complete, and a copy has no body.
  if (method !== "PUT" || headers["x-amz-copy-source"]) {
    return;
  }
  for (const algorithm of CHECKSUMS) {
    const name = `x-amz-checksum-${algorithm}`;
    const value = headers[name];
    if (value === undefined) {
      continue;
    }
    const expected = Buffer.from(value, "base64");
    const actual = digestOf(algorithm, content);
    if (expected.length !== actual.length) {
      throw new AwsError("InvalidRequest", 400, `Value for ${name} header is invalid.`);
    }
    if (!expected.equals(actual)) {
      throw badDigest(
        `${algorithm.toUpperCase()} you specified did not match the calculated checksum`,
      );
    }
  }
}

function badDigest(what: string): AwsError {
  return new AwsError("BadDigest", 400, `The ${what}.`);
}
