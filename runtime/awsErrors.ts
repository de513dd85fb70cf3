import type { EventError } from "../events/event";

/** The fields of the SDK's errors that handlers use. */
interface ServiceError {
  name: string;
  message: string;
  stack?: string;
  /** Node's error code, for failures below HTTP. */
  code?: string;
  $metadata?: { httpStatusCode?: number; attempts?: number };
  /** Of a cancelled transaction: one for each of its items, `None` for those without an error. */
  CancellationReasons?: { Code?: string }[];
}

const THROTTLING = [
  "LimitExceededException",
  "ProvisionedThroughputExceededException",
  "RequestLimitExceeded",
  "SlowDown",
  "Throttled",
  "ThrottledException",
  "Throttling",
  "ThrottlingException",
  "TooManyRequestsException",
  "TransactionInProgressException",
];

/** S3's errors that ask for a retry with status 400 or 409. */
const RETRYABLE = ["ConditionalRequestConflict", "RequestTimeout"];

/** Node's error codes for connections that failed or broke. */
const CONNECTION_CODES = [
  "EAI_AGAIN",
  "ECONNABORTED",
  "ECONNREFUSED",
  "ECONNRESET",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENOTFOUND",
  "EPIPE",
  "ETIMEDOUT",
];

function isConnectionError(error: ServiceError): boolean {
  return error.name === "TimeoutError" || CONNECTION_CODES.includes(error.code ?? "");
}

/** Any thrown value as an error with name and message. */
export function asError(thrown: unknown): ServiceError {
  return thrown instanceof Error ? thrown : { name: "Error", message: String(thrown) };
}

/** Whether a conditional write failed because its condition was false. */
export function isConditionFailed(thrown: unknown): boolean {
  return asError(thrown).name === "ConditionalCheckFailedException";
}

/** Why each item of a transaction was refused, such as `ConditionalCheckFailed`; empty for other errors. */
export function cancellationsOf(thrown: unknown): (string | undefined)[] {
  return asError(thrown).CancellationReasons?.map(({ Code }) => Code) ?? [];
}

/** Resolves to false where the condition of the write was false. */
export async function unlessConditionFailed(call: Promise<unknown>): Promise<boolean> {
  try {
    await call;
    return true;
  } catch (error) {
    if (isConditionFailed(error)) {
      return false;
    }
    throw error;
  }
}

/** Whether the same call may succeed later: throttling, a server error, no connection. */
export function isTransient(thrown: unknown): boolean {
  const error = asError(thrown);
  const status = error.$metadata?.httpStatusCode ?? 0;
  return (
    status >= 500 ||
    status === 429 ||
    THROTTLING.includes(error.name) ||
    RETRYABLE.includes(error.name) ||
    isConnectionError(error)
  );
}

/**
 * Whether DynamoDB refuses this write for good, such as one by which the row would have more than its
 * 400 KB. A redelivery of the record would only hold up all that come after it.
 */
export function isRowRefused(thrown: unknown): boolean {
  return asError(thrown).name === "ValidationException" && !isTransient(thrown);
}

/** SNS's errors for a message that it never accepts. */
const REFUSED_MESSAGES = [
  "InvalidParameter",
  "InvalidParameterException",
  "InvalidParameterValueException",
  "ParameterValueInvalid",
  "ValidationException",
];

/** Whether SNS refuses this message permanently, while it may accept others. */
export function isMessageRefused(thrown: unknown): boolean {
  return REFUSED_MESSAGES.includes(asError(thrown).name) && !isTransient(thrown);
}

/** Characters; limits the size of rows and mails. */
const MAX_ERROR_TEXT = 1000;

/** S3's answers for an object that is gone; `AccessDenied` from those who may not list the bucket. */
const UNREADABLE = ["AccessDenied", "NoSuchKey", "NotFound"];

/** An error in the form that a `failed` event's row has. */
export function eventError(thrown: unknown, step: string): EventError {
  const { name, message, code } = asError(thrown);
  // The name of Node's errors below HTTP says nothing.
  const named = name === "Error" ? (code ?? name) : name;
  const hint = UNREADABLE.includes(name) ? " (The object is gone, or may not be read.)" : "";
  return {
    code: named.slice(0, MAX_ERROR_TEXT),
    message: message.slice(0, MAX_ERROR_TEXT) + hint,
    step,
  };
}
