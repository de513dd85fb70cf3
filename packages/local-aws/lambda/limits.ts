// Source of all: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html

/** Payload of a synchronous invocation, in bytes. */
export const MAX_REQUEST_BYTES = 6_291_456;
/** Response of a synchronous invocation, in bytes: AWS's own message names 100 more than 6 MiB. */
export const MAX_RESPONSE_BYTES = 6_291_556;
/** Payload of an asynchronous invocation, in bytes. */
export const MAX_EVENT_BYTES = 1_048_576;
/** Longest start of an environment, before the function's own timeout applies. */
export const INIT_TIMEOUT_MS = 10_000;
