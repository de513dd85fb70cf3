import * as pulumi from "@pulumi/pulumi";
import type { CallbackLambda } from "./lambda/callbackLambda";
import { joined, type Link } from "./link";
import { answeringPages } from "./restApi/cors";
import { apiKey, restApi, type Throttle } from "./restApi/restApi";

export interface UploadApiArgs {
  /** Largest body of one upload, in bytes. */
  maxUploadBytes: number;
  /** Allowed media types, such as `image/jpeg` or `image/*`. */
  allowedContentTypes: string[];
  /** Whether a file fails whose bytes show another type than the declared one, or none of the allowed ones. */
  rejectMismatch: boolean;
  /** Origins whose pages may send files; empty: none. */
  corsOrigins: string[];
  /** Request rate limit. */
  throttle: Throttle;
  /** Whether a request must carry an API key in `x-api-key`. */
  requireApiKey: boolean;
  /** Where larger files can go: a sentence for the answer to a body that is too large. */
  largerFiles: string;
}

/** The REST API of a served handler. */
export interface ServedUploads {
  outputs: {
    /** The URL to POST files to. */
    uploadUrl: pulumi.Output<string>;
    /** A curl command that uploads sample.jpg. */
    uploadCommand: pulumi.Output<string>;
    /** The key for the header `x-api-key`, a secret; absent where the API needs none. */
    uploadApiKey?: pulumi.Output<string>;
  };
  /** To describe the upload API: its URL, its limits, and whether it needs a key. */
  describing(): Link<UploadRule | "UPLOAD_URL" | "UPLOAD_NEEDS_KEY">;
}

/** Environment variables with what an upload has to comply with. */
type UploadRule = "MAX_UPLOAD_BYTES" | "ALLOWED_CONTENT_TYPES";

function uploadCommand(uploadUrl: pulumi.Output<string>, withKey: boolean) {
  const key = withKey
    ? `-H "x-api-key: $(npx pulumi stack output uploadApiKey --show-secrets)" `
    : "";
  return pulumi.interpolate`curl -X POST -H 'Content-type: image/jpeg' ${key}--data-binary '@sample.jpg' '${uploadUrl}?filename=sample.jpg'`;
}

/** A REST API with the one route `POST /upload`. `onUpload` attaches its Lambda. */
export class UploadApi extends pulumi.ComponentResource {
  constructor(
    private readonly name: string,
    private readonly args: UploadApiArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("s3-uploader:uploads:UploadApi", name, {}, opts);
    this.registerOutputs({});
  }

  /** To check uploads, and to answer the pages that send them. */
  accepting(): Link<UploadRule | "CORS_ORIGINS"> {
    return joined(this.limiting(), answeringPages(this.args.corsOrigins));
  }

  /** To check the types of stored files by their bytes. */
  checking(): Link<"ALLOWED_CONTENT_TYPES" | "REJECT_MISMATCH"> {
    const { allowedContentTypes, rejectMismatch } = this.args;
    return {
      environment: {
        ALLOWED_CONTENT_TYPES: allowedContentTypes.join(","),
        REJECT_MISMATCH: String(rejectMismatch),
      },
      grants: [],
    };
  }

  /** Serves `POST /upload` by the Lambda, which also answers every other method with an error. */
  onUpload(lambda: CallbackLambda): ServedUploads {
    const { name, args } = this;
    const route = { path: "/upload", eventHandler: lambda.function };
    const api = restApi(this, name, {
      routes: [
        { ...route, method: "POST", apiKeyRequired: args.requireApiKey },
        { ...route, method: "ANY" },
      ],
      tooLarge: `A direct upload may have at most ${args.maxUploadBytes} bytes. ${args.largerFiles}`,
      throttle: args.throttle,
      corsOrigins: args.corsOrigins,
    });
    const uploadUrl = pulumi.interpolate`${api.url}upload`;
    if (!args.requireApiKey) {
      this.warnOfOpenUploads();
    }
    return {
      outputs: {
        uploadUrl,
        uploadCommand: uploadCommand(uploadUrl, args.requireApiKey),
        ...(args.requireApiKey && { uploadApiKey: apiKey(this, name, api, args.throttle) }),
      },
      describing: () => ({
        environment: {
          ...this.limiting().environment,
          UPLOAD_URL: uploadUrl,
          UPLOAD_NEEDS_KEY: String(args.requireApiKey),
        },
        grants: [],
      }),
    };
  }

  /** The largest size of an upload, and the media types as patterns separated by commas. */
  private limiting(): Link<UploadRule> {
    const { maxUploadBytes, allowedContentTypes } = this.args;
    return {
      environment: {
        MAX_UPLOAD_BYTES: String(maxUploadBytes),
        ALLOWED_CONTENT_TYPES: allowedContentTypes.join(","),
      },
      grants: [],
    };
  }

  /** Once in each deployment: in its preview nothing is open yet, and the local run is private. */
  private warnOfOpenUploads(): void {
    if (pulumi.runtime.hasEngine() && !pulumi.runtime.isDryRun()) {
      const { requestsPerSecond } = this.args.throttle;
      void pulumi.log.warn(
        "Anyone who has the upload API's URL may upload files, " +
          `${requestsPerSecond} a second, at your cost. To require a key: ` +
          '"pulumi config set requireApiKey true".',
        this,
      );
    }
  }
}
