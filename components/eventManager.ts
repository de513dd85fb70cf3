import { readFileSync } from "node:fs";
import * as path from "node:path";
import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import { DESCRIPTION_FILE } from "../handlers/manager/description";
import type { CallbackLambda } from "./lambda/callbackLambda";
import { apiKey, restApi, type Throttle } from "./restApi";

/** The description of both APIs, for the manager's package: without what only people need. */
function descriptionText(): string {
  const file = path.resolve(__dirname, "..", DESCRIPTION_FILE);
  return JSON.stringify(JSON.parse(readFileSync(file, "utf8")));
}

export interface EventManagerArgs {
  /** Most requests a second, on average, and in one burst. */
  throttle: Throttle;
}

/** The REST API of a served manager. */
export interface ServedManager {
  /** Where the manager's routes begin; no slash at the end. */
  managerUrl: pulumi.Output<string>;
  /** The key for the header `x-api-key`, which every route wants; a secret. */
  managerApiKey: pulumi.Output<string>;
}

/**
 * The event manager: a REST API to list, show, retry, delete and count events, and to get forms for
 * large uploads. `onRequest` attaches its Lambda.
 */
export class EventManager extends pulumi.ComponentResource {
  /** Signs the cursors of lists, so that nobody else makes any; a secret. */
  readonly cursorSecret: pulumi.Output<string>;
  /** What the Lambda's package has to hold beside the code. */
  readonly files = { [DESCRIPTION_FILE]: descriptionText() };

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

  /** Serves every path by the Lambda, and none without the key. */
  onRequest(lambda: CallbackLambda): ServedManager {
    const { name, args } = this;
    const route = { eventHandler: lambda.function, method: "ANY", apiKeyRequired: true } as const;
    const api = restApi(this, name, {
      routes: [{ ...route, path: "/{proxy+}" }],
      tooLarge: "A request may have at most 6 MB: files go to S3, with a form from POST /uploads.",
      throttle: args.throttle,
    });
    return {
      managerUrl: api.url.apply((url) => url.replace(/\/$/, "")),
      managerApiKey: apiKey(this, name, api, args.throttle),
    };
  }
}
