import { AwsError } from "../awsError";
import type { ServiceErrors } from "../gateway/service";
import type { HttpRequest } from "../http";
import { denialMessage, refusalsIn } from "./refusals";

/** Settings of a service that speaks AWS's JSON protocol. */
export interface JsonErrorOptions {
  /** Of its error types. @default "com.amazon.coral.service" */
  namespace?: string;
  /** @default "application/x-amz-json-1.0" */
  contentType?: string;
  /** @default AccessDeniedException 400 */
  denied?: [code: string, status: number];
  /** The code of an internal error. @default "InternalFailure" */
  internal?: string;
  /** Further headers of an error. @default none */
  headersOf?: (error: AwsError) => Record<string, string>;
}

const CORAL = "com.amazon.coral.service";

// These are answered by the framework before the services themselves, and carry its namespace.
const CORAL_CODES = new Set([
  "AccessDeniedException",
  "IncompleteSignatureException",
  "InternalFailure",
  "InvalidSignatureException",
  "MissingAuthenticationTokenException",
  "SerializationException",
  "UnknownOperationException",
  "UnrecognizedClientException",
]);

/** The errors of a service that speaks the JSON protocol. */
export function jsonErrors(options: JsonErrorOptions = {}): ServiceErrors {
  const {
    namespace = CORAL,
    contentType = "application/x-amz-json-1.0",
    denied: [deniedCode, deniedStatus] = ["AccessDeniedException", 400],
    internal = "InternalFailure",
    headersOf,
  } = options;
  return {
    render: (error, requestId) => ({
      status: error.status,
      headers: {
        "content-type": contentType,
        "x-amzn-errortype": error.code,
        "x-amzn-requestid": requestId,
        ...headersOf?.(error),
      },
      body: Buffer.from(
        JSON.stringify({
          __type: `${namespaceOf(error.code) ?? namespace}#${error.code}`,
          message: error.message,
        }),
      ),
    }),
    refuse,
    deny: (denial) => new AwsError(deniedCode, deniedStatus, denialMessage(denial)),
    internal,
  };
}

function namespaceOf(code: string): string | undefined {
  if (code === "ValidationException") {
    return "com.amazon.coral.validate";
  }
  return CORAL_CODES.has(code) ? CORAL : undefined;
}

// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/CommonErrors.html
const refuse = refusalsIn({
  algorithm: ["IncompleteSignatureException", 400],
  badToken: ["UnrecognizedClientException", 400],
  expired: ["InvalidSignatureException", 400],
  incomplete: ["IncompleteSignatureException", 400],
  mismatch: ["InvalidSignatureException", 400],
  missing: ["MissingAuthenticationTokenException", 400],
  skewed: ["InvalidSignatureException", 400],
  unknownKey: ["UnrecognizedClientException", 400],
  wrongRegion: ["InvalidSignatureException", 400, (general) => `Credential: ${general}`],
});

/** A JSON object. */
export type JsonRecord = Record<string, unknown>;

/** @throws AwsError SerializationException 400 for a body that is no JSON object */
export function jsonOf(request: HttpRequest): JsonRecord {
  let body: unknown;
  try {
    body = JSON.parse(request.body.toString("utf8"));
  } catch {
    // The place of the syntax error is of no use to a caller that did not write it by hand.
    throw new AwsError("SerializationException", 400, "The request's body is not JSON");
  }
  return asRecord(body);
}

/** @throws AwsError SerializationException 400 for anything but an object or a list */
export function asRecord(value: unknown): JsonRecord {
  if (typeof value === "object" && value !== null) {
    return value as JsonRecord;
  }
  throw new AwsError("SerializationException", 400, "The request's body is not of the right shape");
}

/** @throws AwsError ValidationException 400 for a parameter that is no text, or empty */
export function textIn(body: JsonRecord, name: string): string {
  const value = body[name];
  if (typeof value === "string" && value !== "") {
    return value;
  }
  throw validationError(`The parameter '${name}' is required but was not present in the request`);
}

/** ValidationException 400. */
export function validationError(message: string): AwsError {
  return new AwsError("ValidationException", 400, message);
}
