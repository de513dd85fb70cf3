import { AwsError, notImplemented } from "../../awsError";
import type { S3Request } from "../request";
import { readTagQuery } from "./tags";

type Headers = S3Request["headers"];

/** Bytes of all names, without `x-amz-meta-`, and values. */
const MAX_METADATA_BYTES = 2048;

/** Objects of these are read as any other. Those of an archive would have to be restored first. */
const STORAGE_CLASSES = [
  "STANDARD",
  "REDUCED_REDUNDANCY",
  "STANDARD_IA",
  "ONEZONE_IA",
  "INTELLIGENT_TIERING",
  "GLACIER_IR",
];
const OTHER_STORAGE_CLASSES = [
  "DEEP_ARCHIVE",
  "EXPRESS_ONEZONE",
  "FSX_ONTAP",
  "FSX_OPENZFS",
  "GLACIER",
  "OUTPOSTS",
  "SNOW",
];

/** They grant nothing to anybody but the owner. */
const PRIVATE_ACLS = ["private", "bucket-owner-full-control", "bucket-owner-read"];

const ENCRYPTIONS = ["AES256", "aws:kms", "aws:kms:dsse"];

/** What a write's headers would have done, had they been kept. */
const LACKING =
  /^x-amz-((copy-source-)?server-side-encryption-customer-.+|server-side-encryption-context|write-offset-bytes|if-match-(size|last-modified-time))$/;

/**
 * Refuses what S3 refuses in any request, and what cannot be served.
 *
 * @param accountId the owner of every bucket
 * @throws AwsError AccessDenied 403 or NotImplemented 501
 */
export function checkHeaders(headers: Headers, accountId: string): void {
  for (const name of ["x-amz-expected-bucket-owner", "x-amz-source-expected-bucket-owner"]) {
    if (headers[name] !== undefined && headers[name] !== accountId) {
      throw new AwsError("AccessDenied", 403, "Access Denied");
    }
  }
  const lacking = Object.keys(headers).find((name) => LACKING.test(name));
  if (lacking !== undefined) {
    throw notImplemented("s3", `: the header ${lacking}`);
  }
}

/**
 * Checks the headers of a request that makes an object, or the upload of one.
 *
 * @throws AwsError 400
 */
export function checkWriteHeaders(headers: Headers): void {
  checkMetadata(headers);
  checkAcl(headers);
  checkStorageClass(headers["x-amz-storage-class"]);
  checkEncryption(headers);
  checkRedirect(headers["x-amz-website-redirect-location"]);
  if (Object.keys(headers).some((name) => name.startsWith("x-amz-object-lock-"))) {
    const message = "Bucket is missing Object Lock Configuration";
    throw new AwsError("InvalidRequest", 400, message);
  }
  readTagQuery(headers["x-amz-tagging"]);
}

/**
 * As on AWS for a bucket without settings of its own: its owner owns all objects, and ACLs are off.
 *
 * @throws AwsError InvalidArgument or AccessControlListNotSupported 400
 */
export function checkAcl(headers: Headers): void {
  const acl = headers["x-amz-acl"];
  const isGrant = Object.keys(headers).some((name) => name.startsWith("x-amz-grant-"));
  if (isGrant || (acl !== undefined && !PRIVATE_ACLS.includes(acl))) {
    throw new AwsError("AccessControlListNotSupported", 400, "The bucket does not allow ACLs");
  }
}

function checkMetadata(headers: Headers): void {
  // A header has a character for each byte.
  let bytes = 0;
  for (const [name, value] of Object.entries(headers)) {
    if (name.startsWith("x-amz-meta-")) {
      bytes += name.length - "x-amz-meta-".length + value.length;
    }
  }
  if (bytes > MAX_METADATA_BYTES) {
    throw new AwsError(
      "MetadataTooLarge",
      400,
      "Your metadata headers exceed the maximum allowed metadata size",
      { Size: String(bytes), MaxSizeAllowed: String(MAX_METADATA_BYTES) },
    );
  }
}

function checkStorageClass(name: string | undefined): void {
  if (name === undefined || STORAGE_CLASSES.includes(name)) {
    return;
  }
  if (OTHER_STORAGE_CLASSES.includes(name)) {
    throw notImplemented("s3", `: the storage class ${name}`);
  }
  const message = "The storage class you specified is not valid";
  throw new AwsError("InvalidStorageClass", 400, message, { StorageClassRequested: name });
}

function checkEncryption(headers: Headers): void {
  const algorithm = headers["x-amz-server-side-encryption"];
  if (algorithm !== undefined && !ENCRYPTIONS.includes(algorithm)) {
    const message = "The encryption request you specified is not valid. Supported value: AES256.";
    throw new AwsError("InvalidEncryptionAlgorithmError", 400, message);
  }
  if (
    headers["x-amz-server-side-encryption-aws-kms-key-id"] !== undefined &&
    !algorithm?.startsWith("aws:kms")
  ) {
    const message =
      "Server Side Encryption with AWS KMS managed key requires HTTP header x-amz-server-side-encryption : aws:kms";
    throw new AwsError("InvalidArgument", 400, message);
  }
}

function checkRedirect(location: string | undefined): void {
  if (location !== undefined && !/^(\/|https?:\/\/)/.test(location)) {
    const message =
      "The website redirect location must have a prefix of 'http://' or 'https://' or '/'.";
    throw new AwsError("InvalidRedirectLocation", 400, message);
  }
}
