/** An answer of the API that is an error, or a request without an answer (status 0). */
export class ApiError extends Error {
  constructor(
    /** HTTP status; 0: there was no answer. */
    readonly status: number,
    /** The API's own, such as `not_finished`. */
    readonly code: string,
    message: string,
    /** Names the request in the API's log; server errors have it. */
    readonly requestId?: string,
    /** Milliseconds that the API asks to wait. */
    readonly retryAfterMs?: number,
  ) {
    super(message);
    this.name = "ApiError";
  }
}

/** Milliseconds; `Retry-After` of the API is in seconds. */
function retryAfterOf(answer: Response): number | undefined {
  const seconds = Number(answer.headers.get("Retry-After") ?? Number.NaN);
  return Number.isFinite(seconds) ? seconds * 1000 : undefined;
}

interface ErrorAnswer {
  error?: { code?: string; message?: string; request_id?: string };
}

/** The error in an answer, as the API says it. */
export async function errorOf(answer: Response): Promise<ApiError> {
  const text = await answer.text();
  let error: ErrorAnswer["error"];
  try {
    error = (JSON.parse(text) as ErrorAnswer | null)?.error;
  } catch {
    // Not the API's: a proxy's page, perhaps.
  }
  const { code = "unknown", message = `The answer has the status ${answer.status}.` } = error ?? {};
  return new ApiError(answer.status, code, message, error?.request_id, retryAfterOf(answer));
}

export function asApiError(thrown: unknown): ApiError {
  if (thrown instanceof ApiError) {
    return thrown;
  }
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new ApiError(0, "no_answer", `The server does not answer: ${message}`);
}
