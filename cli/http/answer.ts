import { Failure } from "../errors";
import type { HttpAnswer } from "./send";

/**
 * Parses a JSON answer.
 *
 * @throws Failure `invalid_answer`
 */
export function jsonOf({ status, text }: HttpAnswer): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Failure("invalid_answer", "The answer is not JSON. Is the manager's URL right?", {
      status,
    });
  }
}

/** Milliseconds; undefined for a time in the past or an invalid value. */
function retryAfterMs(value: string | undefined): number | undefined {
  if (value === undefined) {
    return undefined;
  }
  const ms = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now();
  return ms > 0 ? ms : undefined;
}

function errorIn(text: string): { code?: unknown; message?: unknown; request_id?: unknown } {
  try {
    const { error } = JSON.parse(text) as { error?: object | null };
    return error ?? {};
  } catch {
    return {};
  }
}

/** Converts an error answer of either API, `{"error":{"code","message"}}`, to a Failure. */
export function failureOf(answer: HttpAnswer): Failure {
  const { status, headers, text } = answer;
  const { code, message, request_id: requestId } = errorIn(text);
  const description =
    typeof message === "string" ? message : `The answer has the status ${status}.`;
  return new Failure(
    typeof code === "string" ? code : `http_${status}`,
    typeof requestId === "string" ? `${description} (request ${requestId})` : description,
    {
      status,
      isTransient: status === 429 || status >= 500,
      retryAfterMs: retryAfterMs(headers["retry-after"]),
    },
  );
}
