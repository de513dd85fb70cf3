import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import * as path from "node:path";
import type { APIGatewayProxyEvent, APIGatewayProxyResult } from "aws-lambda";
import type { Environment, RuntimeVariable } from "./environment";
import { EVERY_ANSWER, header, httpError } from "./http";

/** A page as it is built (components/lambda/pages.ts), in the Lambda's package. */
interface BuiltPage {
  html: string;
  /** CSP sources. */
  scriptHashes: string[];
  styleHash: string;
  /** Texts by file name; a name has a hash of the text. */
  scripts: Record<string, string>;
}

/** A page and its scripts, as HTTP serves them. */
export interface Page {
  /**
   * Answers a request for the page itself.
   *
   * @param statusCode @default 200
   */
  html(event: APIGatewayProxyEvent, statusCode?: number): APIGatewayProxyResult;
  /**
   * Answers a request for one of the page's scripts.
   *
   * @param name its file name
   * @throws an `HttpError` 404 for another name
   */
  script(name: string): APIGatewayProxyResult;
}

/** Seconds that a browser keeps a script, whose name changes with it: a year. */
const SCRIPT_MAX_AGE = 31_536_000;

/**
 * The origin of presigned requests for the bucket: that of the SDK's endpoint, which is set on a local
 * run only.
 */
function bucketOrigin(bucketName: string, region: string): string {
  const endpoint = process.env.AWS_ENDPOINT_URL_S3 ?? process.env.AWS_ENDPOINT_URL;
  return endpoint === undefined
    ? `https://${bucketName}.s3.${region}.amazonaws.com`
    : new URL(endpoint).origin;
}

/** What a page may load: its own scripts and style; its own origin's API and the bucket. */
function contentSecurityPolicy({ scriptHashes, styleHash }: BuiltPage, bucket: string): string {
  return [
    "default-src 'none'",
    `script-src ${scriptHashes.map((hash) => `'${hash}'`).join(" ")}`,
    `style-src '${styleHash}'`,
    `img-src data: blob: ${bucket}`,
    `connect-src 'self' ${bucket}`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join("; ");
}

/**
 * The page without a slash at its end, from which its scripts' relative URLs lead elsewhere.
 *
 * @returns undefined for a URL without one
 */
function withoutSlash({ requestContext }: APIGatewayProxyEvent): string | undefined {
  const [, name, slashes] = /([^/]+)(\/+)$/.exec(requestContext.path) ?? [];
  return name === undefined ? undefined : `${"../".repeat(slashes?.length ?? 0)}${name}`;
}

/** Whether the client has the answer already (If-None-Match). */
function isUnchanged(event: APIGatewayProxyEvent, eTag: string): boolean {
  const known = header(event, "if-none-match") ?? "";
  return known.split(",").some((each) => each.trim() === eTag || each.trim() === "*");
}

/**
 * A page of the Lambda's package, read with the first request for it.
 *
 * @param name as in components/lambda/pages.ts
 */
export function packagedPage(
  name: "link" | "console",
  environment: Environment<"BUCKET_NAME" | RuntimeVariable>,
): Page {
  const file = path.join(environment("LAMBDA_TASK_ROOT"), `${name}.page.json`);
  const bucket = bucketOrigin(environment("BUCKET_NAME"), environment("AWS_REGION"));
  const read = () => {
    const page = JSON.parse(readFileSync(file, "utf8")) as BuiltPage;
    const policy = contentSecurityPolicy(page, bucket);
    const digest = createHash("sha256").update(policy).update(page.html).digest("base64url");
    // Weak: API Gateway compresses it for some clients.
    return { ...page, policy, eTag: `W/"${digest}"` };
  };
  let loaded: ReturnType<typeof read> | undefined;

  return {
    html(event, statusCode = 200) {
      const { html, policy, eTag } = (loaded ??= read());
      const location = withoutSlash(event);
      if (location !== undefined) {
        return { statusCode: 308, headers: { ...EVERY_ANSWER, Location: location }, body: "" };
      }
      const headers = {
        ...EVERY_ANSWER,
        "Content-Security-Policy": policy,
        "Cache-Control": "no-cache",
        ETag: eTag,
        Vary: "Accept",
      };
      return statusCode === 200 && isUnchanged(event, eTag)
        ? { statusCode: 304, headers, body: "" }
        : {
            statusCode,
            headers: { ...headers, "Content-Type": "text/html; charset=utf-8" },
            body: html,
          };
    },
    script(name) {
      const { scripts } = (loaded ??= read());
      const text = Object.hasOwn(scripts, name) ? scripts[name] : undefined;
      if (text === undefined) {
        throw httpError(404, "not_found", "There is nothing here. Load the page again.");
      }
      return {
        statusCode: 200,
        headers: {
          ...EVERY_ANSWER,
          "Content-Type": "text/javascript; charset=utf-8",
          "Cache-Control": `public, max-age=${SCRIPT_MAX_AGE}, immutable`,
        },
        body: text,
      };
    },
  };
}
