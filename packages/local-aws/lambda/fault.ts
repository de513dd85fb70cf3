import type { HttpRequest } from "../http";

/** A fault for one invocation. */
export type Fault =
  /** The handler is not run. */
  | { kind: "error"; errorType: string; errorMessage: string }
  /** The process dies while the handler runs. */
  | { kind: "kill"; afterMs: number }
  /** The invocation runs into its timeout at once. */
  | { kind: "timeout" }
  | Crash;

/**
 * The process dies at one of the invocation's requests to AWS_ENDPOINT_URL, an SDK's own retries
 * counted: before a byte of it is sent, or when its answer has arrived and is unread. An
 * invocation that makes fewer requests is not affected.
 */
export interface Crash {
  kind: "crash";
  /** 1 is the first. */
  call: number;
  when: "before" | "after";
  /** Gets that request when the process dies; of its body, only a form's `Action` is kept. */
  onCrash?(request: HttpRequest): void;
}
