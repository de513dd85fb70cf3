import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import { AwsError } from "../awsError";
import type { HttpRequest } from "../http";
import { MAX_KEY_BYTES, type S3Address } from "./address";

/** An S3 request in its parts: decoded, unchunked and checked against its digests. */
export interface S3Request extends S3Address {
  method: string;
  headers: Record<string, string>;
  body: Buffer;
}

const DIGESTS: Record<string, (body: Buffer) => Buffer> = {
  crc32: (body) => {
    const sum = Buffer.alloc(4);
    sum.writeUInt32BE(crc32(body));
    return sum;
  },
  sha1: (body) => createHash("sha1").update(body).digest(),
  sha256: (body) => createHash("sha256").update(body).digest(),
};

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
  };
  unchunk(read);
  checkIntegrity(read);
  return read;
}

/**
 * A body's checksum in base64.
 * @param algorithm in lower case: crc32, sha1 or sha256
 * @throws AwsError InvalidRequest for another algorithm
 */
export function digestOf(algorithm: string, body: Buffer): string {
  const digest = Object.hasOwn(DIGESTS, algorithm) ? DIGESTS[algorithm] : undefined;
  if (digest) {
    return digest(body).toString("base64");
  }
  const message =
    "Checksum algorithm provided is unsupported. Please try again with any of the valid types: [CRC32, SHA1, SHA256]";
  throw new AwsError("InvalidRequest", 400, message);
}

/**
 * Decodes `aws-chunked`, in which the SDKs send streams, with the checksum in a trailer.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html
 */
function unchunk(request: S3Request): void {
  const { headers } = request;
  const encodings = (headers["content-encoding"] ?? "").split(/\s*,\s*/).filter(Boolean);
  const chunked =
    encodings.includes("aws-chunked") ||
    headers["x-amz-content-sha256"]?.startsWith("STREAMING-") === true;
  if (!chunked) {
    return;
  }

  const { body, trailers } = readChunks(request.body);
  const expected = headers["x-amz-decoded-content-length"];
  if (expected !== undefined && Number(expected) !== body.length) {
    throw incompleteBody();
  }
  request.body = body;
  Object.assign(headers, trailers);
  const rest = encodings.filter((encoding) => encoding !== "aws-chunked");
  if (rest.length > 0) {
    headers["content-encoding"] = rest.join(",");
  } else {
    delete headers["content-encoding"];
  }
}

function readChunks(raw: Buffer): { body: Buffer; trailers: Record<string, string> } {
  const chunks: Buffer[] = [];
  let at = 0;
  for (;;) {
    const lineEnd = raw.indexOf("\r\n", at);
    if (lineEnd < 0) {
      throw incompleteBody();
    }
    // A signature may follow the size; parseInt stops at the semicolon before it.
    const size = Number.parseInt(raw.toString("latin1", at, lineEnd), 16);
    at = lineEnd + 2;
    if (size === 0) {
      break;
    }
    if (!(at + size <= raw.length)) {
      throw incompleteBody();
    }
    chunks.push(raw.subarray(at, at + size));
    at += size + 2;
  }
  const trailers: Record<string, string> = {};
  for (const line of raw.toString("latin1", at).split("\r\n")) {
    const colon = line.indexOf(":");
    if (colon >= 0) {
      trailers[line.slice(0, colon).trim().toLowerCase()] = line.slice(colon + 1).trim();
    }
  }
  return { body: Buffer.concat(chunks), trailers };
}

function incompleteBody(): AwsError {
  return new AwsError(
    "IncompleteBody",
    400,
    "You did not provide the number of bytes specified by the Content-Length HTTP header.",
  );
}

/**
 * Compares the body with every digest in the headers. CRC32C and CRC64NVME pass unchecked.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html
 */
export function checkIntegrity({ method, headers, body }: S3Request): void {
  const md5 = headers["content-md5"];
  if (md5 !== undefined) {
    const digest = Buffer.from(md5, "base64");
    if (digest.length !== 16) {
      throw new AwsError("InvalidDigest", 400, "The Content-MD5 you specified was invalid.");
    }
    if (!createHash("md5").update(body).digest().equals(digest)) {
      throw badDigest("Content-MD5 you specified did not match what we received");
    }
  }

  const signed = headers["x-amz-content-sha256"];
  if (signed && /^[0-9a-f]{64}$/.test(signed)) {
    if (createHash("sha256").update(body).digest("hex") !== signed) {
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
  for (const [algorithm, digest] of Object.entries(DIGESTS)) {
    const name = `x-amz-checksum-${algorithm}`;
    const value = headers[name];
    if (value === undefined) {
      continue;
    }
    const expected = Buffer.from(value, "base64");
    const actual = digest(body);
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
