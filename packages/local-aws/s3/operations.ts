import type { Call } from "../gateway/service";
import type { HttpRequest } from "../http";
import { readAddress, type S3Address } from "./address";
import { grantsOf } from "./grants";

/** A call of S3's API. */
export interface S3Call extends Call {
  address: S3Address;
}

// <level> <method> <the query parameters that distinguish operations, sorted> → operation.
const OPERATIONS: Partial<Record<string, string>> = {
  "service GET ": "ListBuckets",
  "bucket GET ": "ListObjects",
  "bucket HEAD ": "HeadBucket",
  "bucket PUT ": "CreateBucket",
  "bucket DELETE ": "DeleteBucket",
  "bucket POST delete": "DeleteObjects",
  "bucket GET acl": "GetBucketAcl",
  "bucket GET cors": "GetBucketCors",
  "bucket GET location": "GetBucketLocation",
  "bucket GET requestPayment": "GetBucketRequestPayment",
  "bucket GET uploads": "ListMultipartUploads",
  "bucket GET versioning": "GetBucketVersioning",
  "bucket GET lifecycle": "GetBucketLifecycleConfiguration",
  "bucket PUT lifecycle": "PutBucketLifecycleConfiguration",
  "bucket DELETE lifecycle": "DeleteBucketLifecycle",
  "object GET ": "GetObject",
  "object GET partNumber": "GetObject",
  "object HEAD ": "HeadObject",
  "object HEAD partNumber": "HeadObject",
  "object PUT ": "PutObject",
  "object DELETE ": "DeleteObject",
  "object GET acl": "GetObjectAcl",
  "object GET tagging": "GetObjectTagging",
  "object PUT tagging": "PutObjectTagging",
  "object DELETE tagging": "DeleteObjectTagging",
  "object GET attributes": "GetObjectAttributes",
  "object POST uploads": "CreateMultipartUpload",
  "object PUT partNumber&uploadId": "UploadPart",
  "object POST uploadId": "CompleteMultipartUpload",
  "object GET uploadId": "ListParts",
  "object DELETE uploadId": "AbortMultipartUpload",
};

// Operations that the engine lacks and whose names do not follow the pattern of the others.
const LACKING: Partial<Record<string, string>> = {
  "bucket GET versions": "ListObjectVersions",
  "object PUT renameObject": "RenameObject",
  "object POST select&select-type": "SelectObjectContent",
};

// They change an operation's answer, never which operation it is.
const OPTIONS =
  /^(x-id|x-amz-.*|response-.*|versionId|list-type|prefix|delimiter|marker|max-keys|start-after|continuation-token|encoding-type|fetch-owner|max-buckets|bucket-region|max-parts|part-number-marker|max-uploads|key-marker|upload-id-marker)$/i;

/**
 * Reads a path-style request.
 *
 * @throws AwsError InvalidURI 400
 */
export function readCall(request: HttpRequest): S3Call {
  const address = readAddress(request.url);
  const operation = operationOf(request, address);
  return {
    operation: `s3:${operation}`,
    address,
    grants: () => grantsOf(operation, request, address),
  };
}

/** The operation's name, without `s3:`. */
export function operationOf(
  { method, headers }: Pick<HttpRequest, "method" | "headers">,
  address: S3Address,
): string {
  const { query } = address;
  const level = levelOf(address);
  const subresources = Object.keys(query)
    .filter((name) => !OPTIONS.test(name))
    .sort();
  const form = `${level} ${method} ${subresources.join("&")}`;
  const named = OPERATIONS[form] ?? LACKING[form];
  const isCopy = headers["x-amz-copy-source"] !== undefined;
  if (named === "PutObject") {
    return isCopy ? "CopyObject" : named;
  }
  if (named === "UploadPart") {
    return isCopy ? "UploadPartCopy" : named;
  }
  if (named === "ListObjects") {
    return query["list-type"] === "2" ? "ListObjectsV2" : named;
  }
  return named ?? [method.toLowerCase(), level, ...subresources].map(pascalCase).join("");
}

function levelOf({ bucket, key }: S3Address): "service" | "bucket" | "object" {
  if (bucket === "") {
    return "service";
  }
  return key === "" ? "bucket" : "object";
}

function pascalCase(name: string): string {
  return name.replaceAll(/(?:^|-)(.)/g, (_, letter: string) => letter.toUpperCase());
}
