import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { UPLOAD_PREFIX } from "../events/identity";
import { LARGER_FILES } from "../handlers/upload/upload";
import type { DeadLetterQueue } from "./deadLetterQueue";
import type { CallbackLambda } from "./lambda/callbackLambda";
import { Grant, grantsDocument, policyDocument, tlsOnly } from "./policy";
import { apiKey, restApi, type Throttle } from "./restApi";

/** The most that Lambda takes. */
const MAX_EVENT_RETRIES = 2;

/** The most that Lambda takes: six hours. A throttled Lambda tries for so long. */
const MAX_EVENT_AGE_SECONDS = 6 * 60 * 60;

/** How long a browser may remember what the bucket allows. */
const CORS_MAX_AGE_SECONDS = 3600;

export interface UploadApiArgs {
  /** Largest body of one upload, in bytes. */
  maxUploadBytes: number;
  /** Most requests a second, on average, and in one burst. */
  throttle: Throttle;
  /** Whether a request must carry an API key in `x-api-key`. */
  requireApiKey: boolean;
  /** Whether `pulumi destroy` may delete a bucket that still holds files. */
  deleteFilesOnDestroy: boolean;
  /** Origins whose pages may send files to the bucket and fetch them; none: no page may. */
  corsOrigins: string[];
}

/** The REST API of a served handler. */
export interface ServedUploads {
  /** Where to POST files. */
  uploadUrl: pulumi.Output<string>;
  /** The ready curl line that uploads sample.jpg. */
  uploadCommand: pulumi.Output<string>;
  /** The key for the header `x-api-key`, if the API wants one; a secret. */
  uploadApiKey?: pulumi.Output<string>;
}

function uploadCommand(uploadUrl: pulumi.Output<string>, withKey: boolean) {
  const key = withKey
    ? `-H "x-api-key: $(npx pulumi stack output uploadApiKey --show-secrets)" `
    : "";
  return pulumi.interpolate`curl -X POST -H 'Content-type: image/jpeg' ${key}--data-binary '@sample.jpg' '${uploadUrl}?filename=sample.jpg'`;
}

/**
 * Takes files in: a private bucket that keeps them, and a REST API with `POST /upload`.
 * `onUpload` and `onObjectCreated` attach the Lambdas.
 */
export class UploadApi extends pulumi.ComponentResource {
  readonly bucket: aws.s3.Bucket;
  readonly bucketName: pulumi.Output<string>;
  /** Remembers the `Idempotency-Key`s of uploads for a day. */
  readonly reservations: aws.dynamodb.Table;

  constructor(
    private readonly name: string,
    private readonly args: UploadApiArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("s3-uploader:uploads:UploadApi", name, {}, opts);
    this.bucket = this.privateBucket();
    this.bucketName = this.bucket.bucket;
    this.reservations = new aws.dynamodb.Table(
      `${name}-idempotency`,
      {
        billingMode: "PAY_PER_REQUEST",
        hashKey: "idempotency_key",
        attributes: [{ name: "idempotency_key", type: "S" }],
        ttl: { attributeName: "expires_at", enabled: true },
      },
      { parent: this },
    );
    this.registerOutputs({ bucketName: this.bucketName });
  }

  /** Permission to store uploads: only under their prefix. */
  storeUploads(): Grant {
    return {
      actions: ["s3:PutObject"],
      resources: [pulumi.interpolate`${this.bucket.arn}/${UPLOAD_PREFIX}*`],
    };
  }

  /** Permission to read every object of the bucket, however it came there. */
  readObjects(): Grant {
    return { actions: ["s3:GetObject"], resources: [pulumi.interpolate`${this.bucket.arn}/*`] };
  }

  /** Permission to delete objects of the bucket. */
  deleteObjects(): Grant {
    return { actions: ["s3:DeleteObject"], resources: [pulumi.interpolate`${this.bucket.arn}/*`] };
  }

  /** Permission to list the keys of the bucket. */
  listUploads(): Grant {
    return { actions: ["s3:ListBucket"], resources: [this.bucket.arn] };
  }

  /** Permission to reserve an identity for an `Idempotency-Key`, and to find a reserved one. */
  reserveUploads(): Grant {
    return {
      actions: ["dynamodb:GetItem", "dynamodb:PutItem"],
      resources: [this.reservations.arn],
    };
  }

  /** Serves `POST /upload` by the Lambda, which also words the answer to every other method. */
  onUpload(lambda: CallbackLambda): ServedUploads {
    const { name, args } = this;
    const route = { path: "/upload", eventHandler: lambda.function };
    const api = restApi(this, name, {
      routes: [
        { ...route, method: "POST", apiKeyRequired: args.requireApiKey },
        { ...route, method: "ANY" },
      ],
      tooLarge: `A direct upload may have at most ${args.maxUploadBytes} bytes. ${LARGER_FILES}`,
      throttle: args.throttle,
    });
    const uploadUrl = pulumi.interpolate`${api.url}upload`;
    return {
      uploadUrl,
      uploadCommand: uploadCommand(uploadUrl, args.requireApiKey),
      uploadApiKey: args.requireApiKey ? apiKey(this, name, api, args.throttle) : undefined,
    };
  }

  /**
   * Starts the Lambda with an `S3Event` for each object that is created in the bucket. An event
   * that it fails on is tried again twice, and then goes to the dead-letter queue as it is.
   */
  onObjectCreated(
    name: string,
    lambda: CallbackLambda,
    deadLetters: DeadLetterQueue,
  ): aws.s3.BucketNotification {
    const failures = this.failuresTo(deadLetters, name, lambda);
    const permission = new aws.lambda.Permission(
      name,
      {
        action: "lambda:InvokeFunction",
        function: lambda.function.name,
        principal: "s3.amazonaws.com",
        sourceArn: this.bucket.arn,
        // Bucket names can change hands: without the account, so could the permission.
        sourceAccount: aws.getCallerIdentityOutput({}, { parent: this }).accountId,
      },
      { parent: this },
    );
    return new aws.s3.BucketNotification(
      name,
      {
        bucket: this.bucket.id,
        lambdaFunctions: [
          { lambdaFunctionArn: lambda.function.arn, events: ["s3:ObjectCreated:*"] },
        ],
      },
      // S3 tries the permission out when the notification is made. And no event may come before
      // there is a place for it to fail to.
      { parent: this, dependsOn: [permission, failures] },
    );
  }

  private failuresTo(
    deadLetters: DeadLetterQueue,
    name: string,
    lambda: CallbackLambda,
  ): aws.lambda.FunctionEventInvokeConfig {
    const send = new aws.iam.RolePolicy(
      `${name}-dead-letters`,
      { role: lambda.role.id, policy: grantsDocument([deadLetters.send()]) },
      { parent: this },
    );
    return new aws.lambda.FunctionEventInvokeConfig(
      name,
      {
        functionName: lambda.function.name,
        maximumRetryAttempts: MAX_EVENT_RETRIES,
        maximumEventAgeInSeconds: MAX_EVENT_AGE_SECONDS,
        destinationConfig: { onFailure: { destination: deadLetters.queueArn } },
      },
      // Lambda checks that the role can send there when the configuration is made.
      { parent: this, dependsOn: [send] },
    );
  }

  private privateBucket(): aws.s3.Bucket {
    const { name, args } = this;
    const parent = { parent: this };
    const bucket = new aws.s3.Bucket(name, { forceDestroy: args.deleteFilesOnDestroy }, parent);
    const access = new aws.s3.BucketPublicAccessBlock(
      name,
      {
        bucket: bucket.id,
        blockPublicAcls: true,
        blockPublicPolicy: true,
        ignorePublicAcls: true,
        restrictPublicBuckets: true,
      },
      parent,
    );
    const ownership = new aws.s3.BucketOwnershipControls(
      name,
      { bucket: bucket.id, rule: { objectOwnership: "BucketOwnerEnforced" } },
      parent,
    );
    new aws.s3.BucketServerSideEncryptionConfiguration(
      name,
      {
        bucket: bucket.id,
        rules: [{ applyServerSideEncryptionByDefault: { sseAlgorithm: "AES256" } }],
      },
      parent,
    );
    new aws.s3.BucketLifecycleConfiguration(
      name,
      {
        bucket: bucket.id,
        rules: [
          {
            id: "abort-unfinished-multipart-uploads",
            status: "Enabled",
            filter: {},
            abortIncompleteMultipartUpload: { daysAfterInitiation: 1 },
          },
        ],
      },
      parent,
    );
    new aws.s3.BucketPolicy(
      name,
      {
        bucket: bucket.id,
        policy: policyDocument([
          tlsOnly("s3:*", [bucket.arn, pulumi.interpolate`${bucket.arn}/*`]),
        ]),
      },
      // S3 refuses two changes of a bucket's access at the same time (OperationAborted).
      { ...parent, dependsOn: [access, ownership] },
    );
    if (args.corsOrigins.length > 0) {
      new aws.s3.BucketCorsConfiguration(
        name,
        {
          bucket: bucket.id,
          corsRules: [
            {
              allowedOrigins: args.corsOrigins,
              allowedMethods: ["GET", "HEAD", "POST"],
              allowedHeaders: ["*"],
              exposeHeaders: ["ETag"],
              maxAgeSeconds: CORS_MAX_AGE_SECONDS,
            },
          ],
        },
        parent,
      );
    }
    return bucket;
  }
}
