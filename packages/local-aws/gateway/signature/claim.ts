import { AwsError } from "../../awsError";
import type { HttpRequest } from "../../http";
import type { QueryParameters } from "../../url";
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

/** Whether the request carries a Signature Version 4, valid or not. */
export function isSigned(request: HttpRequest): boolean {
  return (
    request.headers.authorization?.startsWith("AWS4-") === true ||
    /[?&]X-Amz-(Algorithm|Credential|Signature)=/.test(request.url)
  );
}

/** The service in a request's credential scope; undefined where it has none that can be read. */
export function claimedService(request: HttpRequest): string | undefined {
  const scope =
    /Credential=[^,\s]*?\/\d{8}\/[^/,\s]*\/([^/,\s]+)\//.exec(
      request.headers.authorization ?? "",
    ) ??
    /[?&]X-Amz-Credential=[^&]*?(?:%2F|\/)\d{8}(?:%2F|\/)[^&]*?(?:%2F|\/)([^&]+?)(?:%2F|\/)/i.exec(
      request.url,
    );
  return scope?.[1];
}

/** @throws AwsError for an incomplete signature */
export function readClaim(
  errors: ServiceErrors,
  request: HttpRequest,
  query: QueryParameters,
): Claim {
  const { authorization } = request.headers;
  return authorization?.startsWith("AWS4-")
    ? readHeaderClaim(errors, request, authorization)
    : readQueryClaim(errors, new Map(query));
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
  const space = authorization.indexOf(" ");
  checkAlgorithm(errors, authorization.slice(0, space));
  const parts = new Map(
    authorization
      .slice(space + 1)
      .split(",")
      .map((part): [string, string] => {
        const [name = "", value = ""] = part.trim().split(/=(.*)/s);
        return [name, value];
      }),
  );
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

function readQueryClaim(errors: ServiceErrors, query: Map<string, string>): Claim {
  if (!query.has("X-Amz-Algorithm")) {
    throw missingSignature(errors);
  }
  checkAlgorithm(errors, query.get("X-Amz-Algorithm"));
  const expires = Number(query.get("X-Amz-Expires"));
  if (!(expires >= 0 && expires <= MAX_EXPIRES_SECONDS)) {
    throw new AwsError(
      "AuthorizationQueryParametersError",
      400,
      `X-Amz-Expires must be between 0 and ${MAX_EXPIRES_SECONDS} seconds (a week)`,
    );
  }
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
