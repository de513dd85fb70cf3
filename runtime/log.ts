import { asError } from "./awsErrors";

/** Fields of a log entry; `event_id` is the event that it is about. */
export interface LogFields {
  event_id?: string;
  [field: string]: unknown;
}

/**
 * Writes a structured log entry. In Lambda's JSON log format, the object becomes the entry's
 * `message`, next to time, level and request id.
 */
export function logInfo(message: string, fields: LogFields): void {
  console.info({ message, ...fields });
}

/**
 * As `logInfo`, at level ERROR, with the error's name and message. An error of the code itself, which
 * no AWS service has answered, has its stack, too.
 */
export function logError(message: string, thrown: unknown, fields: LogFields): void {
  const { name, message: errorMessage, stack, $metadata } = asError(thrown);
  const error = { code: name, message: errorMessage, ...(!$metadata && stack && { stack }) };
  console.error({ message, error, ...fields });
}
