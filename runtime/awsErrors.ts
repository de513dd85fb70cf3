import type { EventError } from "../events/event";

/** What the SDK's errors have in common, as far as handlers look at it. */
interface ServiceError {
  name: string;
  message: string;
  /** Node's own, for what went wrong below HTTP. */
  code?: string;
  $metadata?: { httpStatusCode?: number };
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
];

/** What S3 asks to send again, though its status does not say so (400 and 409). */
const TO_BE_REPEATED = ["ConditionalRequestConflict", "RequestTimeout"];

/** Node's codes for a connection that could not be made or did not last. */
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

/** The error as an object with name and message, whatever was thrown. */
export function asError(thrown: unknown): ServiceError {
  return thrown instanceof Error ? thrown : { name: "Error", message: String(thrown) };
}

/** Whether the call failed because its condition did not hold: somebody else was first. */
export function isConditionFailed(thrown: unknown): boolean {
  return asError(thrown).name === "ConditionalCheckFailedException";
}

/** Resolves to false where the call's condition did not hold. */
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

/** Whether AWS refuses or loses the call for now: throttling, a server error, no connection. */
export function isPassing(thrown: unknown): boolean {
  const error = asError(thrown);
  const status = error.$metadata?.httpStatusCode ?? 0;
  return (
    status >= 500 ||
    status === 429 ||
    THROTTLING.includes(error.name) ||
    TO_BE_REPEATED.includes(error.name) ||
    isConnectionError(error)
  );
}

/** What SNS answers to a message that it will never take; other refusals are not the message's. */
const REFUSED_MESSAGES = [
  "InvalidParameter",
  "InvalidParameterException",
  "InvalidParameterValueException",
  "ParameterValueInvalid",
  "ValidationException",
];

/** Whether SNS refuses this very message, so that another one may well go through. */
export function isMessageRefused(thrown: unknown): boolean {
  return REFUSED_MESSAGES.includes(asError(thrown).name) && !isPassing(thrown);
}

/** Enough of a message to act on, and little enough for a row and a mail. */
const MAX_ERROR_TEXT = 1000;

/** Why a step gave up, as the row keeps it. */
export function eventError(thrown: unknown, step: string): EventError {
  const { name, message } = asError(thrown);
  return { code: name.slice(0, MAX_ERROR_TEXT), message: message.slice(0, MAX_ERROR_TEXT), step };
}
