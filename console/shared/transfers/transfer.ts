/**
 * `waiting`: for its turn; `interrupted`: goes on by itself when the connection is back; `failed`:
 * refused, or broken beyond repair.
 */
export type TransferState = "waiting" | "sending" | "paused" | "interrupted" | "failed" | "sent";

/** One file on its way, as a page shows it. */
export interface Transfer {
  id: string;
  name: string;
  /** Bytes. */
  size: number;
  state: TransferState;
  /** Bytes that the server has, or that are on their way. */
  sentBytes: number;
  /** Undefined: not known, or nothing is being sent. */
  bytesPerSecond?: number;
  /** An earlier visit of the page had begun with it. */
  isResumed: boolean;
  /** Of a resumed one: the bytes that were there already. Undefined: not known yet. */
  resumedBytes?: number;
  /** An earlier visit of the page had sent all of it, and nothing is sent now. */
  wasSentBefore: boolean;
  /** Of an `interrupted` one: when it goes on, in milliseconds since 1970. */
  retryAt?: number;
  /** Why it is `interrupted` or `failed`. */
  error?: { code: string; message: string };
  /** Once the server knows of it. */
  eventId?: string;
}

/** The event's id in an upload's key: `<prefix>/<event_timestamp>/<event_id>/<file name>`. */
export function eventIdIn(key: string): string | undefined {
  return key.split("/").at(-2);
}
