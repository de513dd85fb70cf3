import { AwsError } from "../awsError";
import { errorCodeOf } from "../gateway/errorCode";
import type { Service, ServiceApi } from "../gateway/service";
import { isPresigned, isSignatureParameter } from "../gateway/signature/claim";
import type { HttpRequest, HttpResponse } from "../http";
import { splitUrl } from "../url";
import { type BucketPath, bucketPathOf } from "./address";
import { answerPreflight, corsHeaders } from "./cors";
import type { S3 } from "./engine";
import { s3Errors, unsupportedAlgorithm } from "./errors";
import { formCall, isFormUpload } from "./forms/formCall";
import { notAForm } from "./forms/postForm";
import { bucketArn } from "./grants";
import { readCall, type S3Call } from "./operations";
import { hasOverrides, overridesWithoutSignature } from "./responseOverrides";
import { s3SigningRules } from "./signing";

/** S3's API. */
export const s3Api: ServiceApi = {
  name: "s3",
  errors: s3Errors,
  signing: s3SigningRules,
  // S3's requests have no mark of their own: S3 takes the requests that no other service recognizes.
  recognizes: () => true,
  read: readCall,
};

/**
 * S3 behind the gateway, with anonymous requests, preflights and form uploads to its buckets.
 */
export function createS3Service(
  s3: Pick<S3, "handle" | "hasBucket" | "corsRulesOf" | "receiverOf" | "region">,
): Service {
  return {
    ...s3Api,
    receiverOf: (request) => s3.receiverOf(withHoistedHeaders(request)),
    read(received) {
      const request = withHoistedHeaders(received);
      const call = readCall(request);
      const { operation, address, grants } = call;
      return {
        operation,
        grants,
        forward: ({ arn }) => s3.handle(request, { address, principalArn: arn }),
        grantsToSee: (response) =>
          isMissingObject(call, response)
            ? [{ action: "s3:ListBucket", resource: bucketArn(address.bucket) }]
            : [],
      };
    },
    unsigned(request) {
      if (isSignedByVersion2(request)) {
        return { answer: refuseVersion2 };
      }
      const path = bucketPathOf(request.url);
      if (!path) {
        return undefined;
      }
      if (isFormUpload(request, path)) {
        return { call: formCall(s3, path.bucket, request) };
      }
      return s3.hasBucket(path.bucket)
        ? { answer: () => answerAnonymous(s3, request, path) }
        : undefined;
    },
    decorate(request, response) {
      const added = { ...CONTENT_HEADERS, ...bucketHeaders(s3, request) };
      return { ...response, headers: { ...response.headers, ...added } };
    },
  };
}

/**
 * On AWS a bucket has a host of its own; here it shares the origin of the inbox and the APIs. An
 * object that a browser shows is HTML only if it says so, and then of no origin.
 */
const CONTENT_HEADERS = {
  "content-security-policy": "sandbox",
  "x-content-type-options": "nosniff",
};

/** What S3 says of a bucket with any answer, refusals included. */
function bucketHeaders(
  s3: Pick<S3, "hasBucket" | "corsRulesOf" | "region">,
  { method, url, headers }: HttpRequest,
): Record<string, string> {
  const { bucket, key } = bucketPathOf(url) ?? {};
  if (bucket === undefined || !s3.hasBucket(bucket)) {
    return {};
  }
  return {
    // By an unsigned HEAD, clients find out a bucket's region.
    ...(method === "HEAD" && key === "" && { "x-amz-bucket-region": s3.region }),
    // Lets the sites that the bucket allows read its answers.
    ...(headers.origin !== undefined && corsHeaders(s3.corsRulesOf(bucket), method, headers)),
  };
}

/**
 * S3 reveals that an object is missing only to those who may list the bucket; to others it is
 * denied. A program that relies on NoSuchKey without that permission would fail on AWS alone.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
 */
function isMissingObject({ operation }: S3Call, response: HttpResponse): boolean {
  if (response.status !== 404) {
    return false;
  }
  // The answer to a HEAD has no body to say whether bucket or object is missing.
  return (
    operation === "s3:HeadObject" ||
    (operation === "s3:GetObject" && errorCodeOf(response) === "NoSuchKey")
  );
}

/**
 * S3 ignores checksums in a query: the SDK for JavaScript signs that of an empty body.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-presigned-url.html
 */
const NOT_HOISTED = /^x-amz-(content-sha256|sdk-checksum-algorithm|checksum-.*)$/;

/**
 * A presigned URL may hold headers in its query, under their own names.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
 */
function withHoistedHeaders(request: HttpRequest): HttpRequest {
  if (!isPresigned(request.url)) {
    return request;
  }
  const hoisted = splitUrl(request.url)
    .query.filter(([name]) => !isSignatureParameter(name))
    .map(([name, value]): [string, string] => [name.toLowerCase(), value])
    .filter(([name]) => name.startsWith("x-amz-") && !NOT_HOISTED.test(name));
  return { ...request, headers: { ...Object.fromEntries(hoisted), ...request.headers } };
}

/**
 * The signature that S3 took before Version 4, as old clients send it, and as boto3 presigns by
 * default in us-east-1. A path that begins with an underscore is a page's, not a bucket's.
 */
function isSignedByVersion2({ url, headers }: HttpRequest): boolean {
  if (url.startsWith("/_")) {
    return false;
  }
  return (
    headers.authorization?.startsWith("AWS ") === true ||
    (/[?&]AWSAccessKeyId=/.test(url) && /[?&]Signature=/.test(url))
  );
}

function refuseVersion2(): never {
  throw unsupportedAlgorithm();
}

/** Reads and writes need a signature; the preflight of a browser does not. */
function answerAnonymous(
  s3: Pick<S3, "corsRulesOf">,
  request: HttpRequest,
  path: BucketPath,
): HttpResponse {
  if (request.method !== "OPTIONS") {
    throw anonymousRefusal(request, path);
  }
  const resourceType = path.key === "" ? "BUCKET" : "OBJECT";
  return answerPreflight(s3.corsRulesOf(path.bucket), request.headers, resourceType);
}

function anonymousRefusal({ method, url }: HttpRequest, { key }: BucketPath): AwsError {
  const names = splitUrl(url).query.map(([name]) => name);
  if (method === "POST" && key === "" && names.length === 0) {
    return notAForm();
  }
  const isRead = method === "GET" || method === "HEAD";
  if (isRead && hasOverrides(names)) {
    return overridesWithoutSignature();
  }
  return new AwsError("AccessDenied", 403, "Access Denied");
}
