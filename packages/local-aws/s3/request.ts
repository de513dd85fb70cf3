import { AwsError } from "../awsError";
import type { HttpRequest } from "../http";
import { MAX_KEY_BYTES, type S3Address } from "./address";
import {
  chunkedPayload,
  incompleteBody,
  malformedTrailer,
  readChunks,
  readTrailers,
  TRAILER_SIGNATURE,
  withoutChunked,
} from "./body/chunks";
import { bytesOf, CHECKSUMS, type Content, digestOf } from "./body/digests";
import { isPostForm } from "./forms/postForm";

const CHECKSUM_HEADERS: ReadonlySet<string> = new Set(
  CHECKSUMS.map((algorithm) => `x-amz-checksum-${algorithm}`),
);

/** Headers that are named like checksums. */
const CHECKSUM_OPTIONS: ReadonlySet<string> = new Set([
  "x-amz-checksum-algorithm",
  "x-amz-checksum-mode",
  "x-amz-checksum-type",
]);

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
 * @throws AwsError KeyTooLongError, IncompleteBody, MalformedTrailerError, MissingContentLength,
 *   InvalidDigest, BadDigest, InvalidRequest or XAmzContentSHA256Mismatch
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
  unchunk(read, request);
  checkIntegrity(read);
  return read;
}

/**
 * Refuses a form that is sent in chunks: its policy would be checked on another body than the stored
 * one.
 *
 * @throws AwsError InvalidRequest 400
 */
export function refuseChunkedForm({ method, headers }: Pick<HttpRequest, "method" | "headers">) {
  const isForm = method === "POST" && isPostForm(headers["content-type"]);
  if (isForm && (chunkedPayload(headers) || announcesChunks(headers))) {
    throw new AwsError("InvalidRequest", 400, "A form upload cannot be sent as aws-chunked");
  }
}

function announcesChunks({ "content-encoding": encoding }: HttpRequest["headers"]): boolean {
  return /(^|[\s,])aws-chunked($|[\s,])/i.test(encoding ?? "");
}

/** Decodes `aws-chunked`, and takes the announced checksums in its trailers for headers. */
function unchunk(request: S3Request, { body, spooled }: HttpRequest): void {
  const { headers } = request;
  refuseChunkedForm(request);
  const payload = chunkedPayload(headers);
  if (!payload && announcesChunks(headers) && bytesOf(request.content) > 0) {
    const message =
      "Content-Encoding: aws-chunked needs an x-amz-content-sha256 that begins with STREAMING-";
    throw new AwsError("InvalidRequest", 400, message);
  }
  if (payload) {
    const { content, frame } = readChunks({ body, spooled }, payload);
    Object.assign(headers, checksumTrailers(headers, readTrailers(frame)));
    checkDecodedLength(headers["x-amz-decoded-content-length"], bytesOf(content));
    request.content = content;
    request.body = Buffer.isBuffer(content) ? content : Buffer.alloc(0);
  }
  const encoding = withoutChunked(headers["content-encoding"]);
  if (encoding === undefined) {
    delete headers["content-encoding"];
  } else {
    headers["content-encoding"] = encoding;
  }
}

/** @throws AwsError InvalidRequest or MalformedTrailerError 400 */
function checksumTrailers(
  headers: HttpRequest["headers"],
  sent: readonly [name: string, value: string][],
): Record<string, string> {
  const announced = (headers["x-amz-trailer"] ?? "")
    .split(",")
    .map((name) => name.trim().toLowerCase());
  const names = new Set(announced.filter((name) => name !== ""));
  if ([...names].some((name) => !CHECKSUM_HEADERS.has(name))) {
    const message = "The value specified in the x-amz-trailer header is not supported";
    throw new AwsError("InvalidRequest", 400, message);
  }
  const trailers = sent.filter(([name]) => name !== TRAILER_SIGNATURE);
  const isAsAnnounced =
    trailers.length === names.size &&
    new Set(trailers.map(([name]) => name)).size === names.size &&
    trailers.every(([name]) => names.has(name));
  if (!isAsAnnounced) {
    throw malformedTrailer();
  }
  if (trailers.some(([name]) => headers[name] !== undefined)) {
    throw manyChecksums();
  }
  return Object.fromEntries(trailers);
}

function checkDecodedLength(announced: string | undefined, bytes: number): void {
  if (announced === undefined) {
    const message = "You must provide the x-amz-decoded-content-length HTTP header.";
    throw new AwsError("MissingContentLength", 411, message);
  }
  if (!/^\d+$/.test(announced) || Number(announced) !== bytes) {
    throw incompleteBody();
  }
}

/**
 * Compares the body with every digest in the headers.
 *
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
  const algorithm = checksumIn(headers);
  if (algorithm === undefined) {
    return;
  }
  const name = `x-amz-checksum-${algorithm}`;
  const expected = Buffer.from(headers[name] ?? "", "base64");
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

/**
 * The algorithm of an upload's checksum.
 *
 * @throws AwsError InvalidRequest 400 for more than one, an unknown one, or one that is only announced
 */
function checksumIn(headers: S3Request["headers"]): string | undefined {
  const names = Object.keys(headers).filter(
    (name) => name.startsWith("x-amz-checksum-") && !CHECKSUM_OPTIONS.has(name),
  );
  const [name, ...others] = names;
  if (others.length > 0) {
    throw manyChecksums();
  }
  if (name !== undefined && !CHECKSUM_HEADERS.has(name)) {
    const message = "The algorithm type you specified in x-amz-checksum- header is invalid.";
    throw new AwsError("InvalidRequest", 400, message);
  }
  // With MD5, some clients send the older Content-MD5.
  const hasSum = name !== undefined || headers["content-md5"] !== undefined;
  if (!hasSum && headers["x-amz-sdk-checksum-algorithm"] !== undefined) {
    const message =
      "x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer headers were found.";
    throw new AwsError("InvalidRequest", 400, message);
  }
  return name?.slice("x-amz-checksum-".length);
}

function manyChecksums(): AwsError {
  return new AwsError(
    "InvalidRequest",
    400,
    "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.",
  );
}

function badDigest(what: string): AwsError {
  return new AwsError("BadDigest", 400, `The ${what}.`);
}
