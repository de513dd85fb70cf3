import { decodeUri, splitUrl } from "../url";

/** The target of a path-style S3 request (`/bucket/key?query`), decoded. */
export interface S3Address {
  /** Empty for a call to the service itself. */
  bucket: string;
  /** Empty for a call to the bucket. */
  key: string;
  /** Of a name that is given more than once, the last value. */
  query: Record<string, string>;
}

/** The path of a request to a bucket or an object. */
export interface BucketPath {
  bucket: string;
  /** As it was sent: not decoded. Empty for the bucket itself. */
  key: string;
}

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html */
export const MAX_KEY_BYTES = 1024;

/** S3's first region, which has ways of its own: a bucket there has no location constraint. */
export const FIRST_REGION = "us-east-1";

// https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
const BUCKET_NAME = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;

/** @throws AwsError InvalidURI 400 for a URL that is not percent-encoded UTF-8 */
export function readAddress(url: string): S3Address {
  const { path, query } = splitUrl(url);
  const raw = splitPath(path);
  const key = decodeUri(raw.key);
  return { bucket: decodeUri(raw.bucket), key, query: Object.fromEntries(query) };
}

/** Undefined where the path's first part cannot be a bucket's name. */
export function bucketPathOf(url: string): BucketPath | undefined {
  const [path = ""] = url.split("?", 1);
  const raw = splitPath(path);
  return BUCKET_NAME.test(raw.bucket) ? raw : undefined;
}

function splitPath(path: string): BucketPath {
  const [, bucket = "", key = ""] = /^\/([^/]*)(?:\/(.*))?$/s.exec(path) ?? [];
  return { bucket, key };
}
