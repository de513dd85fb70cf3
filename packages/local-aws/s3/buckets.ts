import { AwsError } from "../awsError";
import { splitUrl } from "../gateway/signature";
import type { HttpRequest } from "../http";
import type { CorsRule } from "./cors";
import { notAForm } from "./postForm";
import { hasOverrides, overridesWithoutSignature } from "./responseOverrides";

/** What the front door has to know of the buckets. */
export interface Buckets {
  has(name: string): boolean;
  /** Undefined for a bucket without a CORS configuration. */
  corsRulesOf(name: string): CorsRule[] | undefined;
}

/** Where a request leads, if it leads to a bucket. */
export interface BucketPath {
  bucket: string;
  /** As it was sent: not decoded. Empty for the bucket itself. */
  key: string;
}

/** Reads a path-style address; undefined where its first part can be no bucket's name. */
export function bucketPathOf({ url }: HttpRequest): BucketPath | undefined {
  const [, bucket, key = ""] =
    /^\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/([^?]*))?(?:\?|$)/.exec(url) ?? [];
  return bucket === undefined ? undefined : { bucket, key };
}

/** S3's refusal of a request that nobody has signed, to a bucket that is private. */
export function anonymousRefusal(request: HttpRequest, { key }: BucketPath): AwsError {
  const names = splitUrl(request.url).query.map(([name]) => name);
  if (request.method === "POST" && key === "" && names.length === 0) {
    return notAForm();
  }
  const isRead = request.method === "GET" || request.method === "HEAD";
  if (isRead && hasOverrides(names)) {
    return overridesWithoutSignature();
  }
  return new AwsError("AccessDenied", 403, "Access Denied");
}
