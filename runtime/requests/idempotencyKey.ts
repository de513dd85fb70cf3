import type { APIGatewayProxyEvent } from "aws-lambda";
import { header, type HttpError, httpError } from "../http";

/** @throws an `HttpError` 400 for a key that is not 1 to 255 printable ASCII characters */
export function idempotencyKeyOf(event: APIGatewayProxyEvent): string | undefined {
  const key = header(event, "idempotency-key");
  if (key !== undefined && !/^[\x21-\x7e][\x20-\x7e]{0,254}$/.test(key)) {
    throw httpError(
      400,
      "invalid_idempotency_key",
      "The header Idempotency-Key takes 1 to 255 printable ASCII characters.",
    );
  }
  return key;
}

/** The refusal of an `Idempotency-Key` whose event was deleted. */
export function eventDeleted(): HttpError {
  return httpError(
    410,
    "event_deleted",
    "The file of this Idempotency-Key was deleted, and is not taken again. To upload it anew, use a new key.",
  );
}

/** The refusal of an `Idempotency-Key` that an earlier, different request has used. */
export function idempotencyKeyReused(): HttpError {
  return httpError(
    422,
    "idempotency_key_reused",
    "This Idempotency-Key came with another file, name, type or metadata before. Use a new key.",
  );
}
