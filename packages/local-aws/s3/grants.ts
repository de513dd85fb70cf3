import { AwsError, notImplemented } from "../awsError";
import type { Grant } from "../gateway/service";
import type { HttpRequest } from "../http";
import { decodeUri } from "../url";
import type { S3Address } from "./address";
import { readDelete } from "./documents";
import type { PostForm } from "./forms/postForm";

/** A bucket's ARN. */
export function bucketArn(bucket: string): string {
  return `arn:aws:s3:::${bucket}`;
}

/**
 * The permissions that an operation needs.
 *
 * @throws AwsError NotImplemented 501, InvalidRequest, InvalidArgument or MalformedXML 400
 */
export function grantsOf(
  operation: string,
  request: HttpRequest,
  { bucket, key, query }: S3Address,
): Grant[] {
  refuseVirtualHost(request);
  const ofBucket = bucketArn(bucket);
  const ofObject = `${ofBucket}/${key}`;
  const version = "versionId" in query ? "Version" : "";
  const onBucket = (action: string): Grant[] => [{ action: `s3:${action}`, resource: ofBucket }];
  const onObject = (action: string, context?: Grant["context"]): Grant[] => [
    { action: `s3:${action}`, resource: ofObject, context },
  ];

  switch (operation) {
    case "ListBuckets":
      return [{ action: "s3:ListAllMyBuckets", resource: "*" }];
    case "ListObjects":
    case "ListObjectsV2":
      return [{ action: "s3:ListBucket", resource: ofBucket, context: listContext(query) }];
    case "HeadBucket":
      return onBucket("ListBucket");
    case "CreateBucket":
    case "DeleteBucket":
      return onBucket(operation);
    case "GetBucketLifecycleConfiguration":
      return onBucket("GetLifecycleConfiguration");
    case "PutBucketLifecycleConfiguration":
    case "DeleteBucketLifecycle":
      return onBucket("PutLifecycleConfiguration");
    case "GetBucketCors":
      return onBucket("GetBucketCORS");
    case "GetBucketAcl":
    case "GetBucketLocation":
    case "GetBucketRequestPayment":
    case "GetBucketVersioning":
      return onBucket(operation);
    case "ListMultipartUploads":
      return onBucket("ListBucketMultipartUploads");
    case "DeleteObjects":
      return readDelete(request.body).objects.map(({ key: deleted, versionId }) => ({
        action: versionId !== undefined ? "s3:DeleteObjectVersion" : "s3:DeleteObject",
        resource: `${ofBucket}/${deleted}`,
      }));
    case "GetObject":
    case "HeadObject":
      return onObject(`GetObject${version}`);
    case "GetObjectAttributes":
      return [...onObject(`GetObject${version}`), ...onObject(`GetObject${version}Attributes`)];
    case "DeleteObject":
      return deleteGrants(request, `s3:DeleteObject${version}`, ofObject);
    case "PutObject":
      return [...onObject("PutObject", creation(request)), ...headerGrants(request, ofObject)];
    case "CreateMultipartUpload":
      return [...onObject("PutObject", NO_CREATION), ...headerGrants(request, ofObject)];
    case "CopyObject":
      return [
        ...onObject("PutObject", creation(request)),
        copySource(request),
        ...headerGrants(request, ofObject),
      ];
    case "UploadPartCopy":
      return [...onObject("PutObject", NO_CREATION), copySource(request)];
    case "UploadPart":
      return onObject("PutObject", NO_CREATION);
    case "CompleteMultipartUpload":
      return onObject("PutObject", creation(request));
    case "AbortMultipartUpload":
      return onObject("AbortMultipartUpload");
    case "ListParts":
      return onObject("ListMultipartUploadParts");
    case "GetObjectAcl":
      return onObject(`GetObject${version}Acl`);
    case "GetObjectTagging":
      return onObject(`GetObject${version}Tagging`);
    case "PutObjectTagging":
      return onObject(`PutObject${version}Tagging`);
    case "DeleteObjectTagging":
      return onObject(`DeleteObject${version}Tagging`);
    default:
      throw notImplemented(`s3:${operation}`, ` (${request.method} ${request.url})`);
  }
}

/** Condition keys of a request that makes no object: a multipart upload's, until its end. */
const NO_CREATION = { "s3:ObjectCreationOperation": "false" };

/**
 * Condition keys of a request that makes an object. A header's key exists only where it was sent.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes-enforce.html
 */
function creation({ headers }: Pick<HttpRequest, "headers">): Record<string, string> {
  const { "if-match": ifMatch, "if-none-match": ifNoneMatch } = headers;
  return {
    "s3:ObjectCreationOperation": "true",
    ...(ifMatch !== undefined && { "s3:if-match": ifMatch }),
    ...(ifNoneMatch !== undefined && { "s3:if-none-match": ifNoneMatch }),
  };
}

/** The permissions that a form upload needs. */
export function formGrants(bucket: string, { key, fields }: PostForm): Grant[] {
  const resource = `${bucketArn(bucket)}/${key}`;
  const actions = ["s3:PutObject"];
  if (fields.has("tagging")) {
    actions.push("s3:PutObjectTagging");
  }
  if (fields.has("acl")) {
    actions.push("s3:PutObjectAcl");
  }
  return actions.map((action) => ({ action, resource, context: creation({ headers: {} }) }));
}

function refuseVirtualHost(request: HttpRequest): void {
  const host = request.headers.host ?? "";
  if (!/\.localhost(:\d+)?$/.test(host)) {
    return;
  }
  throw new AwsError(
    "InvalidRequest",
    400,
    `The bucket is expected in the path, not in the host name ${host}: set forcePathStyle, or use ` +
      "127.0.0.1 in the endpoint's URL",
  );
}

/** The key exists only where the request has the parameter, as on AWS. */
function listContext(query: S3Address["query"]): Record<string, string> {
  return Object.fromEntries(
    ["prefix", "delimiter", "max-keys"].flatMap((name) => {
      const value = query[name];
      return value === undefined ? [] : [[`s3:${name}`, value]];
    }),
  );
}

/** Headers with the effect of an operation that has a permission of its own. */
function headerGrants(request: HttpRequest, resource: string): Grant[] {
  const headers: [header: string, action: string][] = [
    ["x-amz-tagging", "s3:PutObjectTagging"],
    ["x-amz-acl", "s3:PutObjectAcl"],
  ];
  return headers
    .filter(([header]) => request.headers[header] !== undefined)
    .map(([, action]) => ({ action, resource }));
}

/**
 * Comparing an ETag reveals something of the object, and so needs the permission to read it.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-deletes.html
 */
function deleteGrants(request: HttpRequest, action: string, resource: string): Grant[] {
  const ifMatch = request.headers["if-match"];
  if (ifMatch === undefined) {
    return [{ action, resource }];
  }
  const conditional = { action, resource, context: { "s3:if-match": ifMatch } };
  return ifMatch === "*" ? [conditional] : [conditional, { action: "s3:GetObject", resource }];
}

function copySource(request: HttpRequest): Grant {
  const [source = "", version] = (request.headers["x-amz-copy-source"] ?? "").split("?versionId=");
  const path = decodeUri(source).replace(/^\//, "");
  if (!/^[^/]+\/./s.test(path)) {
    throw new AwsError(
      "InvalidArgument",
      400,
      `Copy Source must mention the source bucket and key: sourcebucket/sourcekey, not ${path}`,
    );
  }
  return {
    action: version === undefined ? "s3:GetObject" : "s3:GetObjectVersion",
    resource: `arn:aws:s3:::${path}`,
  };
}
