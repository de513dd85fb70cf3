import { plainETag } from "../../../events/eTag";
import { Failure } from "../../errors";
import { type Sleep, withRetries } from "../../http/retries";
import { send } from "../../http/send";
import type { OnBytes } from "../localFile";
import { s3Failure } from "../s3Failure";
import { type Part, readPart } from "./parts";

/** Concurrent parts of one file. */
export const CONCURRENT_PARTS = 4;

/** About two minutes without a connection. */
const MAX_ATTEMPTS_OF_PART = 10;

/** Attempts that S3 refuses: a signature may have expired, or its credentials. */
const MAX_REFUSALS = 3;

interface PartsToSend {
  path: string;
  parts: Part[];
  /** One attempt. @returns the URL of a PUT */
  sign(part: Part): Promise<string>;
  /** A part's first attempt begins. */
  onStart(part: Part): void;
  /** Further bytes; negative where an attempt has failed. */
  onBytes: OnBytes;
  onStored(part: Part, eTag: string): void;
  sleep: Sleep;
}

/** @throws Failure with S3's own code, `network_error`, `file_unreadable` */
async function putPart(url: string, filePath: string, part: Part, onBytes: OnBytes) {
  let sent = 0;
  async function* counted() {
    for await (const chunk of readPart(filePath, part)) {
      yield chunk;
      sent += chunk.length;
      onBytes(chunk.length);
    }
  }
  try {
    const body = { length: part.size, chunks: counted() };
    const answer = await send({ method: "PUT", url, body });
    if (answer.status >= 300) {
      throw s3Failure(answer);
    }
    const eTag = plainETag(answer.headers.etag);
    if (eTag === undefined) {
      throw new Failure("invalid_answer", "S3 has answered a part without its ETag.");
    }
    return eTag;
  } catch (error) {
    onBytes(-sent);
    throw error;
  }
}

/** Sends one part, each time with a new signature. */
async function sendPart(sending: PartsToSend, part: Part, isStopped: () => boolean) {
  let refusals = 0;
  const isRetryable = (failure: Failure) => {
    const isRefused = failure.status === 403 && failure.code !== "forbidden";
    const isExpired = isRefused || failure.code === "ExpiredToken";
    refusals += isExpired ? 1 : 0;
    const isPassing = failure.isTransient || failure.code === "network_error";
    return !isStopped() && (isPassing || (isExpired && refusals < MAX_REFUSALS));
  };
  const attempt = async () =>
    putPart(await sending.sign(part), sending.path, part, sending.onBytes);
  const options = { isRetryable, maxAttempts: MAX_ATTEMPTS_OF_PART };
  sending.onStored(part, await withRetries(attempt, sending.sleep, options));
}

/**
 * Sends parts, several at a time, in their order. After a failure no further ones are begun.
 *
 * @throws the first failure, once no part is under way any more
 */
export async function sendParts(sending: PartsToSend): Promise<void> {
  const waiting = [...sending.parts];
  let failure: { error: unknown } | undefined;
  const lane = async () => {
    for (let part = waiting.shift(); part !== undefined && !failure; part = waiting.shift()) {
      sending.onStart(part);
      try {
        await sendPart(sending, part, () => failure !== undefined);
      } catch (error) {
        failure ??= { error };
      }
    }
  };
  await Promise.all(Array.from({ length: CONCURRENT_PARTS }, lane));
  if (failure) {
    throw failure.error;
  }
}
