import { setTimeout as sleep } from "node:timers/promises";

/** The last answer to a request, with the number of tries. */
export interface Reply {
  /** 0 where there was none. */
  status: number;
  /** The body, or the error. */
  text: string;
  tries: number;
}

/** Faults with a share of 20 % rarely hit more than three requests in a row; an outage takes seconds. */
const MAX_TRIES = 60;
const FIRST_PAUSE_MS = 20;
const MAX_PAUSE_MS = 1000;

/** S3's 409: another conditional write of the key is in progress. */
function isTransient(status: number): boolean {
  return status === 0 || status === 409 || status === 429 || status >= 500;
}

async function request(url: string, init: RequestInit): Promise<Omit<Reply, "tries">> {
  try {
    const response = await fetch(url, init);
    return { status: response.status, text: await response.text() };
  } catch (error) {
    return { status: 0, text: String(error) };
  }
}

/** Sends a request that may be repeated, until the answer is no transient error. */
export async function requestUntilAnswered(
  url: string,
  init: Pick<RequestInit, "method" | "headers" | "body">,
  signal?: AbortSignal,
): Promise<Reply> {
  for (let tries = 1; ; tries += 1) {
    const reply = await request(url, { ...init, signal });
    if (!isTransient(reply.status) || tries === MAX_TRIES || signal?.aborted) {
      return { ...reply, tries };
    }
    await sleep(Math.min(FIRST_PAUSE_MS * 2 ** tries, MAX_PAUSE_MS));
  }
}

/** The error of a reply. */
export function errorOf({ status, text }: Reply): string {
  return status === 0 ? text : `${status} ${text}`;
}
