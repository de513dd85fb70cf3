/** What the user did wrong on the command line. */
export class UsageError extends Error {}

export interface FailureDetails {
  /** Of the HTTP answer. */
  status?: number;
  /** Whether another try may go well. @default false */
  mayPass?: boolean;
  /** Milliseconds; what the answer's Retry-After asks for. */
  retryAfterMs?: number;
}

/** A refusal by a service, or a failure on the way to it; the message is for the user. */
export class Failure extends Error {
  readonly status?: number;
  readonly mayPass: boolean;
  readonly retryAfterMs?: number;

  constructor(
    /** The service's word for it, such as `event_not_found`. */
    readonly code: string,
    message: string,
    { status, mayPass = false, retryAfterMs }: FailureDetails = {},
  ) {
    super(message);
    this.status = status;
    this.mayPass = mayPass;
    this.retryAfterMs = retryAfterMs;
  }
}
