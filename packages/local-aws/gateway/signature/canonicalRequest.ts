import { hash } from "node:crypto";
import type { HttpRequest } from "../../http";
import { encodeRawBytes, encodeUri, type QueryParameters, splitUrl } from "../../url";
import type { SigningRules } from "../service";
import type { Claim } from "./claim";

/** The rules of all services but S3: the path normalized, and the whole body hashed. */
export const COMMON_RULES: SigningRules = {
  canonicalPath,
  payloadHash: ({ body }) => hash("sha256", body),
};

/**
 * The bytes whose hash is signed.
 *
 * @throws AwsError what the service's payload hash throws
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */
export function canonicalRequest(
  { canonicalPath: pathOf, payloadHash }: SigningRules,
  request: HttpRequest,
  { path, query }: ReturnType<typeof splitUrl>,
  claim: Claim,
): Buffer {
  const text = [
    request.method,
    pathOf(path),
    canonicalQuery(query, claim.presigned),
    ...claim.signedHeaders.map((name) => `${name}:${canonicalHeader(request.headers, name)}`),
    "",
    claim.signedHeaders.join(";"),
    payloadHash(request, claim, query),
  ].join("\n");
  // All but the headers is ASCII, and a header's characters are its bytes.
  return Buffer.from(text, "latin1");
}

/** The normalized path, encoded once more than it was sent. */
function canonicalPath(path: string): string {
  if (path === "/") {
    return path;
  }
  const segments: string[] = [];
  for (const segment of path.split("/")) {
    if (segment === "" || segment === ".") {
      continue;
    }
    if (segment === "..") {
      segments.pop();
    } else {
      // Bytes that were sent as they are get their first encoding.
      segments.push(encodeRawBytes(segment.replaceAll(/[^\u0080-\u00ff]+/g, encodeUri)));
    }
  }
  return `/${segments.join("/")}${segments.length > 0 && path.endsWith("/") ? "/" : ""}`;
}

function canonicalQuery(query: QueryParameters, presigned: boolean): string {
  return query
    .filter(([name]) => !(presigned && name === "X-Amz-Signature"))
    .map(([name, value]): [string, string] => [encodeUri(name), encodeUri(value)])
    .sort(([a, x], [b, y]) => compare(a, b) || compare(x, y))
    .map((pair) => pair.join("="))
    .join("&");
}

function compare(a: string, b: string): number {
  if (a === b) {
    return 0;
  }
  return a < b ? -1 : 1;
}

function canonicalHeader(headers: HttpRequest["headers"], name: string): string {
  const value = Object.hasOwn(headers, name) ? headers[name] : undefined;
  return (value ?? "").trim().replaceAll(/ +/g, " ");
}
