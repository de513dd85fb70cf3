import { randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { AwsError } from "../awsError";
import type { HttpRequest, HttpResponse } from "../http";
import { evaluate, type PolicyDocument } from "../iam/policy";
import { anonymousRefusal, type BucketPath, bucketPathOf, type Buckets } from "../s3/buckets";
import { answerPreflight, corsHeaders } from "../s3/cors";
import { isPostForm, readPostForm } from "../s3/postForm";
import { checkPostPolicy, verifyPostForm } from "../s3/postPolicy";
import { describeCall, formGrants, type Grant, requiredGrants } from "./actions";
import { errorCodeOf, errorFormatOf, renderError } from "./errors";
import {
  badParameter,
  claimedService,
  isSigned,
  missingSignature,
  type Secret,
  type SignedCall,
  verifySignature,
} from "./signature";

/** Who calls, by the access key the call is signed with. */
export interface Principal {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string;
  /** The ARN of a user, a role or a role's session. */
  arn: string;
  /** `"all"` may do everything: the operator's own keys. */
  policies: PolicyDocument[] | "all";
  /** Whose role's keys these are, for those who watch the calls. */
  functionName?: string;
}

/** One signed call, as it ended; a form with a signed policy is one, too. */
export interface ServiceCall {
  service: string;
  /** `service:Operation` */
  operation: string;
  /** Undefined where the signature did not hold. */
  principalArn: string | undefined;
  functionName?: string;
  /** 0 where the connection was reset. */
  status: number;
  /** `ConnectionReset` where the connection was reset. */
  errorCode?: string;
  /** Milliseconds since 1970, UTC. */
  startedAt: number;
  /** Milliseconds from the request's last byte to the whole response. */
  durationMs: number;
  requestBytes: number;
}

/** A signed and allowed call, about to be forwarded. */
export interface AllowedCall {
  service: string;
  /** `service:Operation` */
  operation: string;
  principal: Principal;
  request: HttpRequest;
}

/** Thrown by what comes between a call and its backend: the caller's connection is reset. */
export class ConnectionReset extends Error {
  override readonly name = "ConnectionReset";
}

/**
 * Comes between an allowed call and its backend: the place for faults. An AwsError it throws is
 * answered in the service's own form; after a ConnectionReset nothing is answered.
 */
export type Interceptor = (
  call: AllowedCall,
  forward: () => Promise<HttpResponse>,
) => Promise<HttpResponse>;

/** A service's engine. What it throws as AwsError is answered in the service's own form. */
export type Backend = (request: HttpRequest, principal: Principal) => Promise<HttpResponse>;

/** What stands behind the front door, and what it knows. */
export interface FrontDoorOptions {
  /** 0 takes a free port. */
  port: number;
  /** @default "127.0.0.1" */
  host?: string;
  region: string;
  accountId: string;
  principals: { find(accessKeyId: string): Principal | undefined };
  /** By the service's name in a credential scope: `s3`, `dynamodb`, `sns`, … */
  backends: Partial<Record<string, Backend>>;
  /** The policy a resource itself has, by its ARN. */
  resourcePolicyOf?: (resourceArn: string) => PolicyDocument | undefined;
  /** Whose paths belong to S3, also without a signature. @default there are none */
  buckets?: Buckets;
  /** Everything that carries no signature and is not S3's: REST APIs, pages. */
  unsigned: (request: HttpRequest) => Promise<HttpResponse>;
  /** Is told of every signed call, denied and failed ones included. */
  observe?: (call: ServiceCall) => void;
  /** @default forwards */
  intercept?: Interceptor;
  /**
   * Is told of everything that should not happen, with the id the caller got for it.
   *
   * @default writes to stderr
   */
  onError?: (error: unknown, where: string) => void;
  /** In bytes. @default 512 MiB */
  maxBodyBytes?: number;
}

/** The HTTP server all clients of the local services talk to. */
export interface FrontDoor {
  /**
   * Starts to listen.
   *
   * @throws the server's own error, such as EADDRINUSE
   */
  listen(): Promise<{ port: number; url: string }>;
  /** Ends every connection at once, busy ones too. */
  close(): Promise<void>;
}

const MAX_BODY_BYTES = 512 * 1024 * 1024;

// SDK clients keep connections for reuse. With Node's five seconds a client now and then writes to
// a connection that is just being closed, and sees ECONNRESET.
const KEEP_ALIVE_MS = 75_000;

const HOP_HEADERS = new Set(["connection", "keep-alive", "transfer-encoding"]);

/** Makes the front door; nothing listens before `listen()`. */
export function createFrontDoor(options: FrontDoorOptions): FrontDoor {
  const host = options.host ?? "127.0.0.1";
  const onError = options.onError ?? logError;
  const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, (incoming, outgoing) => {
    serve(options, onError, incoming, outgoing).catch((error: unknown) => {
      // Only the writing of the response is left to fail, so there is no answer to give any more.
      onError(error, `${incoming.method ?? ""} ${incoming.url ?? ""}`);
      outgoing.destroy();
    });
  });

  return {
    listen: () =>
      new Promise((resolve, reject) => {
        server.once("error", reject);
        server.listen(options.port, host, () => {
          server.off("error", reject);
          server.on("error", (error) => {
            onError(error, "front door");
          });
          const { port } = server.address() as AddressInfo;
          resolve({ port, url: `http://${host}:${port}` });
        });
      }),
    close: () =>
      new Promise((resolve) => {
        // Its only error is that the server does not listen, which is what is wanted.
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  };
}

type OnError = (error: unknown, where: string) => void;

async function serve(
  options: FrontDoorOptions,
  onError: OnError,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  const limit = options.maxBodyBytes ?? MAX_BODY_BYTES;
  const request: HttpRequest = {
    method: incoming.method ?? "GET",
    url: incoming.url ?? "/",
    headers: headersOf(incoming),
    body: Buffer.alloc(0),
  };
  const body = await readBody(incoming, limit);
  if (body === "aborted") {
    return;
  }
  if (body === "too large") {
    const error = new AwsError(
      "EntityTooLarge",
      413,
      `Your proposed upload exceeds the maximum allowed size of ${limit} bytes`,
    );
    // A form for a bucket names no service.
    const service = knownBucketOf(options, request) === undefined ? claimedService(request) : "s3";
    const refusal = renderError(service, error, newRequestId());
    send(outgoing, request.method, withCors(options, request, refusal));
    return;
  }
  request.body = body;
  const response = await answer(options, onError, request);
  if (response === "reset") {
    incoming.socket.resetAndDestroy();
    return;
  }
  send(outgoing, request.method, withCors(options, request, response));
}

/** The bucket that a request leads to, if there is one of that name. */
function knownBucketOf({ buckets }: FrontDoorOptions, request: HttpRequest): string | undefined {
  const { bucket } = bucketPathOf(request) ?? {};
  return bucket !== undefined && buckets?.has(bucket) ? bucket : undefined;
}

/** Lets the sites that a bucket allows read what it answers, errors included. */
function withCors(
  options: FrontDoorOptions,
  request: HttpRequest,
  response: HttpResponse,
): HttpResponse {
  const bucket = knownBucketOf(options, request);
  if (bucket === undefined) {
    return response;
  }
  const rules = options.buckets?.corsRulesOf(bucket);
  const cors = corsHeaders(rules, request.method, request.headers);
  return { ...response, headers: { ...response.headers, ...cors } };
}

async function answer(
  options: FrontDoorOptions,
  onError: OnError,
  request: HttpRequest,
): Promise<HttpResponse | "reset"> {
  if (isSigned(request)) {
    return answerCall(options, onError, signedCall(options, request));
  }
  const path = options.buckets && bucketPathOf(request);
  if (!path) {
    return answerUnsigned(options, onError, request);
  }
  if (isFormUpload(request, path)) {
    return answerCall(options, onError, formCall(options, path.bucket, request));
  }
  return options.buckets?.has(path.bucket)
    ? answerAnonymous(options, onError, request, path)
    : answerUnsigned(options, onError, request);
}

function isFormUpload({ method, headers }: HttpRequest, { key }: BucketPath): boolean {
  return method === "POST" && key === "" && isPostForm(headers["content-type"]);
}

/** S3 knows no one without a signature here, but tells browsers which sites may ask. */
function answerAnonymous(
  options: FrontDoorOptions,
  onError: OnError,
  request: HttpRequest,
  path: BucketPath,
): HttpResponse {
  try {
    if (request.method !== "OPTIONS") {
      throw anonymousRefusal(request, path);
    }
    const rules = options.buckets?.corsRulesOf(path.bucket);
    return answerPreflight(rules, request.headers, path.key === "" ? "BUCKET" : "OBJECT");
  } catch (error) {
    return renderFailure(onError, request, "s3", "s3", error);
  }
}

async function answerUnsigned(
  options: FrontDoorOptions,
  onError: OnError,
  request: HttpRequest,
): Promise<HttpResponse> {
  // Only clients of AWS services send this header, and no REST API of the program wants it.
  const isServiceCall = request.headers["x-amz-target"] !== undefined;
  const service = isServiceCall ? claimedService(request) : "execute-api";
  try {
    if (isServiceCall) {
      throw missingSignature(service);
    }
    return await options.unsigned(request);
  } catch (error) {
    return renderFailure(onError, request, service, service, error);
  }
}

/** A call to a service, and how it says who sends it. */
interface Call {
  service: string;
  request: HttpRequest;
  /** `service:Operation` */
  describe: () => string;
  /** @throws AwsError where the signature does not hold */
  identify: () => Identified;
}

interface Identified {
  principal: Principal;
  /** @throws AwsError for a request that does not say what it is about, or must not ask for it */
  grants: () => Grant[];
}

function signedCall(options: FrontDoorOptions, request: HttpRequest): Call {
  const service = claimedService(request);
  return {
    service,
    request,
    describe: () => describeCall(service, request),
    identify: () => ({
      principal: identify(options, request),
      grants: () => requiredGrants(service, request, options),
    }),
  };
}

/** A form is signed by its policy, which also says what may be in the form. */
function formCall(options: FrontDoorOptions, bucket: string, request: HttpRequest): Call {
  return {
    service: "s3",
    request,
    describe: () => "s3:PostObject",
    identify: () => {
      if (!options.buckets?.has(bucket)) {
        const message = "The specified bucket does not exist";
        throw new AwsError("NoSuchBucket", 404, message, { BucketName: bucket });
      }
      const form = readPostForm(request.headers["content-type"], request.body);
      const { principal, region } = findSigner(options, (secretOf) =>
        verifyPostForm(form, secretOf),
      );
      if (region !== options.region) {
        throw badParameter(
          "Credential",
          `the region '${region}' is wrong; expecting '${options.region}'`,
        );
      }
      return {
        principal,
        grants: () => {
          checkPostPolicy(form, bucket, new Date());
          return formGrants(bucket, form);
        },
      };
    },
  };
}

async function answerCall(
  options: FrontDoorOptions,
  onError: OnError,
  { service, request, describe, identify: identifyCaller }: Call,
): Promise<HttpResponse | "reset"> {
  const startedAt = Date.now();
  const start = performance.now();
  let operation = `${service}:Unknown`;
  let principal: Principal | undefined;
  let response: HttpResponse | "reset";
  try {
    operation = describe();
    const identified = identifyCaller();
    principal = identified.principal;
    const backend = options.backends[service];
    if (!backend) {
      throw new AwsError("NotImplemented", 501, `${service} is not served on one machine`);
    }
    const grants = identified.grants();
    for (const grant of grants) {
      authorize(options, service, principal, grant);
    }
    const caller = principal;
    const call: AllowedCall = { service, operation, principal: caller, request };
    const forward = (): Promise<HttpResponse> => backend(request, caller);
    response = await (options.intercept?.(call, forward) ?? forward());
    hideMissingObject(options, call, grants, response);
  } catch (error) {
    response =
      error instanceof ConnectionReset
        ? "reset"
        : renderFailure(onError, request, operation, service, error);
  }

  try {
    options.observe?.({
      service,
      operation,
      principalArn: principal?.arn,
      functionName: principal?.functionName,
      ...(response === "reset"
        ? { status: 0, errorCode: "ConnectionReset" }
        : { status: response.status, errorCode: errorCodeOf(response) }),
      startedAt,
      durationMs: performance.now() - start,
      requestBytes: request.body.length,
    });
  } catch (error) {
    // The call itself is done, and its caller is to know how it ended.
    onError(error, `observing ${operation}`);
  }
  return response;
}

/** @throws AwsError where the signature does not hold */
function identify(options: FrontDoorOptions, request: HttpRequest): Principal {
  const { principal, service, region } = findSigner(options, (secretOf) =>
    verifySignature(request, secretOf, new Date()),
  );
  if (region !== options.region) {
    const message = `The region '${region}' is wrong; expecting '${options.region}'`;
    throw errorFormatOf(service) === "json"
      ? new AwsError("InvalidSignatureException", 400, `Credential: ${message}`)
      : new AwsError(
          service === "s3" ? "AuthorizationHeaderMalformed" : "SignatureDoesNotMatch",
          service === "s3" ? 400 : 403,
          message,
        );
  }
  return principal;
}

/** @param verify tells whose signature it is; asks for the secret of that key alone */
function findSigner(
  { principals }: FrontDoorOptions,
  verify: (secretOf: (accessKeyId: string) => Secret | undefined) => SignedCall,
): SignedCall & { principal: Principal } {
  let principal: Principal | undefined;
  const signed = verify((accessKeyId) => (principal = principals.find(accessKeyId)));
  if (!principal) {
    throw new Error("A signature was accepted for an access key that does not exist");
  }
  return { ...signed, principal };
}

/** @throws AwsError in the code and the words of the service, where the grant is not given */
function authorize(
  options: FrontDoorOptions,
  service: string,
  principal: Principal,
  { action, resource, context }: Grant,
): void {
  if (principal.policies === "all") {
    return;
  }
  const verdict = evaluate({
    identityPolicies: principal.policies,
    resourcePolicy: options.resourcePolicyOf?.(resource),
    principalArn: principal.arn,
    action,
    resource,
    context: {
      // This endpoint stands for the services' HTTPS endpoints: a policy that demands TLS, as the
      // deployed clients use it, is to be met here too.
      "aws:SecureTransport": "true",
      "aws:PrincipalArn": principal.arn,
      "aws:PrincipalAccount": options.accountId,
      "aws:RequestedRegion": options.region,
      ...context,
    },
  });
  if (verdict.allowed) {
    return;
  }

  const [code, status] = DENIALS[service] ?? ["AccessDeniedException", 403];
  throw new AwsError(
    code,
    status,
    `User: ${principal.arn} is not authorized to perform: ${action} on resource: ` +
      `${service === "s3" ? `"${resource}"` : resource} ${verdict.reason}`,
  );
}

const DENIALS: Partial<Record<string, [code: string, status: number]>> = {
  dynamodb: ["AccessDeniedException", 400],
  logs: ["AccessDeniedException", 400],
  s3: ["AccessDenied", 403],
  sns: ["AuthorizationError", 403],
  sqs: ["AccessDenied", 403],
  sts: ["AccessDenied", 403],
};

/**
 * S3 tells only those who may list a bucket that an object is not there; to others it is denied.
 * A program that counts on NoSuchKey without that permission would fail on AWS alone.
 *
 * @throws AwsError AccessDenied for a caller who may not list the bucket
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
 */
function hideMissingObject(
  options: FrontDoorOptions,
  { operation, principal }: AllowedCall,
  grants: Grant[],
  response: HttpResponse,
): void {
  if (response.status !== 404) {
    return;
  }
  // The answer to a HEAD has no body to say what it is that does not exist.
  const isMissing =
    operation === "s3:HeadObject" ||
    (operation === "s3:GetObject" && errorCodeOf(response) === "NoSuchKey");
  if (!isMissing) {
    return;
  }
  for (const { resource } of grants) {
    const bucketArn = resource.slice(0, resource.indexOf("/"));
    authorize(options, "s3", principal, { action: "s3:ListBucket", resource: bucketArn });
  }
}

function renderFailure(
  onError: OnError,
  request: HttpRequest,
  where: string,
  service: string,
  error: unknown,
): HttpResponse {
  const requestId = newRequestId();
  if (error instanceof AwsError) {
    return renderError(service, error, requestId);
  }
  onError(error, `${where}: ${request.method} ${request.url} (request ${requestId})`);
  const code = INTERNAL_ERRORS[service] ?? "InternalFailure";
  const message = `An internal error occurred (request ${requestId})`;
  return renderError(service, new AwsError(code, 500, message), requestId);
}

const INTERNAL_ERRORS: Partial<Record<string, string>> = {
  dynamodb: "InternalServerError",
  s3: "InternalError",
};

function newRequestId(): string {
  return randomUUID();
}

function logError(error: unknown, where: string): void {
  console.error(`The front door failed at ${where}:`, error);
}

function headersOf(incoming: IncomingMessage): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(incoming.headers)) {
    if (value !== undefined) {
      headers[name] = Array.isArray(value) ? value.join(", ") : value;
    }
  }
  return headers;
}

/** Reads a body to its end; a backend never sees half a request. */
function readBody(
  incoming: IncomingMessage,
  limit: number,
): Promise<Buffer | "aborted" | "too large"> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    const announced = Number(incoming.headers["content-length"] ?? 0);
    // Of a large body there is not to be a second copy while its parts are put together.
    const whole = announced <= limit ? Buffer.allocUnsafe(announced) : undefined;
    let size = 0;
    incoming.on("data", (chunk: Buffer) => {
      const at = size;
      size += chunk.length;
      if (size <= limit) {
        if (announced > 0) {
          whole?.set(chunk, at);
        } else {
          chunks.push(chunk);
        }
        return;
      }
      // Read on without keeping it: an answer is lost on a client that is cut off while it writes.
      chunks.length = 0;
      resolve("too large");
    });
    if (!whole) {
      resolve("too large");
    }
    incoming.on("end", () => {
      resolve(announced > 0 && whole ? whole : Buffer.concat(chunks));
    });
    // 'close' without 'end' before it; 'error' comes with it and must have a listener.
    incoming.on("error", () => {
      resolve("aborted");
    });
    incoming.on("close", () => {
      resolve("aborted");
    });
  });
}

function send(outgoing: ServerResponse, method: string, response: HttpResponse): void {
  const { status, body } = response;
  const headers: Record<string, string | number> = {};
  for (const [name, value] of Object.entries(response.headers)) {
    const lower = name.toLowerCase();
    if (!HOP_HEADERS.has(lower)) {
      headers[lower] = value;
    }
  }
  if (status === 204 || status === 304) {
    delete headers["content-length"];
    outgoing.writeHead(status, headers).end();
    return;
  }
  if (method === "HEAD") {
    // It says how long the body of a GET would be, which only the backend knows.
    headers["content-length"] ??= body.length;
    outgoing.writeHead(status, headers).end();
    return;
  }
  headers["content-length"] = body.length;
  outgoing.writeHead(status, headers).end(body);
}
