import type { AwsError } from "../awsError";
import type { HttpRequest, HttpResponse, ReceiveBody } from "../http";
import type { Principal } from "../iam/principal";
import type { QueryParameters } from "../url";

/** Region and account of a call's resources. */
export interface Place {
  region: string;
  accountId: string;
}

/** One permission that a call needs. */
export interface Grant {
  /** The IAM action, which is not always the operation's name. */
  action: string;
  /** The exact ARN, or `*` for an action without a resource. */
  resource: string;
  /** Condition keys of this action, such as `s3:prefix`. */
  context?: Record<string, string>;
}

/** A request, as its service reads it. */
export interface Call {
  /** `service:Operation`; an unknown operation gets a name in the pattern of the others. */
  operation: string;
  /**
   * The IAM actions that the call needs, all of them, with their resources.
   *
   * @throws AwsError NotImplemented 501, naming the operation, for one that is not served;
   *   ValidationException and its like 400 for a request that names no resource
   * @see https://docs.aws.amazon.com/service-authorization/latest/reference/
   */
  grants: (place: Place) => Grant[];
}

/** A service's API: its names, errors, signing rules and permissions, without an engine. */
export interface ServiceApi {
  /** As in a credential scope: `s3`, `dynamodb`, … */
  name: string;
  errors: ServiceErrors;
  /** The errors of a request in another protocol than the service's usual one. @default `errors` */
  errorsOf?: (request: HttpRequest) => ServiceErrors;
  signing: SigningRules;
  /** Whether a request without a credential scope looks like one for this service. */
  recognizes: (request: HttpRequest) => boolean;
  /** @throws AwsError for a request that cannot be read at all */
  read: (request: HttpRequest) => Call;
}

/** A call to a service that has an engine. */
export interface ServedCall extends Call {
  /** Carries the call out. An AwsError it throws is answered in the service's own form. */
  forward: (principal: Principal) => Promise<HttpResponse>;
  /** Permissions without which the caller may not see this answer. @default none */
  grantsToSee?: (response: HttpResponse) => Grant[];
}

/** A call whose signature is in its body. */
export interface SelfSignedCall extends ServedCall {
  /**
   * Checks the signature, and that it is for `region`.
   *
   * @throws AwsError where the signature does not hold
   */
  verify: (secretOf: SecretOf, region: string) => SignedCall;
}

/** A request without a signature in header or URL that still belongs to a service. */
export type UnsignedRequest =
  | { call: SelfSignedCall }
  /** Answered without authorization; an AwsError it throws is answered in the service's form. */
  | { answer: () => HttpResponse };

/** A service behind the gateway. */
export interface Service extends ServiceApi {
  read: (request: HttpRequest) => ServedCall;
  /** Undefined for a request that is not this service's. Does not read the body. */
  unsigned?: (request: HttpRequest) => UnsignedRequest | undefined;
  /**
   * What receives a request's body if it is large.
   *
   * @param request without its body
   * @default large bodies are kept in memory, too
   */
  receiverOf?: (request: HttpRequest) => ReceiveBody | undefined;
  /** Adds to each of the service's answers, errors included. */
  decorate?: (request: HttpRequest, response: HttpResponse) => HttpResponse;
}

/** Why a signature is refused. */
export type Refusal =
  | "algorithm"
  | "badToken"
  | "expired"
  | "incomplete"
  | "mismatch"
  | "missing"
  | "skewed"
  | "unknownKey"
  | "wrongRegion";

/** A permission that a caller does not have. */
export interface Denial {
  principalArn: string;
  action: string;
  resource: string;
  /** Completes the sentence "… is not authorized to perform: … on resource: …". */
  reason: string;
}

/** A service's own errors: their codes, statuses and wire format. */
export interface ServiceErrors {
  /**
   * Puts an error in the service's wire format, so that an SDK client throws an error whose `name`
   * is `error.code`.
   *
   * @param requestId ends up in the client's `$metadata.requestId`
   */
  render: (error: AwsError, requestId: string) => HttpResponse;
  /**
   * @param message the general one; a service may have its own
   * @param details for the services whose errors have them
   */
  refuse: (refusal: Refusal, message: string, details?: AwsError["details"]) => AwsError;
  deny: (denial: Denial) => AwsError;
  /** The code of an internal error (500). */
  internal: string;
  /** The code of a temporary failure (503), which clients retry. @default as `internal` */
  unavailable?: string;
}

/** What a valid signature says about its request. */
export interface SignedCall {
  accessKeyId: string;
  /** From the credential scope: `s3`, `dynamodb`, … */
  service: string;
  region: string;
  /** True for a signature in the query string or a form, false for one in the header. */
  presigned: boolean;
}

/** The secret half of an access key. A session token is demanded where the key has one. */
export interface Secret {
  secretAccessKey: string;
  sessionToken?: string;
}

/** The secret of an access key id; undefined for a key that does not exist. */
export type SecretOf = (accessKeyId: string) => Secret | undefined;

/** A service's own rules of Signature Version 4. */
export interface SigningRules {
  /** @param path raw, as it was sent */
  canonicalPath: (path: string) => string;
  /** The last line of the canonical request. @throws AwsError for a hash of another body */
  payloadHash: (
    request: HttpRequest,
    claim: { presigned: boolean; signedHeaders: readonly string[] },
    query: QueryParameters,
  ) => string;
  /** @throws AwsError for a request with headers that should be signed and are not */
  checkSignedHeaders?: (request: HttpRequest, signed: ReadonlySet<string>) => void;
  /**
   * Whether a call may be signed for this region, though it is for another one.
   *
   * @default false
   */
  takesRegion?: (request: HttpRequest, region: string) => boolean;
  /**
   * Checks the signatures in the body, the first of which is based on the request's own.
   *
   * @throws AwsError for a signature that does not hold
   */
  checkBody?: (request: HttpRequest, seed: SeedSignature) => void;
}

/** A request's valid signature, as the base of those in its body. */
export interface SeedSignature {
  /** In hexadecimal digits. */
  signature: string;
  /** yyyymmddThhmmssZ */
  timestamp: string;
  /** `<yyyymmdd>/<region>/<service>/aws4_request` */
  scope: string;
  /** @throws AwsError where `signature` is not the one of this text */
  check: (signature: string, stringToSign: string) => void;
}
