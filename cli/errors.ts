/** An error in the use of the command line. */
export class UsageError extends Error {}

export interface FailureDetails {
  /** Status of the HTTP answer. */
  status?: number;
  /** Whether a retry may succeed. @default false */
  isTransient?: boolean;
  /** Milliseconds; from the answer's Retry-After. */
  retryAfterMs?: number;
}

/** An error of a service or of the connection. Its message is for the user. */
export class Failure extends Error {
  readonly status?: number;
  readonly isTransient: boolean;
  readonly retryAfterMs?: number;

  constructor(
    /** Error code, such as `event_not_found`. */
    readonly code: string,
    message: string,
    { status, isTransient = false, retryAfterMs }: FailureDetails = {},
  ) {
    super(message);
    this.status = status;
    this.isTransient = isTransient;
    this.retryAfterMs = retryAfterMs;
  }
}
