import { randomBytes } from "node:crypto";
import { AwsError } from "../awsError";
import type { Fauxqs } from "../fauxqs";
import type { HttpRequest, HttpResponse } from "../http";
import { readAddress, type S3Address } from "./address";
import type { CorsRule } from "./cors";
import { answerForm, formOf, writeOf } from "./forms/formUpload";
import type { PostForm } from "./forms/postForm";
import { createObjectStore, type StoredObject } from "./objectStore";
import { checkIntegrity, methodNotAllowed, readS3Request, type S3Request } from "./request";
import { responseOverrides } from "./responseOverrides";

export type ObjectCreatedName =
  | "ObjectCreated:Put"
  | "ObjectCreated:Post"
  | "ObjectCreated:Copy"
  | "ObjectCreated:CompleteMultipartUpload";

/** An object that S3 has accepted. */
export interface ObjectCreated {
  bucket: string;
  /** The true key: not URL-encoded. */
  key: string;
  /** Bytes. */
  size: number;
  /** Without quotes. */
  eTag: string;
  /** Absent: local buckets have no versions. */
  versionId?: string;
  /** Upper-case hexadecimal digits of one length; later writes have greater ones. */
  sequencer: string;
  eventName: ObjectCreatedName;
  eventTime: Date;
  /** The writer, where the caller of `handle` gave it. */
  principalArn?: string;
  requestId: string;
}

/** Facts about a request that the caller has already. */
export interface RequestContext {
  /** The request's address, where it has been read already. */
  address?: S3Address;
  /** The form in the request's body, where it has been read already. */
  form?: PostForm;
  /** The caller, for the events. */
  principalArn?: string;
}

/** S3 in this process. */
export interface S3 {
  /**
   * Answers one path-style S3 request.
   *
   * @throws AwsError for what fauxqs itself does not refuse
   */
  handle(request: HttpRequest, context?: RequestContext): Promise<HttpResponse>;
  /** Creates the bucket unless an earlier run has. */
  createBucket(name: string): void;
  hasBucket(name: string): boolean;
  /** Sets which other sites' pages may use the bucket. Replaces earlier rules. */
  setCorsRules(bucketName: string, rules: CorsRule[]): void;
  /** Undefined for a bucket without a CORS configuration. */
  corsRulesOf(bucketName: string): CorsRule[] | undefined;
  /**
   * Calls the listener once for each object that a request created, before its sender gets the
   * answer. An error that the listener throws becomes the answer.
   */
  onObjectCreated(listener: (event: ObjectCreated) => void): void;
}

/**
 * Sub-resources that fauxqs does not know: it would take them for the object or the bucket itself,
 * so that PutObjectTagging would replace the object. From the list of operations in
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html
 */
const MISSING_SUBRESOURCES = new Set(
  (
    "accelerate acl analytics annotation cors encryption intelligent-tiering inventory legal-hold " +
    "location logging metadataConfiguration metadataTable metrics notification object-lock " +
    "ownershipControls policy policyStatus publicAccessBlock replication requestPayment restore " +
    "retention select session tagging torrent versioning versions website"
  ).split(" "),
);

/**
 * S3 on top of fauxqs: with ObjectCreated events, conditional writes and deletes, and bodies that
 * are checked against their checksums. Has no versions and no object tags. Authorization, also by the
 * policies of POST forms, comes before it.
 */
export function createS3({ fauxqs }: { fauxqs: Fauxqs }): S3 {
  const store = createObjectStore(fauxqs);
  const listeners: ((event: ObjectCreated) => void)[] = [];
  const nextSequencer = createSequencer();
  const corsRules = new Map<string, CorsRule[]>();

  return {
    // From the first check to the write, nothing is awaited: a conditional write is atomic.
    async handle(request, context = {}) {
      const call = readS3Request(request, context.address ?? readAddress(request.url));
      refuseUnsupported(call);
      const form = context.form ?? formOf(call);
      const carriedOut = form ? writeOf(call, form) : call;
      if (form) {
        checkIntegrity(carriedOut);
      }
      if (createsObject(call)) {
        checkPreconditions(call, store.find(call.bucket, call.key));
      }
      if (deletesObject(call)) {
        checkDeletion(call, store.find(call.bucket, call.key));
      }
      if (call.method === "GET" && call.key) {
        repairRange(call, store.find(call.bucket, call.key));
      }
      const overrides = readsObject(call) ? responseOverrides(call.query) : {};
      // S3 stores this type where a writer names none; fauxqs would store application/octet-stream.
      carriedOut.headers["content-type"] ??= "binary/octet-stream";

      const { response, written } = store.carryOut(carriedOut);
      const requestId = randomBytes(8).toString("hex").toUpperCase();
      const sequencer = nextSequencer();
      const answer = await response;
      const { status, headers, body } = form
        ? answerForm(carriedOut, form, request.headers.host ?? "", answer)
        : answer;

      if (written) {
        const { bucket, object } = written;
        const event: ObjectCreated = {
          bucket,
          key: object.key,
          size: object.contentLength,
          eTag: object.etag.replaceAll('"', ""),
          sequencer,
          eventName: eventName(call),
          eventTime: object.lastModified,
          principalArn: context.principalArn,
          requestId,
        };
        for (const listener of listeners) {
          listener(event);
        }
      }
      return {
        status,
        headers: {
          ...headers,
          ...(status >= 200 && status < 300 && overrides),
          "x-amz-request-id": requestId,
        },
        body,
      };
    },
    createBucket(name) {
      store.createBucket(name);
    },
    hasBucket: (name) => store.hasBucket(name),
    setCorsRules(bucketName, rules) {
      corsRules.set(bucketName, rules);
    },
    corsRulesOf: (bucketName) => corsRules.get(bucketName),
    onObjectCreated(listener) {
      listeners.push(listener);
    },
  };
}

/** A PutObject, CopyObject or CompleteMultipartUpload: a form upload takes no conditions. */
function createsObject({ method, key, query }: S3Request): boolean {
  if (!key) {
    return false;
  }
  return method === "POST" ? "uploadId" in query : method === "PUT" && !("uploadId" in query);
}

function deletesObject({ method, key, query }: S3Request): boolean {
  return method === "DELETE" && key !== "" && !("uploadId" in query);
}

function readsObject({ method, key, query }: S3Request): boolean {
  return (method === "GET" || method === "HEAD") && key !== "" && !("attributes" in query);
}

function eventName({ method, key, headers }: S3Request): ObjectCreatedName {
  if (method === "POST") {
    return key ? "ObjectCreated:CompleteMultipartUpload" : "ObjectCreated:Post";
  }
  return headers["x-amz-copy-source"] ? "ObjectCreated:Copy" : "ObjectCreated:Put";
}

function refuseUnsupported({ method, key, query, headers }: S3Request): void {
  const missing = Object.keys(query).find(
    (name) =>
      MISSING_SUBRESOURCES.has(name) ||
      // fauxqs would list or send objects instead of uploads and their parts.
      (method === "GET" && (name === "uploads" || name === "uploadId")) ||
      (name === "versionId" && query[name] !== "null"),
  );
  if (missing) {
    throw new AwsError(
      "NotImplemented",
      501,
      `S3 on this machine has no "${missing}": ${method} with ?${missing} works on AWS only.`,
    );
  }
  const form = /^multipart\/form-data/i.test(headers["content-type"] ?? "");
  const known = key ? "uploads" in query || "uploadId" in query : form || "delete" in query;
  if (method === "POST" && !known) {
    throw methodNotAllowed();
  }
}

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html */
function checkPreconditions({ headers }: S3Request, existing: StoredObject | undefined): void {
  const ifNoneMatch = headers["if-none-match"];
  const ifMatch = headers["if-match"];
  if (ifNoneMatch !== undefined && ifNoneMatch !== "*") {
    throw new AwsError(
      "NotImplemented",
      501,
      "A header you provided implies functionality that is not implemented: If-None-Match on a write takes * only.",
    );
  }
  if (ifMatch !== undefined && !existing) {
    throw new AwsError("NoSuchKey", 404, "The specified key does not exist.");
  }
  const changed = ifMatch !== undefined && !isETagOf(existing, ifMatch);
  if (changed || (ifNoneMatch !== undefined && existing !== undefined)) {
    throw preconditionFailed();
  }
}

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-deletes.html */
function checkDeletion({ headers }: S3Request, existing: StoredObject | undefined): void {
  const ifMatch = headers["if-match"];
  if (ifMatch === undefined) {
    return;
  }
  if (!existing) {
    throw new AwsError("NoSuchKey", 404, "The specified key does not exist.");
  }
  if (ifMatch !== "*" && !isETagOf(existing, ifMatch)) {
    throw preconditionFailed();
  }
}

function isETagOf(object: StoredObject | undefined, eTag: string): boolean {
  const unquote = (text: string) => text.replaceAll('"', "");
  return object !== undefined && unquote(object.etag) === unquote(eTag);
}

function preconditionFailed(): AwsError {
  return new AwsError(
    "PreconditionFailed",
    412,
    "At least one of the pre-conditions you specified did not hold",
  );
}

/**
 * fauxqs answers 416 to anything but a single byte range, which S3 ignores, and to a suffix longer
 * than the object, for which S3 sends all of it (RFC 9110, 14.1.2 and 14.2).
 */
function repairRange({ headers }: S3Request, existing: StoredObject | undefined): void {
  if (headers.range === undefined) {
    return;
  }
  const [, first = "", last = ""] = /^bytes=(\d*)-(\d*)$/.exec(headers.range) ?? [];
  const valid = first ? last === "" || Number(first) <= Number(last) : last;
  if (!valid) {
    delete headers.range;
  } else if (!first && Number(last) > (existing?.contentLength ?? 0)) {
    headers.range = "bytes=0-";
  }
}

/** Numbers that grow from write to write and, since they contain the time, from run to run. */
function createSequencer(): () => string {
  let last = 0n;
  return () => {
    const now = BigInt(Date.now()) << 20n;
    last = now > last ? now : last + 1n;
    return last.toString(16).toUpperCase().padStart(18, "0");
  };
}
