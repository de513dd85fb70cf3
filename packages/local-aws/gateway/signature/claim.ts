import { AwsError } from "../../awsError";
import type { HttpRequest } from "../../http";
import { type QueryParameters, splitUrl } from "../../url";
import type { ServiceErrors, SignedCall } from "../service";

/** The one algorithm that is accepted. */
export const ALGORITHM = "AWS4-HMAC-SHA256";

/** `<access key id>/<yyyymmdd>/<region>/<service>/aws4_request`, in its parts. */
export interface Scope {
  accessKeyId: string;
  /** yyyymmdd */
  date: string;
  region: string;
  service: string;
}

/** A request's own statement of its signature, not verified. */
export interface Claim extends SignedCall, Scope {
  signedHeaders: string[];
  signature: string;
  /** yyyymmddThhmmssZ */
  timestamp: string;
  sessionToken: string | undefined;
  /** Seconds that a presigned request is valid for. */
  expires: number;
}

const MAX_EXPIRES_SECONDS = 7 * 24 * 60 * 60;

/** The parameters of a signature in a query. */
const PARAMETERS: ReadonlySet<string> = new Set([
  "X-Amz-Algorithm",
  "X-Amz-Credential",
  "X-Amz-Date",
  "X-Amz-Expires",
  "X-Amz-Security-Token",
  "X-Amz-Signature",
  "X-Amz-SignedHeaders",
]);

/** Whether a query's parameter belongs to its signature. */
export function isSignatureParameter(name: string): boolean {
  return PARAMETERS.has(name);
}

/**
 * Whether the request carries a Signature Version 4, valid or not. A browser's preflight has the URL of
 * a presigned request, whose signature is of another method: nobody checks it.
 */
export function isSigned(request: HttpRequest): boolean {
  const isPreflight = request.method === "OPTIONS";
  return isSignedInHeader(request) || (isPresigned(request.url) && !isPreflight);
}

/** Whether a URL carries a Signature Version 4, valid or not. */
export function isPresigned(url: string): boolean {
  return /[?&]X-Amz-(Algorithm|Credential|Signature)=/.test(url);
}

function isSignedInHeader({ headers }: Pick<HttpRequest, "headers">): boolean {
  return headers.authorization?.startsWith("AWS4-") === true;
}

/** The service in a request's credential scope; undefined where it has none that can be read. */
export function claimedService(request: HttpRequest): string | undefined {
  const credential = isSignedInHeader(request)
    ? headerParts(request.headers.authorization ?? "").find(([name]) => name === "Credential")?.[1]
    : credentialIn(request.url);
  return parseScope(credential ?? "")?.service;
}

function credentialIn(url: string): string | undefined {
  try {
    return splitUrl(url).query.find(([name]) => name === "X-Amz-Credential")?.[1];
  } catch (error) {
    if (error instanceof AwsError) {
      return undefined;
    }
    throw error;
  }
}

/** @throws AwsError for an incomplete signature, or more than one */
export function readClaim(
  errors: ServiceErrors,
  request: HttpRequest,
  query: QueryParameters,
): Claim {
  const inQuery = query.filter(([name]) => isSignatureParameter(name));
  if (!isSignedInHeader(request)) {
    return readQueryClaim(errors, uniqueParts(errors, inQuery));
  }
  if (inQuery.length > 0) {
    throw new AwsError(
      "InvalidArgument",
      400,
      "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query " +
        "string parameter or the Authorization header should be specified",
    );
  }
  return readHeaderClaim(errors, request, request.headers.authorization ?? "");
}

/** Undefined for a credential of another form. */
export function parseScope(credential: string): Scope | undefined {
  const scope = /^([^/]+)\/(\d{8})\/([^/]+)\/([^/]+)\/aws4_request$/.exec(credential);
  const [, accessKeyId, date, region, service] = scope ?? [];
  if (!accessKeyId || !date || !region || !service) {
    return undefined;
  }
  return { accessKeyId, date, region, service };
}

/** The error for a call that should be signed and is not. */
export function missingSignature(errors: ServiceErrors): AwsError {
  return errors.refuse("missing", "Request is missing Authentication Token");
}

function readHeaderClaim(
  errors: ServiceErrors,
  request: HttpRequest,
  authorization: string,
): Claim {
  checkAlgorithm(errors, authorization.split(" ", 1)[0]);
  const parts = uniqueParts(errors, headerParts(authorization));
  return {
    ...readScope(errors, parts.get("Credential")),
    presigned: false,
    signedHeaders: demand(errors, "SignedHeaders", parts.get("SignedHeaders")).split(";"),
    signature: demand(errors, "Signature", parts.get("Signature")),
    timestamp: demand(errors, "an x-amz-date header", request.headers["x-amz-date"]),
    sessionToken: request.headers["x-amz-security-token"],
    expires: 0,
  };
}

/** The parts after the algorithm. */
function headerParts(authorization: string): [name: string, value: string][] {
  const space = authorization.indexOf(" ");
  return authorization
    .slice(space + 1)
    .split(",")
    .map((part) => {
      const [name = "", value = ""] = part.trim().split(/=(.*)/s);
      return [name, value];
    });
}

/** Of a part that is there twice, one would be verified, and the other might be used. */
function uniqueParts(
  errors: ServiceErrors,
  parts: readonly [name: string, value: string][],
): Map<string, string> {
  const unique = new Map(parts);
  if (unique.size === parts.length) {
    return unique;
  }
  const twice = parts.find(([name], at) => parts.findIndex(([other]) => other === name) < at);
  throw errors.refuse("incomplete", `The signature has ${twice?.[0] ?? "a part"} more than once`);
}

function readQueryClaim(errors: ServiceErrors, query: Map<string, string>): Claim {
  if (!query.has("X-Amz-Algorithm")) {
    throw missingSignature(errors);
  }
  checkAlgorithm(errors, query.get("X-Amz-Algorithm"));
  const expires = readExpires(query.get("X-Amz-Expires"));
  const parameter = (name: string): string => demand(errors, name, query.get(name));
  return {
    ...readScope(errors, query.get("X-Amz-Credential")),
    presigned: true,
    signedHeaders: parameter("X-Amz-SignedHeaders").split(";"),
    signature: parameter("X-Amz-Signature"),
    timestamp: parameter("X-Amz-Date"),
    sessionToken: query.get("X-Amz-Security-Token"),
    expires,
  };
}

/** Seconds. */
function readExpires(text = ""): number {
  const expires = Number(text);
  if (/^\d+$/.test(text) && expires >= 1 && expires <= MAX_EXPIRES_SECONDS) {
    return expires;
  }
  throw new AwsError(
    "AuthorizationQueryParametersError",
    400,
    `X-Amz-Expires must be a number of seconds from 1 to ${MAX_EXPIRES_SECONDS} (a week)`,
  );
}

function checkAlgorithm(errors: ServiceErrors, algorithm: string | undefined): void {
  if (algorithm !== ALGORITHM) {
    throw errors.refuse("algorithm", `Unsupported AWS 'algorithm': '${algorithm ?? ""}'`);
  }
}

function readScope(errors: ServiceErrors, credential: string | undefined): Scope {
  const scope = parseScope(credential ?? "");
  if (scope) {
    return scope;
  }
  throw errors.refuse(
    "incomplete",
    "The credential must have the form <access key id>/<yyyymmdd>/<region>/<service>/aws4_request",
  );
}

function demand(errors: ServiceErrors, what: string, value: string | undefined): string {
  if (!value) {
    throw errors.refuse("incomplete", `The signature needs ${what}, which is missing`);
  }
  return value;
}
