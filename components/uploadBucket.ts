import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { KEY_PREFIXES, type KeyPrefix, SIGNED_PREFIX, UPLOAD_PREFIX } from "../events/identity";
import type { DeadLetterQueue } from "./deadLetterQueue";
import { movedFromUploadApi } from "./formerParent";
import { type KeepsData, kept, type KeptArgs } from "./kept";
import type { CallbackLambda } from "./lambda/callbackLambda";
import { joined, type Link } from "./link";
import { grantsDocument, policyDocument, type Statement, tlsOnly } from "./policy";

/** Lambda's maximum for asynchronous invocations. */
const MAX_EVENT_RETRIES = 2;

/** Lambda's maximum: six hours, during which it also retries throttled invocations. */
const MAX_EVENT_AGE_SECONDS = 6 * 60 * 60;

/**
 * After how many days S3 deletes the parts of an upload that was not completed: a paused one goes on for as
 * long as an upload link lives.
 */
const UNFINISHED_DAYS = 30;

/** For how long a browser may cache the answer to a preflight request. */
const CORS_MAX_AGE_SECONDS = 3600;

export interface UploadBucketArgs extends KeptArgs {
  /** Origins whose pages may send files to the bucket and fetch them, besides those of `allowOrigins`. */
  corsOrigins: string[];
  /** Receives the events of objects that the Lambda of `onObjectCreated` failed on. */
  deadLetters: DeadLetterQueue;
}

type Options = ReturnType<typeof movedFromUploadApi> & { retainOnDelete?: boolean };

/** The private bucket that holds the files. `onObjectCreated` attaches a Lambda. */
export class UploadBucket extends pulumi.ComponentResource implements KeepsData {
  readonly bucket: aws.s3.Bucket;
  readonly bucketName: pulumi.Output<string>;
  readonly data: KeepsData["data"];
  /** Of every child: all of them were deployed below another parent. */
  private readonly child: Options;

  constructor(
    private readonly name: string,
    private readonly args: UploadBucketArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("s3-uploader:uploads:UploadBucket", name, {}, opts);
    this.child = movedFromUploadApi(this);
    const existing = kept(name, args);
    this.bucket = new aws.s3.Bucket(
      name,
      { bucket: existing.name, forceDestroy: args.deleteFilesOnDestroy ?? true },
      { ...this.child, ...existing.opts },
    );
    this.bucketName = this.bucket.bucket;
    this.data = { [name]: this.bucketName };
    // A kept bucket keeps its protection. (Its notification and its CORS rules are of the stack.)
    const protection = { ...this.child, retainOnDelete: existing.opts.retainOnDelete };
    refusePublicAccess(name, this.bucket, protection);
    encrypt(name, this.bucket, protection);
    abortUnfinishedUploads(name, this.bucket, protection);
    this.registerOutputs({ bucketName: this.bucketName });
  }

  /** To store uploads: objects below one prefix, and no others. */
  storing(prefix: KeyPrefix = UPLOAD_PREFIX): Link<"BUCKET_NAME"> {
    return this.named(["s3:PutObject"], pulumi.interpolate`${this.bucket.arn}/${prefix}*`);
  }

  /** To store uploads below one prefix, in parts, too: begin, send, list, complete and abort them. */
  signingParts(prefix: KeyPrefix): Link<"BUCKET_NAME"> {
    const actions = ["s3:PutObject", "s3:ListMultipartUploadParts", "s3:AbortMultipartUpload"];
    return this.named(actions, pulumi.interpolate`${this.bucket.arn}/${prefix}*`);
  }

  /** To read any object, whose bucket and key come from its event. */
  reading(): Link<never> {
    return {
      environment: {},
      grants: [{ actions: ["s3:GetObject"], resources: [this.objects()] }],
    };
  }

  /** To list the keys of the objects. */
  listing(): Link<"BUCKET_NAME"> {
    return this.named(["s3:ListBucket"], this.bucket.arn);
  }

  /** To delete any object. */
  deleting(): Link<"BUCKET_NAME"> {
    return this.named(["s3:DeleteObject"], this.objects());
  }

  /** To delete objects under the keys that the program hands out, when they arrive for a deleted event. */
  cleaning(): Link<never> {
    const resources = keysBelow(this.bucket.arn);
    return { environment: {}, grants: [{ actions: ["s3:DeleteObject"], resources }] };
  }

  /** All that the sweeper does: list objects, and delete those of deleted events. */
  sweeping(): Link<"BUCKET_NAME"> {
    return joined(this.listing(), this.cleaning());
  }

  /** All that an operator's interface does: sign uploads, read, list and delete. */
  managing(): Link<"BUCKET_NAME"> {
    return joined(
      this.signingParts(SIGNED_PREFIX),
      this.reading(),
      this.listing(),
      this.deleting(),
    );
  }

  /**
   * Lets the pages of the program's own APIs, and those of `corsOrigins`, send files to the bucket and
   * fetch them. Called once, when the APIs are there.
   *
   * @param urls of the APIs; of each, the origin counts
   *
   * @example
   * bucket.allowOrigins([managerApi.managerUrl]);
   */
  allowOrigins(urls: pulumi.Input<string>[]): void {
    const own = urls.map((url) => pulumi.output(url).apply((text) => new URL(text).origin));
    allowOrigins(this.name, this.bucket, [...this.args.corsOrigins, ...own], this.child);
  }

  /**
   * Starts the Lambda with an `S3Event` for each object that is created in the bucket. An event
   * that it fails on is retried twice, and then goes to the dead-letter queue.
   *
   * @example
   * bucket.onObjectCreated(recordLambda);
   */
  onObjectCreated(lambda: CallbackLambda): aws.s3.BucketNotification {
    const failures = this.failuresOf(lambda);
    const permission = new aws.lambda.Permission(
      lambda.name,
      {
        action: "lambda:InvokeFunction",
        function: lambda.function.name,
        principal: "s3.amazonaws.com",
        sourceArn: this.bucket.arn,
        // Another account can take over a deleted bucket's name, but not its account id.
        sourceAccount: aws.getCallerIdentityOutput({}, { parent: this }).accountId,
      },
      this.child,
    );
    return new aws.s3.BucketNotification(
      lambda.name,
      {
        bucket: this.bucket.id,
        lambdaFunctions: [
          { lambdaFunctionArn: lambda.function.arn, events: ["s3:ObjectCreated:*"] },
        ],
      },
      // S3 tests the permission when the notification is created; and the first event may already
      // fail.
      { ...this.child, dependsOn: [permission, failures] },
    );
  }

  /** Sends the events that the Lambda fails on to the dead-letter queue. */
  private failuresOf(lambda: CallbackLambda): aws.lambda.FunctionEventInvokeConfig {
    const send = new aws.iam.RolePolicy(
      `${lambda.name}-dead-letters`,
      { role: lambda.role.id, policy: grantsDocument([this.args.deadLetters.send()]) },
      this.child,
    );
    return new aws.lambda.FunctionEventInvokeConfig(
      lambda.name,
      {
        functionName: lambda.function.name,
        maximumRetryAttempts: MAX_EVENT_RETRIES,
        maximumEventAgeInSeconds: MAX_EVENT_AGE_SECONDS,
        destinationConfig: { onFailure: { destination: this.args.deadLetters.queueArn } },
      },
      // Lambda tests the role's permission when the configuration is created.
      { ...this.child, dependsOn: [send] },
    );
  }

  private named(actions: string[], resource: pulumi.Input<string>): Link<"BUCKET_NAME"> {
    return {
      environment: { BUCKET_NAME: this.bucketName },
      grants: [{ actions, resources: [resource] }],
    };
  }

  private objects(): pulumi.Output<string> {
    return pulumi.interpolate`${this.bucket.arn}/*`;
  }
}

/** The objects below each prefix that the program hands out. */
function keysBelow(bucketArn: pulumi.Output<string>): pulumi.Output<string>[] {
  return KEY_PREFIXES.map((prefix) => pulumi.interpolate`${bucketArn}/${prefix}*`);
}

function refusePublicAccess(name: string, bucket: aws.s3.Bucket, opts: Options): void {
  const access = new aws.s3.BucketPublicAccessBlock(
    name,
    {
      bucket: bucket.id,
      blockPublicAcls: true,
      blockPublicPolicy: true,
      ignorePublicAcls: true,
      restrictPublicBuckets: true,
    },
    opts,
  );
  const ownership = new aws.s3.BucketOwnershipControls(
    name,
    { bucket: bucket.id, rule: { objectOwnership: "BucketOwnerEnforced" } },
    opts,
  );
  new aws.s3.BucketPolicy(
    name,
    {
      bucket: bucket.id,
      policy: policyDocument([
        tlsOnly("s3:*", [bucket.arn, pulumi.interpolate`${bucket.arn}/*`]),
        writeOnce(bucket.arn),
      ]),
    },
    // S3 refuses two changes of a bucket's access at the same time (OperationAborted).
    { ...opts, dependsOn: [access, ownership] },
  );
}

/**
 * The statement that refuses every write below the prefixes of uploads that could replace an object:
 * one without `If-None-Match`, of which S3 takes only `*`. Of a multipart upload, the request that
 * completes it needs the header. A form cannot have it.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes-enforce.html
 */
function writeOnce(bucketArn: pulumi.Output<string>): Statement {
  return {
    Sid: "WriteOnce",
    Effect: "Deny",
    Principal: "*",
    Action: "s3:PutObject",
    Resource: keysBelow(bucketArn),
    Condition: {
      Null: { "s3:if-none-match": "true" },
      Bool: { "s3:ObjectCreationOperation": "true" },
    },
  };
}

function encrypt(name: string, bucket: aws.s3.Bucket, opts: Options): void {
  new aws.s3.BucketServerSideEncryptionConfiguration(
    name,
    {
      bucket: bucket.id,
      rules: [{ applyServerSideEncryptionByDefault: { sseAlgorithm: "AES256" } }],
    },
    opts,
  );
}

function abortUnfinishedUploads(name: string, bucket: aws.s3.Bucket, opts: Options): void {
  new aws.s3.BucketLifecycleConfiguration(
    name,
    {
      bucket: bucket.id,
      rules: [
        {
          id: "abort-unfinished-multipart-uploads",
          status: "Enabled",
          filter: {},
          abortIncompleteMultipartUpload: { daysAfterInitiation: UNFINISHED_DAYS },
        },
      ],
    },
    opts,
  );
}

function allowOrigins(
  name: string,
  bucket: aws.s3.Bucket,
  allowedOrigins: pulumi.Input<string>[],
  opts: Options,
): void {
  new aws.s3.BucketCorsConfiguration(
    name,
    {
      bucket: bucket.id,
      corsRules: [
        {
          allowedOrigins,
          allowedMethods: ["GET", "HEAD", "PUT"],
          allowedHeaders: ["*"],
          exposeHeaders: ["ETag"],
          maxAgeSeconds: CORS_MAX_AGE_SECONDS,
        },
      ],
    },
    opts,
  );
}
