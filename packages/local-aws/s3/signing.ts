import { hash } from "node:crypto";
import { AwsError } from "../awsError";
import type { SeedSignature, SigningRules } from "../gateway/service";
import type { HttpRequest } from "../http";
import { decodeUri, encodeUri } from "../url";
import { FIRST_REGION, readAddress } from "./address";
import {
  CHUNKED_PAYLOADS,
  chunkedPayload,
  readChunks,
  readTrailers,
  TRAILER_SIGNATURE,
} from "./body/chunks";
import { digestOf } from "./body/digests";
import { operationOf } from "./operations";

const UNSIGNED_PAYLOAD = "UNSIGNED-PAYLOAD";

// The values under which S3 takes a body whose hash is not in the signature.
const PAYLOAD_MARKS = new Set([UNSIGNED_PAYLOAD, ...CHUNKED_PAYLOADS]);

const EMPTY_SHA256 = hash("sha256", "");

/**
 * S3's rules of Signature Version 4.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
 */
export const s3SigningRules: SigningRules = {
  /**
   * Decoded, then encoded anew, so that `/%2F` is `//`. `//`, `.` and `..` are left alone: all of
   * them make keys.
   */
  canonicalPath: (path) => encodeUri(decodeUri(path)).replaceAll("%2F", "/"),
  payloadHash: (request, { presigned, signedHeaders }, query) => {
    const header = request.headers["x-amz-content-sha256"];
    if (presigned) {
      const signed = signedHeaders.includes("x-amz-content-sha256") ? header : undefined;
      const declared = signed ?? query.find(([name]) => name === "X-Amz-Content-Sha256")?.[1];
      return checkedPayload(request, declared ?? UNSIGNED_PAYLOAD);
    }
    if (header === undefined) {
      throw new AwsError(
        "InvalidRequest",
        400,
        "Missing required header for this request: x-amz-content-sha256",
      );
    }
    return checkedPayload(request, header);
  },
  checkSignedHeaders: ({ headers }, signed) => {
    // Otherwise the holder of a presigned URL could add a copy source or tags to it, or have its body
    // decoded. The payload's hash is part of the signature in any case, and S3 lets its header be
    // unsigned.
    const unsigned = [...new Set(["host", ...Object.keys(headers)])].filter(
      (name) => mustBeSigned(name, headers) && !signed.has(name),
    );
    if (unsigned.length > 0) {
      throw new AwsError(
        "AccessDenied",
        403,
        `There were headers present in the request which were not signed: ${unsigned.join(", ")}`,
      );
    }
  },
  // Clients that do not know a bucket's region ask the service's first one for it, or for all buckets.
  takesRegion: ({ method, url }, region) =>
    region === FIRST_REGION &&
    method === "GET" &&
    ["GetBucketLocation", "ListBuckets"].includes(
      operationOf({ method, headers: {} }, readAddress(url)),
    ),
  checkBody,
};

function mustBeSigned(name: string, headers: HttpRequest["headers"]): boolean {
  return name === "x-amz-content-sha256"
    ? chunkedPayload(headers) !== undefined
    : name === "host" || name.startsWith("x-amz-");
}

/** https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html */
function checkBody(
  request: HttpRequest,
  { signature, timestamp, scope, check }: SeedSignature,
): void {
  const payload = chunkedPayload(request.headers);
  if (!payload?.isSigned) {
    return;
  }
  const { frame } = readChunks(request, payload);
  const trailers = readTrailers(frame);
  let previous = signature;
  const checkNext = (next: string, kind: string, ...hashes: string[]) => {
    check(next, [`AWS4-HMAC-SHA256-${kind}`, timestamp, scope, previous, ...hashes].join("\n"));
    previous = next;
  };
  for (const chunk of frame.chunks) {
    checkNext(chunk.signature, "PAYLOAD", EMPTY_SHA256, chunk.sha256);
  }
  if (payload.hasTrailers) {
    const signed = trailers.filter(([name]) => name !== TRAILER_SIGNATURE);
    const text = signed.map(([name, value]) => `${name}:${value}\n`).join("");
    const last = trailers.find(([name]) => name === TRAILER_SIGNATURE)?.[1] ?? "";
    checkNext(last, "TRAILER", hash("sha256", text));
  }
}

function checkedPayload({ body, spooled }: HttpRequest, declared: string): string {
  if (PAYLOAD_MARKS.has(declared)) {
    return declared;
  }
  if (!/^[0-9a-f]{64}$/.test(declared)) {
    throw new AwsError(
      "InvalidArgument",
      400,
      "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, " +
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER or a " +
        `valid sha256 value, not ${declared}`,
    );
  }
  if (declared !== digestOf("sha256", spooled ?? body).toString("hex")) {
    throw new AwsError(
      "XAmzContentSHA256Mismatch",
      400,
      "The provided 'x-amz-content-sha256' header does not match what was computed.",
    );
  }
  return declared;
}
