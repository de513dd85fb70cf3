import { randomBytes } from "node:crypto";
import { AwsError, notImplemented } from "../awsError";
import { ACCOUNT_ID } from "../fauxqs/fauxqs";
import type { HttpRequest, HttpResponse, ReceiveBody } from "../http";
import type { DiskSpace } from "../storage/diskSpace";
import type { Action, Outcome } from "./actions/action";
import * as buckets from "./actions/buckets";
import * as settings from "./actions/bucketSettings";
import { copyObject, copyPart } from "./actions/copying";
import { listObjects } from "./actions/listing";
import * as multipart from "./actions/multipart";
import * as objects from "./actions/objects";
import * as reading from "./actions/reading";
import * as tags from "./actions/tags";
import { listParts, listUploads } from "./actions/uploads";
import { checkHeaders } from "./actions/writeHeaders";
import { readAddress, type S3Address } from "./address";
import { loadDigests } from "./body/digests";
import { receiverOf } from "./body/receive";
import type { CorsRule } from "./cors";
import { s3Errors } from "./errors";
import { answerForm, formOf, writeOf } from "./forms/formUpload";
import type { PostForm } from "./forms/postForm";
import { operationOf } from "./operations";
import { checkIntegrity, readS3Request, type S3Request } from "./request";
import type { ObjectStore } from "./store/objectStore";

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
  /** Of every bucket. */
  readonly region: string;
  /** Answers one path-style S3 request, also those that S3 refuses. */
  handle(request: HttpRequest, context?: RequestContext): Promise<HttpResponse>;
  /** What receives the large body of an upload; undefined for another request. */
  receiverOf(request: HttpRequest): ReceiveBody | undefined;
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
  /**
   * Calls the listeners for objects of an earlier process that ended between the write and its event:
   * the writer may have been told that the object is there. To be called once, with all listeners.
   */
  resume(): void;
}

const ACTIONS: Partial<Record<string, Action>> = {
  HeadBucket: buckets.headBucket,
  DeleteBucket: buckets.deleteBucket,
  GetBucketLifecycleConfiguration: buckets.getLifecycle,
  PutBucketLifecycleConfiguration: buckets.putLifecycle,
  DeleteBucketLifecycle: buckets.deleteLifecycle,
  GetBucketAcl: settings.getBucketAcl,
  GetBucketRequestPayment: settings.getBucketRequestPayment,
  GetBucketVersioning: settings.getBucketVersioning,
  GetObjectAcl: settings.getObjectAcl,
  GetObjectTagging: tags.getObjectTagging,
  PutObjectTagging: tags.putObjectTagging,
  DeleteObjectTagging: tags.deleteObjectTagging,
  ListObjects: listObjects,
  ListObjectsV2: listObjects,
  GetObject: reading.getObject,
  HeadObject: reading.headObject,
  GetObjectAttributes: reading.getObjectAttributes,
  PutObject: objects.putObject,
  CopyObject: copyObject,
  DeleteObject: objects.deleteObject,
  DeleteObjects: objects.deleteObjects,
  CreateMultipartUpload: multipart.createUpload,
  UploadPart: multipart.uploadPart,
  UploadPartCopy: copyPart,
  CompleteMultipartUpload: multipart.completeUpload,
  AbortMultipartUpload: multipart.abortUpload,
  ListParts: listParts,
  ListMultipartUploads: listUploads,
};

const EVENTS: Partial<Record<string, ObjectCreatedName>> = {
  PutObject: "ObjectCreated:Put",
  PostObject: "ObjectCreated:Post",
  CopyObject: "ObjectCreated:Copy",
  CompleteMultipartUpload: "ObjectCreated:CompleteMultipartUpload",
};

export interface S3Options {
  store: ObjectStore;
  region: string;
  /** Refuses large bodies while the disk is full. @default they are written until it is */
  disk?: Pick<DiskSpace, "admitContent">;
}

/**
 * S3's operations on a store, with ObjectCreated events. Has no versions.
 * Authorization, also by the policies of POST forms, comes before it.
 */
export function createS3({ store, region, disk }: S3Options): S3 {
  const listeners: ((event: ObjectCreated) => void)[] = [];
  const corsRules = new Map<string, CorsRule[]>();
  const actions: typeof ACTIONS = {
    ...ACTIONS,
    ListBuckets: buckets.listBuckets(region),
    CreateBucket: buckets.createBucket(region),
    GetBucketLocation: settings.getBucketLocation(region),
    GetBucketCors: settings.getBucketCors((bucket) => corsRules.get(bucket)),
  };

  function announce(event: ObjectCreated): void {
    for (const listener of listeners) {
      listener(event);
    }
    store.announced(event.sequencer);
  }

  /** From the reading to the write, nothing is awaited: a conditional write is atomic. */
  async function carryOut(
    request: HttpRequest,
    { address = readAddress(request.url), form: readForm }: RequestContext,
  ): Promise<Outcome & { bucket: string; operation: string }> {
    if (request.method === "PUT" || request.method === "POST") {
      await loadDigests();
    }
    const call = readS3Request(request, address);
    const { bucket } = call;
    checkHeaders(call.headers, ACCOUNT_ID);
    const form = readForm ?? formOf(request, address);
    if (form) {
      const write = writeOf(call, form);
      checkHeaders(write.headers, ACCOUNT_ID);
      checkIntegrity(write);
      const outcome = await objects.putObject(write, store);
      const answer = answerForm(write, form, request.headers.host ?? "", outcome.headers ?? {});
      return { ...answer, written: outcome.written, bucket, operation: "PostObject" };
    }
    const operation = operationOf(call, address);
    return {
      ...(await actionOf(actions[operation], operation, call)(call, store)),
      bucket,
      operation,
    };
  }

  return {
    region,
    async handle(request, context = {}) {
      const requestId = randomBytes(8).toString("hex").toUpperCase();
      try {
        const outcome = await carryOut(request, context);
        const { status = 200, headers, body = Buffer.alloc(0), stream, bucket, written } = outcome;
        const eventName = EVENTS[outcome.operation];
        if (written && eventName) {
          const event: ObjectCreated = {
            bucket,
            key: written.key,
            size: written.size,
            eTag: written.eTag,
            sequencer: written.sequencer,
            eventName,
            eventTime: written.lastModified,
            principalArn: context.principalArn,
            requestId,
          };
          announce(event);
        }
        return { status, headers: { ...headers, "x-amz-request-id": requestId }, body, stream };
      } catch (error) {
        if (!(error instanceof AwsError)) {
          throw error;
        }
        const refusal = s3Errors.render(error, requestId);
        return request.method === "HEAD" ? { ...refusal, body: Buffer.alloc(0) } : refusal;
      }
    },
    receiverOf: (request) =>
      receiverOf(request, store.spoolFolder, partAlgorithm(request, store), disk),
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
    resume() {
      for (const { bucket, object } of store.unannounced()) {
        const { key, size, eTag, sequencer, lastModified: eventTime, parts } = object;
        const eventName = parts ? EVENTS.CompleteMultipartUpload : EVENTS.PutObject;
        const requestId = randomBytes(8).toString("hex").toUpperCase();
        if (eventName) {
          announce({ bucket, key, size, eTag, sequencer, eventName, eventTime, requestId });
        }
      }
    },
  };
}

/** The checksum that an upload needs of a part, whether the client sends it or not. */
function partAlgorithm({ url }: HttpRequest, store: ObjectStore): string[] {
  if (!/[?&]uploadId=/.test(url)) {
    return [];
  }
  try {
    const { bucket, key, query } = readAddress(url);
    const upload = store.uploadOf({ bucket, key, uploadId: query.uploadId ?? "" });
    return upload.checksumAlgorithm === undefined ? [] : [upload.checksumAlgorithm.toLowerCase()];
  } catch (error) {
    if (error instanceof AwsError) {
      // The request is refused for it, when its body has come.
      return [];
    }
    throw error;
  }
}

/** @throws AwsError NotImplemented 501, or MethodNotAllowed 405 for an operation that S3 lacks, too */
function actionOf(
  action: Action | undefined,
  operation: string,
  { method, query }: S3Request,
): Action {
  const isVersioned = query.versionId !== undefined && query.versionId !== "null";
  if (action && !isVersioned) {
    return action;
  }
  if (Object.keys(query).length > 0) {
    throw notImplemented(`s3:${operation}`, ` (${method} with ?${Object.keys(query).join("&")})`);
  }
  const message = "The specified method is not allowed against this resource.";
  throw new AwsError("MethodNotAllowed", 405, message);
}
