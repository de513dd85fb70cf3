import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import type { CallbackLambda } from "../lambda/callbackLambda";
import { pageFiles } from "../lambda/pages";
import { joined, type Link } from "../link";
import { answeringPages } from "../restApi/cors";
import { restApi, type Throttle } from "../restApi/restApi";

/** Small answers would grow. */
const COMPRESSED_FROM_BYTES = 1024;

export interface LinkApiArgs {
  /** Request rate limit; the other APIs have their own. */
  throttle: Throttle;
  /** Media types of files, such as `image/jpeg` or `image/*`. */
  allowedContentTypes: string[];
  /** Origins whose pages may use the API. */
  corsOrigins: string[];
  /** Number of the secret that signs tickets, from 1; the one before stays valid. */
  linkSecretVersion: number;
  /** Who collects the files, for the page of a link; empty: not told. */
  organisation: string;
}

/** The REST API of a served handler. */
export interface ServedLinks {
  outputs: {
    /** What a link's URL begins with; the link's ticket follows after a slash. */
    linkUrl: pulumi.Output<string>;
  };
  /** To tell links' URLs. */
  describing(): Link<"LINK_SECRETS" | "LINK_URL">;
}

/**
 * The API of upload links, for strangers: a REST API of its own, so that their requests use up no other
 * API's throttle. It has no key; a link's ticket in the path is the permission. `onRequest` attaches its
 * Lambda.
 */
export class LinkApi extends pulumi.ComponentResource {
  /** In base64, newest first, separated by commas; a secret. */
  private readonly secrets: pulumi.Output<string>;

  constructor(
    private readonly name: string,
    private readonly args: LinkApiArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("s3-uploader:links:LinkApi", name, {}, opts);
    const { linkSecretVersion: newest } = args;
    const valid = newest > 1 ? [newest, newest - 1] : [newest];
    const secrets = valid.map(
      (version) =>
        new random.RandomBytes(`${name}-ticket-${version}`, { length: 32 }, { parent: this })
          .base64,
    );
    this.secrets = pulumi.secret(pulumi.all(secrets).apply((all) => all.join(",")));
    this.registerOutputs({});
  }

  /** Files for the Lambda's package: the page of a link. */
  get files(): Promise<Record<string, string>> {
    return pageFiles("link");
  }

  /** To check tickets and files, to answer the pages that send them, and to tell who collects them. */
  serving(): Link<"LINK_SECRETS" | "ALLOWED_CONTENT_TYPES" | "CORS_ORIGINS" | "ORGANISATION"> {
    const { allowedContentTypes, corsOrigins, organisation } = this.args;
    const rules: Link<"ALLOWED_CONTENT_TYPES" | "ORGANISATION"> = {
      environment: {
        ALLOWED_CONTENT_TYPES: allowedContentTypes.join(","),
        ORGANISATION: organisation,
      },
      grants: [],
    };
    return joined(this.ticketing(), rules, answeringPages(corsOrigins));
  }

  /** Serves every path by the Lambda. */
  onRequest(lambda: CallbackLambda): ServedLinks {
    const { name, args } = this;
    const route = { eventHandler: lambda.function, method: "ANY" } as const;
    const api = restApi(this, name, {
      routes: [
        { ...route, path: "/" },
        { ...route, path: "/{proxy+}" },
      ],
      tooLarge: "A request may have at most 6 MB: the parts of a file go to S3.",
      throttle: args.throttle,
      corsOrigins: args.corsOrigins,
      compressedFromBytes: COMPRESSED_FROM_BYTES,
    });
    const linkUrl = api.url.apply((url) => url.replace(/\/$/, ""));
    const url: Link<"LINK_URL"> = { environment: { LINK_URL: linkUrl }, grants: [] };
    return { outputs: { linkUrl }, describing: () => joined(this.ticketing(), url) };
  }

  /** To sign and check tickets. */
  private ticketing(): Link<"LINK_SECRETS"> {
    return { environment: { LINK_SECRETS: this.secrets }, grants: [] };
  }
}
