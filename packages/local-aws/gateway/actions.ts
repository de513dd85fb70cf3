import { AwsError } from "../awsError";
import type { HttpRequest } from "../http";
import type { PostForm } from "../s3/postForm";
import { decodeUri, splitUrl } from "./signature";

/** One permission a call needs. */
export interface Grant {
  /** The IAM action, which is not always the operation's name. */
  action: string;
  /** The exact ARN, or `*` for an action without a resource. */
  resource: string;
  /** Condition keys that belong to this action, such as `s3:prefix`. */
  context?: Record<string, string>;
}

/** Where the resources of a call are. */
export interface Place {
  region: string;
  accountId: string;
}

/**
 * Which IAM actions on which resources a call needs; all of them are needed.
 *
 * @param service the service's name in the credential scope
 * @throws AwsError NotImplemented 501, naming the operation, for what nothing here can serve;
 *   ValidationException and its like 400 for a request that does not say what it is about
 * @see https://docs.aws.amazon.com/service-authorization/latest/reference/
 */
export function requiredGrants(service: string, request: HttpRequest, place: Place): Grant[] {
  switch (service) {
    case "dynamodb":
      return dynamodbGrants(request, place);
    case "s3":
      return s3Grants(request);
    case "sns":
      return snsGrants(request, place);
    case "sqs":
      return sqsGrants(request, place);
    case "sts":
      return stsGrants(request);
    default:
      throw notImplemented(describeCall(service, request));
  }
}

/**
 * The API operation a request calls, such as `dynamodb:PutItem`. An operation of S3 that is not
 * known gets a name in the pattern of the others.
 */
export function describeCall(service: string, request: HttpRequest): string {
  return `${service}:${operationOf(service, request)}`;
}

function operationOf(service: string, request: HttpRequest): string {
  if (service === "s3") {
    return readS3Call(request).operation;
  }
  // The target's form is <API and version>.<operation>.
  const target = request.headers["x-amz-target"]?.split(".")[1];
  if (target) {
    return target;
  }
  return formOf(request).get("Action") ?? `${request.method} ${splitUrl(request.url).path}`;
}

function notImplemented(call: string, detail = ""): AwsError {
  return new AwsError(
    "NotImplemented",
    501,
    `${call} is not implemented on one machine${detail}; it needs a deployment to AWS`,
  );
}

// ---------------------------------------------------------------------------------- DynamoDB

const TABLE_OPERATIONS = new Set([
  "CreateTable",
  "DeleteItem",
  "DeleteTable",
  "DescribeContinuousBackups",
  "DescribeTable",
  "DescribeTimeToLive",
  "GetItem",
  "PutItem",
  "Query",
  "Scan",
  "UpdateContinuousBackups",
  "UpdateItem",
  "UpdateTable",
  "UpdateTimeToLive",
]);
const TAG_OPERATIONS = new Set(["ListTagsOfResource", "TagResource", "UntagResource"]);
const ACCOUNT_OPERATIONS = new Set(["DescribeEndpoints", "DescribeLimits", "ListTables"]);

// A transaction's parts are allowed one by one, under the names of the single operations.
const TRANSACTION_ACTIONS: Partial<Record<string, string>> = {
  ConditionCheck: "ConditionCheckItem",
  Delete: "DeleteItem",
  Get: "GetItem",
  Put: "PutItem",
  Update: "UpdateItem",
};

function dynamodbGrants(request: HttpRequest, place: Place): Grant[] {
  const call = describeCall("dynamodb", request);
  const operation = operationOf("dynamodb", request);
  if (!request.headers["x-amz-target"]?.startsWith("DynamoDB_20120810.")) {
    throw notImplemented(call);
  }
  const body = jsonOf(request);

  if (ACCOUNT_OPERATIONS.has(operation)) {
    return [{ action: call, resource: "*" }];
  }
  if (TAG_OPERATIONS.has(operation)) {
    return [{ action: call, resource: text(body, "ResourceArn") }];
  }
  if (operation === "BatchGetItem" || operation === "BatchWriteItem") {
    return Object.keys(record(body, "RequestItems")).map((table) => ({
      action: call,
      resource: tableArn(table, place),
    }));
  }
  if (operation === "TransactGetItems" || operation === "TransactWriteItems") {
    return unique(list(body, "TransactItems").flatMap((item) => transactionGrants(item, place)));
  }
  if (!TABLE_OPERATIONS.has(operation)) {
    throw notImplemented(call);
  }

  const table = tableArn(text(body, "TableName"), place);
  const index =
    (operation === "Query" || operation === "Scan") && body.IndexName !== undefined
      ? `/index/${text(body, "IndexName")}`
      : "";
  return [{ action: call, resource: table + index }];
}

function transactionGrants(item: unknown, place: Place): Grant[] {
  return Object.entries(asRecord(item)).map(([kind, part]) => {
    const action = TRANSACTION_ACTIONS[kind];
    if (!action) {
      throw invalid(`${kind} is not a part of a transaction`);
    }
    return {
      action: `dynamodb:${action}`,
      resource: tableArn(text(asRecord(part), "TableName"), place),
    };
  });
}

/** Requests may give a table's name or its ARN. */
function tableArn(table: string, { region, accountId }: Place): string {
  return table.startsWith("arn:")
    ? table
    : `arn:aws:dynamodb:${region}:${accountId}:table/${table}`;
}

// ---------------------------------------------------------------------------------------- S3

interface S3Call {
  operation: string;
  bucket: string;
  /** Decoded; empty for a call to a bucket. */
  key: string;
  query: Map<string, string>;
}

// <level> <method> <the query parameters that tell operations apart, sorted> → operation. Nothing
// else reaches the engine: fauxqs does not look at sub-resources it lacks, and so would take a
// PutObjectTagging for a PutObject and put the tags in the object's place.
const S3_OPERATIONS: Partial<Record<string, string>> = {
  "service GET ": "ListBuckets",
  "bucket GET ": "ListObjects",
  "bucket HEAD ": "HeadBucket",
  "bucket PUT ": "CreateBucket",
  "bucket DELETE ": "DeleteBucket",
  "bucket POST delete": "DeleteObjects",
  "bucket GET lifecycle": "GetBucketLifecycleConfiguration",
  "bucket PUT lifecycle": "PutBucketLifecycleConfiguration",
  "bucket DELETE lifecycle": "DeleteBucketLifecycle",
  "object GET ": "GetObject",
  "object GET partNumber": "GetObject",
  "object HEAD ": "HeadObject",
  "object HEAD partNumber": "HeadObject",
  "object PUT ": "PutObject",
  "object DELETE ": "DeleteObject",
  "object GET attributes": "GetObjectAttributes",
  "object POST uploads": "CreateMultipartUpload",
  "object PUT partNumber&uploadId": "UploadPart",
  "object POST uploadId": "CompleteMultipartUpload",
  "object DELETE uploadId": "AbortMultipartUpload",
};

// These have names of their own, which the pattern for the rest would not give.
const S3_LACKING: Partial<Record<string, string>> = {
  "bucket GET uploads": "ListMultipartUploads",
  "bucket GET versions": "ListObjectVersions",
  "object GET uploadId": "ListParts",
  "object PUT renameObject": "RenameObject",
  "object POST select&select-type": "SelectObjectContent",
};

// They change what an operation gives back, never which operation it is.
const S3_OPTIONS =
  /^(x-id|x-amz-.*|response-.*|versionId|list-type|prefix|delimiter|marker|max-keys|start-after|continuation-token|encoding-type|fetch-owner|max-buckets|bucket-region)$/i;

function readS3Call(request: HttpRequest): S3Call {
  const { path, query } = splitUrl(request.url);
  const [, bucket = "", rawKey = ""] = /^\/([^/]*)(?:\/(.*))?$/s.exec(path) ?? [];
  const parameters = new Map(query);
  const key = decodeUri(rawKey);
  return {
    operation: s3Operation(request, levelOf(bucket, key), parameters),
    bucket: decodeUri(bucket),
    key,
    query: parameters,
  };
}

function levelOf(bucket: string, key: string): "service" | "bucket" | "object" {
  if (bucket === "") {
    return "service";
  }
  return key === "" ? "bucket" : "object";
}

function s3Operation(request: HttpRequest, level: string, query: Map<string, string>): string {
  const subresources = [...query.keys()].filter((name) => !S3_OPTIONS.test(name)).sort();
  const form = `${level} ${request.method} ${subresources.join("&")}`;
  const named = S3_OPERATIONS[form] ?? S3_LACKING[form];
  const isCopy = request.headers["x-amz-copy-source"] !== undefined;
  if (named === "PutObject") {
    return isCopy ? "CopyObject" : named;
  }
  if (named === "UploadPart") {
    return isCopy ? "UploadPartCopy" : named;
  }
  if (named === "ListObjects") {
    return query.get("list-type") === "2" ? "ListObjectsV2" : named;
  }
  return named ?? [request.method.toLowerCase(), level, ...subresources].map(pascalCase).join("");
}

function pascalCase(name: string): string {
  return name.replaceAll(/(?:^|-)(.)/g, (_, letter: string) => letter.toUpperCase());
}

function s3Grants(request: HttpRequest): Grant[] {
  refuseVirtualHost(request);
  const { operation, bucket, key, query } = readS3Call(request);
  const bucketArn = `arn:aws:s3:::${bucket}`;
  const objectArn = `${bucketArn}/${key}`;
  const version = query.has("versionId") ? "Version" : "";
  const onBucket = (action: string): Grant[] => [{ action: `s3:${action}`, resource: bucketArn }];
  const onObject = (action: string): Grant[] => [{ action: `s3:${action}`, resource: objectArn }];

  switch (operation) {
    case "ListBuckets":
      return [{ action: "s3:ListAllMyBuckets", resource: "*" }];
    case "ListObjects":
    case "ListObjectsV2":
      return [{ action: "s3:ListBucket", resource: bucketArn, context: listContext(query) }];
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
    case "DeleteObjects":
      return deletedObjects(request).map(({ key: deleted, versionId }) => ({
        action: versionId ? "s3:DeleteObjectVersion" : "s3:DeleteObject",
        resource: `${bucketArn}/${deleted}`,
      }));
    case "GetObject":
    case "HeadObject":
      return onObject(`GetObject${version}`);
    case "GetObjectAttributes":
      return [...onObject(`GetObject${version}`), ...onObject(`GetObject${version}Attributes`)];
    case "DeleteObject":
      return deleteGrants(request, `s3:DeleteObject${version}`, objectArn);
    case "PutObject":
    case "CreateMultipartUpload":
      return [...onObject("PutObject"), ...headerGrants(request, objectArn)];
    case "CopyObject":
      return [...onObject("PutObject"), copySource(request), ...headerGrants(request, objectArn)];
    case "UploadPartCopy":
      return [...onObject("PutObject"), copySource(request)];
    case "UploadPart":
    case "CompleteMultipartUpload":
      return onObject("PutObject");
    case "AbortMultipartUpload":
      return onObject("AbortMultipartUpload");
    default:
      throw notImplemented(`s3:${operation}`, ` (${request.method} ${request.url})`);
  }
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
function listContext(query: Map<string, string>): Record<string, string> {
  return Object.fromEntries(
    ["prefix", "delimiter", "max-keys"].flatMap((name) => {
      const value = query.get(name);
      return value === undefined ? [] : [[`s3:${name}`, value]];
    }),
  );
}

/** Headers that do in passing what also has an operation of its own. */
function headerGrants(request: HttpRequest, objectArn: string): Grant[] {
  const headers: [header: string, action: string][] = [
    ["x-amz-tagging", "s3:PutObjectTagging"],
    ["x-amz-acl", "s3:PutObjectAcl"],
  ];
  return headers
    .filter(([header]) => request.headers[header] !== undefined)
    .map(([, action]) => ({ action, resource: objectArn }));
}

/**
 * Who compares an ETag learns something of the object, and so must be allowed to read it.
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

/** What a form upload needs; its policy has been found to hold. */
export function formGrants(bucket: string, { key, fields }: PostForm): Grant[] {
  const resource = `arn:aws:s3:::${bucket}/${key}`;
  const actions = ["s3:PutObject"];
  if (fields.has("tagging")) {
    actions.push("s3:PutObjectTagging");
  }
  if (fields.has("acl")) {
    actions.push("s3:PutObjectAcl");
  }
  return actions.map((action) => ({ action, resource }));
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

function deletedObjects(request: HttpRequest): { key: string; versionId: boolean }[] {
  const objects = [...request.body.toString("utf8").matchAll(/<Object>(.*?)<\/Object>/gs)];
  if (objects.length === 0) {
    throw new AwsError(
      "MalformedXML",
      400,
      "The XML you provided was not well-formed or did not validate against our published schema",
    );
  }
  if (objects.some(([, object = ""]) => object.includes("<ETag>"))) {
    throw notImplemented("s3:DeleteObjects", " with an ETag, which fauxqs does not look at");
  }
  return objects.map(([, object = ""]) => ({
    key: unescapeXml(/<Key>(.*?)<\/Key>/s.exec(object)?.[1] ?? ""),
    versionId: object.includes("<VersionId>"),
  }));
}

const XML_ENTITIES: Partial<Record<string, string>> = {
  amp: "&",
  apos: "'",
  gt: ">",
  lt: "<",
  quot: '"',
};

function unescapeXml(text: string): string {
  return text.replaceAll(/&(?:#x([0-9a-f]+)|#(\d+)|(\w+));/gi, (whole, hex, decimal, name) => {
    if (typeof hex === "string") {
      return String.fromCodePoint(Number.parseInt(hex, 16));
    }
    if (typeof decimal === "string") {
      return String.fromCodePoint(Number(decimal));
    }
    return XML_ENTITIES[String(name)] ?? whole;
  });
}

// --------------------------------------------------------------------------------------- SNS

// operation → the form's field with the topic's ARN, or with the ARN of one of its subscriptions
const SNS_FIELDS: Partial<Record<string, string>> = {
  ConfirmSubscription: "TopicArn",
  DeleteTopic: "TopicArn",
  GetSubscriptionAttributes: "SubscriptionArn",
  GetTopicAttributes: "TopicArn",
  ListSubscriptionsByTopic: "TopicArn",
  ListTagsForResource: "ResourceArn",
  PublishBatch: "TopicArn",
  SetSubscriptionAttributes: "SubscriptionArn",
  SetTopicAttributes: "TopicArn",
  Subscribe: "TopicArn",
  TagResource: "ResourceArn",
  Unsubscribe: "SubscriptionArn",
  UntagResource: "ResourceArn",
};

function snsGrants(request: HttpRequest, { region, accountId }: Place): Grant[] {
  const form = formOf(request);
  const operation = operationOf("sns", request);
  const action = `sns:${operation === "PublishBatch" ? "Publish" : operation}`;

  if (operation === "ListTopics" || operation === "ListSubscriptions") {
    return [{ action, resource: "*" }];
  }
  if (operation === "CreateTopic") {
    const name = formField(form, "Name");
    return [{ action, resource: `arn:aws:sns:${region}:${accountId}:${name}` }];
  }
  if (operation === "Publish") {
    // A message to a telephone number has no topic, and so no resource.
    const target = form.get("TopicArn") ?? form.get("TargetArn");
    if (target === null && form.has("PhoneNumber")) {
      return [{ action, resource: "*" }];
    }
    return [{ action, resource: target ?? formField(form, "TopicArn") }];
  }
  const field = SNS_FIELDS[operation];
  if (!field) {
    throw notImplemented(describeCall("sns", request));
  }
  const arn = formField(form, field);
  // A subscription's ARN is its topic's with one more part, and it is the topic that is protected.
  const topic = field === "SubscriptionArn" ? arn.split(":").slice(0, 6).join(":") : arn;
  return [{ action, resource: topic }];
}

function formOf(request: HttpRequest): URLSearchParams {
  return new URLSearchParams(request.body.toString("utf8"));
}

function formField(form: URLSearchParams, name: string): string {
  const value = form.get(name);
  if (value) {
    return value;
  }
  throw new AwsError("InvalidParameter", 400, `Invalid parameter: ${name} is missing`);
}

// --------------------------------------------------------------------------------------- SQS

// operation → its IAM action: batches are allowed with the single operation
const SQS_ACTIONS: Partial<Record<string, string>> = {
  ChangeMessageVisibility: "ChangeMessageVisibility",
  ChangeMessageVisibilityBatch: "ChangeMessageVisibility",
  DeleteMessage: "DeleteMessage",
  DeleteMessageBatch: "DeleteMessage",
  DeleteQueue: "DeleteQueue",
  GetQueueAttributes: "GetQueueAttributes",
  ListQueueTags: "ListQueueTags",
  PurgeQueue: "PurgeQueue",
  ReceiveMessage: "ReceiveMessage",
  SendMessage: "SendMessage",
  SendMessageBatch: "SendMessage",
  SetQueueAttributes: "SetQueueAttributes",
  TagQueue: "TagQueue",
  UntagQueue: "UntagQueue",
};

function sqsGrants(request: HttpRequest, { region, accountId }: Place): Grant[] {
  const call = describeCall("sqs", request);
  const operation = operationOf("sqs", request);
  if (!request.headers["x-amz-target"]) {
    throw notImplemented(call, " in the query protocol that older clients of SQS speak");
  }
  const body = jsonOf(request);

  if (operation === "ListQueues") {
    return [{ action: call, resource: "*" }];
  }
  if (operation === "CreateQueue" || operation === "GetQueueUrl") {
    const name = text(body, "QueueName");
    return [{ action: call, resource: `arn:aws:sqs:${region}:${accountId}:${name}` }];
  }
  const action = SQS_ACTIONS[operation];
  if (!action) {
    throw notImplemented(call);
  }
  const url = text(body, "QueueUrl");
  const [, owner, name] = /\/([^/]+)\/([^/]+)$/.exec(url) ?? [];
  if (!owner || !name) {
    throw new AwsError("InvalidAddress", 400, `The address ${url} is not valid for a queue.`);
  }
  return [{ action: `sqs:${action}`, resource: `arn:aws:sqs:${region}:${owner}:${name}` }];
}

// --------------------------------------------------------------------------------------- STS

function stsGrants(request: HttpRequest): Grant[] {
  if (operationOf("sts", request) === "GetCallerIdentity") {
    return [];
  }
  throw notImplemented(describeCall("sts", request));
}

// ------------------------------------------------------------------------------- JSON bodies

function jsonOf(request: HttpRequest): Record<string, unknown> {
  let body: unknown;
  try {
    body = JSON.parse(request.body.toString("utf8"));
  } catch {
    // Where in the body it breaks off is of no use to a caller who did not write it by hand.
    throw new AwsError("SerializationException", 400, "The request's body is not JSON");
  }
  return asRecord(body);
}

function asRecord(value: unknown): Record<string, unknown> {
  if (typeof value === "object" && value !== null) {
    return value as Record<string, unknown>;
  }
  throw new AwsError("SerializationException", 400, "The request's body is not of the right shape");
}

function record(body: Record<string, unknown>, name: string): Record<string, unknown> {
  return asRecord(body[name]);
}

function list(body: Record<string, unknown>, name: string): unknown[] {
  return Object.values(asRecord(body[name]));
}

function text(body: Record<string, unknown>, name: string): string {
  const value = body[name];
  if (typeof value === "string" && value !== "") {
    return value;
  }
  throw invalid(`The parameter '${name}' is required but was not present in the request`);
}

function invalid(message: string): AwsError {
  return new AwsError("ValidationException", 400, message);
}

function unique(grants: Grant[]): Grant[] {
  return [...new Map(grants.map((grant) => [JSON.stringify(grant), grant])).values()];
}
