import { createHmac, createSecretKey, hash, type KeyObject, timingSafeEqual } from "node:crypto";
import { AwsError } from "../awsError";
import type { HttpRequest } from "../http";
import { type ErrorFormat, errorFormatOf } from "./errors";

/** What a request's valid signature says about it. */
export interface SignedCall {
  accessKeyId: string;
  /** From the credential scope: `s3`, `dynamodb`, `sns`, `sqs`, `sts`, `lambda`, `logs`. */
  service: string;
  region: string;
  /** True for a signature in the query string, false for one in the Authorization header. */
  presigned: boolean;
}

/** What a form for S3 says about its policy's signature; nothing in it is proven yet. */
export interface PolicyClaim {
  /** As it came in the form: in base64, which is what is signed. */
  policy: string;
  algorithm: string;
  credential: string;
  /** yyyymmddThhmmssZ */
  timestamp: string;
  /** Hexadecimal digits. */
  signature: string;
  sessionToken: string | undefined;
}

/** The secret half of an access key. A session token is demanded where the key has one. */
export interface Secret {
  secretAccessKey: string;
  sessionToken?: string;
}

/** What the request itself claims; nothing in it is proven yet. */
interface Claim extends SignedCall {
  /** yyyymmdd, from the credential scope */
  date: string;
  signedHeaders: string[];
  signature: string;
  /** yyyymmddThhmmssZ */
  timestamp: string;
  sessionToken: string | undefined;
  /** Seconds a presigned request is good for. */
  expires: number;
}

type Scope = Pick<Claim, "accessKeyId" | "date" | "region" | "service">;

type Refusal = "incomplete" | "missing" | "unknownKey" | "badToken" | "mismatch" | "skewed";

const ALGORITHM = "AWS4-HMAC-SHA256";
const UNSIGNED_PAYLOAD = "UNSIGNED-PAYLOAD";
const MAX_SKEW_MS = 15 * 60 * 1000;
const MAX_EXPIRES_SECONDS = 7 * 24 * 60 * 60;

// The names under which S3 takes a body whose hash is not in the signature.
const S3_PAYLOAD_MARKS = new Set([
  UNSIGNED_PAYLOAD,
  "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
  "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
  "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
]);

// Source: the Common Errors page of each service's API reference.
const REFUSALS: Record<Refusal, Record<ErrorFormat, [code: string, status: number]>> = {
  incomplete: {
    s3: ["AuthorizationHeaderMalformed", 400],
    query: ["IncompleteSignature", 400],
    json: ["IncompleteSignatureException", 400],
  },
  missing: {
    s3: ["AccessDenied", 403],
    query: ["MissingAuthenticationToken", 403],
    json: ["MissingAuthenticationTokenException", 400],
  },
  unknownKey: {
    s3: ["InvalidAccessKeyId", 403],
    query: ["InvalidClientTokenId", 403],
    json: ["UnrecognizedClientException", 400],
  },
  badToken: {
    s3: ["InvalidToken", 400],
    query: ["InvalidClientTokenId", 403],
    json: ["UnrecognizedClientException", 400],
  },
  mismatch: {
    s3: ["SignatureDoesNotMatch", 403],
    query: ["SignatureDoesNotMatch", 403],
    json: ["InvalidSignatureException", 400],
  },
  skewed: {
    s3: ["RequestTimeTooSkewed", 403],
    query: ["SignatureDoesNotMatch", 403],
    json: ["InvalidSignatureException", 400],
  },
};

/** Whether the request carries a Signature Version 4, valid or not. */
export function isSigned(request: HttpRequest): boolean {
  return (
    request.headers.authorization?.startsWith("AWS4-") === true ||
    /[?&]X-Amz-(Algorithm|Credential|Signature)=/.test(request.url)
  );
}

/**
 * The service a request says it is for, by its credential scope or else by its looks: enough to
 * word an answer in that service's format, no proof of anything.
 */
export function claimedService(request: HttpRequest): string {
  const scope =
    /Credential=[^,\s]*?\/\d{8}\/[^/,\s]*\/([^/,\s]+)\//.exec(
      request.headers.authorization ?? "",
    ) ??
    /[?&]X-Amz-Credential=[^&]*?(?:%2F|\/)\d{8}(?:%2F|\/)[^&]*?(?:%2F|\/)([^&]+?)(?:%2F|\/)/i.exec(
      request.url,
    );
  if (scope?.[1]) {
    return scope[1];
  }

  const target = request.headers["x-amz-target"];
  if (target?.startsWith("DynamoDB")) {
    return "dynamodb";
  }
  if (target?.startsWith("AmazonSQS")) {
    return "sqs";
  }
  if (target?.startsWith("Logs_")) {
    return "logs";
  }
  const type = request.headers["content-type"];
  if (type?.startsWith("application/x-www-form-urlencoded")) {
    return "sns";
  }
  return "s3";
}

/**
 * Splits a request's URL into its raw path and its decoded query parameters, in their order.
 *
 * @throws AwsError InvalidURI 400 for a query that is not percent-encoded UTF-8
 */
export function splitUrl(url: string): { path: string; query: [name: string, value: string][] } {
  const mark = url.indexOf("?");
  if (mark < 0) {
    return { path: url, query: [] };
  }
  const query = url
    .slice(mark + 1)
    .split("&")
    .filter((pair) => pair !== "")
    .map((pair): [string, string] => {
      const equals = pair.indexOf("=");
      if (equals < 0) {
        return [decodeParameter(pair), ""];
      }
      return [decodeParameter(pair.slice(0, equals)), decodeParameter(pair.slice(equals + 1))];
    });
  return { path: url.slice(0, mark), query };
}

/**
 * Decodes one percent-encoded part of a URL.
 *
 * @throws AwsError InvalidURI 400 where it is not percent-encoded UTF-8
 */
export function decodeUri(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // The only thing decodeURIComponent can say is that its argument is malformed.
    throw new AwsError("InvalidURI", 400, `Couldn't parse the specified URI: ${text}`);
  }
}

/**
 * Checks a request's AWS Signature Version 4, in the Authorization header or presigned.
 *
 * Of a streaming upload to S3 (`STREAMING-…`) only the seed signature is checked; whoever decodes
 * the chunks may check theirs.
 *
 * @param secretOf the secret of an access key id, undefined for a key that does not exist
 * @param now the time to compare the request's own with, 15 minutes of difference allowed
 * @returns who signed, for which service and region; the caller judges both
 * @throws AwsError with the code and status the service itself would answer
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */
export function verifySignature(
  request: HttpRequest,
  secretOf: (accessKeyId: string) => Secret | undefined,
  now: Date,
): SignedCall {
  const { path, query } = splitUrl(request.url);
  const claim = readClaim(request, query);
  const { accessKeyId, service, region, presigned } = claim;

  checkTime(claim, now);
  checkSignedHeaders(request, claim);
  const secret = findSecret(claim, secretOf);

  const canonicalRequest = [
    request.method,
    service === "s3" ? canonicalS3Path(path) : canonicalPath(path),
    canonicalQuery(query, presigned),
    ...claim.signedHeaders.map((name) => `${name}:${canonicalHeader(request.headers[name])}`),
    "",
    claim.signedHeaders.join(";"),
    payloadHash(request, query, claim),
  ].join("\n");
  const stringToSign = [
    ALGORITHM,
    claim.timestamp,
    `${claim.date}/${region}/${service}/aws4_request`,
    hash("sha256", canonicalRequest),
  ].join("\n");
  checkSignature(secret, claim, stringToSign);
  return { accessKeyId, service, region, presigned };
}

/**
 * Checks the Signature Version 4 of a form's policy. The policy itself says until when it is good.
 *
 * @param secretOf as for {@link verifySignature}
 * @throws AwsError with the code and status S3 itself would answer
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-authentication-HTTPPOST.html
 */
export function verifyPolicySignature(
  claim: PolicyClaim,
  secretOf: (accessKeyId: string) => Secret | undefined,
): SignedCall {
  const { algorithm, credential, timestamp, signature, sessionToken, policy } = claim;
  if (algorithm !== ALGORITHM) {
    throw badParameter("Algorithm", `only ${ALGORITHM} is supported`);
  }
  const scope = parseScope(credential);
  if (scope?.service !== "s3") {
    throw badParameter(
      "Credential",
      "it must have the form <access key id>/<yyyymmdd>/<region>/s3/aws4_request",
    );
  }
  if (!/^\d{8}T\d{6}Z$/.test(timestamp) || !timestamp.startsWith(scope.date)) {
    throw badParameter("Date", `it must begin with the credential's date (${scope.date})`);
  }

  const secret = findSecret({ ...scope, sessionToken }, secretOf);
  checkSignature(secret, { ...scope, signature }, policy);
  const { accessKeyId, service, region } = scope;
  return { accessKeyId, service, region, presigned: true };
}

/** The error for a part of a form's signature that S3 cannot use. */
export function badParameter(name: string, why: string): AwsError {
  const message = `Error parsing the X-Amz-${name} parameter; ${why}`;
  return new AwsError("AuthorizationQueryParametersError", 400, message);
}

function findSecret(
  { service, accessKeyId, sessionToken }: Pick<Claim, "service" | "accessKeyId" | "sessionToken">,
  secretOf: (accessKeyId: string) => Secret | undefined,
): Secret {
  const secret = secretOf(accessKeyId);
  if (!secret) {
    throw refuse(
      service,
      "unknownKey",
      service === "s3"
        ? "The AWS Access Key Id you provided does not exist in our records."
        : "The security token included in the request is invalid.",
    );
  }
  if (!isEqual(sessionToken ?? "", secret.sessionToken ?? "")) {
    throw refuse(
      service,
      "badToken",
      service === "s3"
        ? "The provided token is malformed or otherwise invalid."
        : "The security token included in the request is invalid.",
    );
  }
  return secret;
}

function checkSignature(
  { secretAccessKey }: Secret,
  claim: Scope & Pick<Claim, "signature">,
  stringToSign: string,
): void {
  const expected = hmac(signingKey(secretAccessKey, claim), stringToSign).toString("hex");
  if (isEqual(expected, claim.signature)) {
    return;
  }
  throw refuse(
    claim.service,
    "mismatch",
    "The request signature we calculated does not match the signature you provided. Check your " +
      "AWS Secret Access Key and signing method.",
  );
}

function refuse(service: string, refusal: Refusal, message: string): AwsError {
  const [code, status] = REFUSALS[refusal][errorFormatOf(service)];
  return new AwsError(code, status, message);
}

/** The error for a call that should be signed and is not. */
export function missingSignature(service: string): AwsError {
  return refuse(service, "missing", "Request is missing Authentication Token");
}

function readClaim(request: HttpRequest, query: [string, string][]): Claim {
  const authorization = request.headers.authorization;
  if (authorization?.startsWith("AWS4-")) {
    return readHeaderClaim(request, authorization);
  }
  return readQueryClaim(request, new Map(query));
}

function readHeaderClaim(request: HttpRequest, authorization: string): Claim {
  const service = claimedService(request);
  const space = authorization.indexOf(" ");
  checkAlgorithm(service, authorization.slice(0, space));
  const parts = new Map(
    authorization
      .slice(space + 1)
      .split(",")
      .map((part): [string, string] => {
        const [name = "", value = ""] = part.trim().split(/=(.*)/s);
        return [name, value];
      }),
  );
  const timestamp = request.headers["x-amz-date"];
  return {
    ...readScope(service, parts.get("Credential")),
    presigned: false,
    signedHeaders: demand(service, "SignedHeaders", parts.get("SignedHeaders")).split(";"),
    signature: demand(service, "Signature", parts.get("Signature")),
    timestamp: demand(service, "an x-amz-date header", timestamp),
    sessionToken: request.headers["x-amz-security-token"],
    expires: 0,
  };
}

function readQueryClaim(request: HttpRequest, query: Map<string, string>): Claim {
  const service = claimedService(request);
  if (!query.has("X-Amz-Algorithm")) {
    throw missingSignature(service);
  }
  checkAlgorithm(service, query.get("X-Amz-Algorithm"));
  const expires = Number(query.get("X-Amz-Expires"));
  if (!(expires >= 0 && expires <= MAX_EXPIRES_SECONDS)) {
    throw new AwsError(
      "AuthorizationQueryParametersError",
      400,
      `X-Amz-Expires must be between 0 and ${MAX_EXPIRES_SECONDS} seconds (a week)`,
    );
  }
  return {
    ...readScope(service, query.get("X-Amz-Credential")),
    presigned: true,
    signedHeaders: demand(service, "X-Amz-SignedHeaders", query.get("X-Amz-SignedHeaders")).split(
      ";",
    ),
    signature: demand(service, "X-Amz-Signature", query.get("X-Amz-Signature")),
    timestamp: demand(service, "X-Amz-Date", query.get("X-Amz-Date")),
    sessionToken: query.get("X-Amz-Security-Token"),
    expires,
  };
}

function checkAlgorithm(service: string, algorithm: string | undefined): void {
  if (algorithm === ALGORITHM) {
    return;
  }
  throw service === "s3"
    ? new AwsError(
        "InvalidRequest",
        400,
        `The authorization mechanism you have provided is not supported. Please use ${ALGORITHM}.`,
      )
    : refuse(service, "incomplete", `Unsupported AWS 'algorithm': '${algorithm ?? ""}'`);
}

function readScope(service: string, credential: string | undefined): Scope {
  const scope = parseScope(credential ?? "");
  if (scope) {
    return scope;
  }
  throw refuse(
    service,
    "incomplete",
    "The credential must have the form <access key id>/<yyyymmdd>/<region>/<service>/aws4_request",
  );
}

function parseScope(credential: string): Scope | undefined {
  const scope = /^([^/]+)\/(\d{8})\/([^/]+)\/([^/]+)\/aws4_request$/.exec(credential);
  const [, accessKeyId, date, region, service] = scope ?? [];
  if (!accessKeyId || !date || !region || !service) {
    return undefined;
  }
  return { accessKeyId, date, region, service };
}

function demand(service: string, what: string, value: string | undefined): string {
  if (!value) {
    throw refuse(service, "incomplete", `The signature needs ${what}, which is missing`);
  }
  return value;
}

function checkTime(claim: Claim, now: Date): void {
  const { service, timestamp } = claim;
  const parts = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(timestamp);
  if (!parts || !timestamp.startsWith(claim.date)) {
    throw refuse(
      service,
      "incomplete",
      `The date must have the form yyyymmddThhmmssZ and begin with the credential's date ` +
        `(${claim.date}), not ${timestamp}`,
    );
  }
  const [, year, month, day, hour, minute, second] = parts.map(Number);
  const signed = Date.UTC(year ?? 0, (month ?? 0) - 1, day, hour, minute, second);
  const age = now.getTime() - signed;

  if (claim.presigned) {
    if (age < -MAX_SKEW_MS) {
      throw denied(service, "Request is not yet valid");
    }
    if (age > claim.expires * 1000) {
      throw denied(service, "Request has expired");
    }
    return;
  }
  if (Math.abs(age) <= MAX_SKEW_MS) {
    return;
  }
  throw refuse(
    service,
    "skewed",
    service === "s3"
      ? "The difference between the request time and the current time is too large."
      : `Signature expired: ${timestamp} is more than 15 minutes from ${now.toISOString()}`,
  );
}

function denied(service: string, message: string): AwsError {
  return service === "s3"
    ? new AwsError("AccessDenied", 403, message)
    : refuse(service, "skewed", message);
}

function checkSignedHeaders(request: HttpRequest, claim: Claim): void {
  const signed = new Set(claim.signedHeaders);
  // Otherwise whoever holds a presigned URL could add a copy source or tags to it. The payload's
  // hash is part of the signature in any case, and S3 lets its header be.
  const unsigned = ["host", ...Object.keys(request.headers).filter(isS3Header)].filter(
    (name) => !signed.has(name),
  );
  if (claim.service === "s3" && unsigned.length > 0) {
    throw new AwsError(
      "AccessDenied",
      403,
      `There were headers present in the request which were not signed: ${unsigned.join(", ")}`,
    );
  }
  if (!signed.has("host")) {
    throw refuse(
      claim.service,
      "mismatch",
      "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.",
    );
  }
}

function isS3Header(name: string): boolean {
  return name.startsWith("x-amz-") && name !== "x-amz-content-sha256";
}

/** The last line of the canonical request. */
function payloadHash(request: HttpRequest, query: [string, string][], claim: Claim): string {
  if (claim.service !== "s3") {
    return hash("sha256", request.body);
  }

  const header = request.headers["x-amz-content-sha256"];
  if (claim.presigned) {
    const signed = claim.signedHeaders.includes("x-amz-content-sha256") ? header : undefined;
    const declared = signed ?? query.find(([name]) => name === "X-Amz-Content-Sha256")?.[1];
    return checkedS3Payload(request.body, declared ?? UNSIGNED_PAYLOAD);
  }
  if (header === undefined) {
    throw new AwsError(
      "InvalidRequest",
      400,
      "Missing required header for this request: x-amz-content-sha256",
    );
  }
  return checkedS3Payload(request.body, header);
}

function checkedS3Payload(body: Buffer, declared: string): string {
  if (S3_PAYLOAD_MARKS.has(declared)) {
    return declared;
  }
  if (!/^[0-9a-f]{64}$/.test(declared)) {
    throw new AwsError(
      "InvalidArgument",
      400,
      "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, " +
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER or a " +
        `valid sha256 value, not ${declared}`,
    );
  }
  if (declared !== hash("sha256", body)) {
    throw new AwsError(
      "XAmzContentSHA256Mismatch",
      400,
      "The provided 'x-amz-content-sha256' header does not match what was computed.",
    );
  }
  return declared;
}

/** S3 signs a path encoded once, and leaves `//`, `.` and `..` alone: all of them make keys. */
function canonicalS3Path(path: string): string {
  return path
    .split("/")
    .map((segment) => encodeUri(decodeUri(segment)))
    .join("/");
}

/** Every other service signs the normalised path, encoded once more than it was sent. */
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
      segments.push(encodeUri(segment));
    }
  }
  return `/${segments.join("/")}${segments.length > 0 && path.endsWith("/") ? "/" : ""}`;
}

function canonicalQuery(query: [string, string][], presigned: boolean): string {
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

function canonicalHeader(value: string | undefined): string {
  return (value ?? "").trim().replaceAll(/\s+/g, " ");
}

/** Percent-encodes all but RFC 3986's unreserved characters, as Signature Version 4 demands. */
function encodeUri(text: string): string {
  return encodeURIComponent(text).replaceAll(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function decodeParameter(text: string): string {
  return decodeUri(text.replaceAll("+", " "));
}

function isEqual(a: string, b: string): boolean {
  const [x, y] = [Buffer.from(a), Buffer.from(b)];
  return x.length === y.length && timingSafeEqual(x, y);
}

function hmac(key: string | Buffer | KeyObject, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}

// Deriving a key takes four HMACs and its result is good for a day; a runner has a few dozen keys.
// As a key object, it is not prepared for each signature again, which takes longer than the HMAC.
const signingKeys = new Map<string, KeyObject>();
const MAX_SIGNING_KEYS = 1000;

function signingKey(secretAccessKey: string, { date, region, service }: Scope): KeyObject {
  const name = [secretAccessKey, date, region, service].join("/");
  const known = signingKeys.get(name);
  if (known) {
    return known;
  }

  let bytes = hmac(`AWS4${secretAccessKey}`, date);
  for (const part of [region, service, "aws4_request"]) {
    bytes = hmac(bytes, part);
  }
  const key = createSecretKey(bytes);
  if (signingKeys.size >= MAX_SIGNING_KEYS) {
    signingKeys.clear();
  }
  signingKeys.set(name, key);
  return key;
}
