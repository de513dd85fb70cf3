import { readFileSync } from "node:fs";
import * as path from "node:path";
import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import type { CallbackLambda } from "./lambda/callbackLambda";
import { pageFiles } from "./lambda/pages";
import { apiKey, restApi, type Throttle } from "./restApi/restApi";

/** The OpenAPI description of both APIs: a file of the program, and of the Lambda's package. */
const DESCRIPTION_FILE = "openapi.json";

/** A page of 100 events has about 134 kB, and 11 kB compressed. Small answers would grow. */
const COMPRESSED_FROM_BYTES = 1024;

export interface EventManagerArgs {
  /** Request rate limit. */
  throttle: Throttle;
}

/** The REST API of a served manager. */
export interface ServedManager {
  /** The URL before each route's path, without a slash at its end. */
  managerUrl: pulumi.Output<string>;
  /** The key for the header `x-api-key`, which every route of the API needs; a secret. */
  managerApiKey: pulumi.Output<string>;
  /** The URL of the console, a page that asks for the key. */
  consoleUrl: pulumi.Output<string>;
}

/**
 * The event manager: a REST API to list, show, retry, delete and count events, and to sign
 * large uploads. `onRequest` attaches its Lambda.
 */
export class EventManager extends pulumi.ComponentResource {
  /** The key that signs the cursors of lists, so that a client cannot make one up; a secret. */
  readonly cursorSecret: pulumi.Output<string>;

  constructor(
    private readonly name: string,
    private readonly args: EventManagerArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("s3-uploader:manager:EventManager", name, {}, opts);
    const secret = new random.RandomBytes(`${name}-cursors`, { length: 32 }, { parent: this });
    this.cursorSecret = pulumi.secret(secret.base64);
    this.registerOutputs({});
  }

  /** Files for the Lambda's package: the description, and the console. */
  get files(): Promise<Record<string, string>> {
    const description = { [DESCRIPTION_FILE]: minifiedJson(DESCRIPTION_FILE) };
    return pageFiles("console").then((console) => ({ ...description, ...console }));
  }

  /** Serves every path by the Lambda; each request needs the key, save those for the console. */
  onRequest(lambda: CallbackLambda): ServedManager {
    const { name, args } = this;
    const route = { eventHandler: lambda.function, method: "ANY" } as const;
    const api = restApi(this, name, {
      routes: [
        { ...route, path: "/{proxy+}", apiKeyRequired: true },
        { ...route, path: "/console" },
        { ...route, path: "/console/{proxy+}" },
      ],
      tooLarge:
        "A request may have at most 6 MB: files go to S3, by a signed request from POST /uploads.",
      throttle: args.throttle,
      compressedFromBytes: COMPRESSED_FROM_BYTES,
    });
    const managerUrl = api.url.apply((url) => url.replace(/\/$/, ""));
    return {
      managerUrl,
      consoleUrl: pulumi.interpolate`${managerUrl}/console`,
      managerApiKey: apiKey(this, name, api, args.throttle),
    };
  }
}

/** @param fileName in the program's folder */
function minifiedJson(fileName: string): string {
  const file = path.resolve(__dirname, "..", fileName);
  return JSON.stringify(JSON.parse(readFileSync(file, "utf8")));
}
