import { asError } from "./awsErrors";

/** Names the event that an entry is about, and whatever else explains it. */
export interface LogFields {
  event_id?: string;
  [field: string]: unknown;
}

/**
 * Writes one structured entry. In Lambda's JSON log format an object becomes the entry's
 * `message`, beside its time, level and request id.
 */
export function logInfo(message: string, fields: LogFields): void {
  console.info({ message, ...fields });
}

/** Like `logInfo`, for what somebody should look at; with the error's name and message. */
export function logError(message: string, thrown: unknown, fields: LogFields): void {
  const { name, message: errorMessage } = asError(thrown);
  console.error({ message, error: { code: name, message: errorMessage }, ...fields });
}
