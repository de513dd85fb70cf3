import { setTimeout as delay } from "node:timers/promises";
import type { S3ClientConfig } from "@aws-sdk/client-s3";
import type { Context } from "aws-lambda";
import { isTransient } from "./awsErrors";

/**
 * Tries of a call or a step, the first included. Where every fourth call fails, one in 25,000 fails each
 * time. All pauses together are half a second on average, and at most one.
 */
const MAX_TRIES = 8;

/** Milliseconds: the longest pause after the first try. */
const FIRST_PAUSE_MS = 25;

/** Of each longest pause to the one before. With 2, a batch of a hundred waits twice as long for its last record. */
const PAUSE_GROWTH = 1.6;

/**
 * Milliseconds at the end of an invocation in which nothing is begun or repeated: enough for a call
 * that gets no answer (10 s), a write, and the Lambda's own answer.
 */
const RESERVED_MS = 20_000;

/**
 * Failed tries, without one that succeeds between them, after which none is repeated: the service is
 * away, and repetitions would only add to its load. The next success ends it.
 */
const MAX_FAILURES_IN_A_ROW = 64;

/** How the SDK's clients decide on the repetition of a call. */
type RetryStrategy = Extract<
  NonNullable<S3ClientConfig["retryStrategy"]>,
  { acquireInitialRetryToken: unknown }
>;
type RetryToken = Awaited<ReturnType<RetryStrategy["acquireInitialRetryToken"]>>;

/**
 * Repeats what fails with a transient error, within the time of the invocation, after pauses that grow
 * and are random in all their length ("full jitter"). The SDK's own strategy does not know of the
 * invocation's end, and pauses for up to three seconds once a call was throttled twice, which all
 * other records of a batch would wait for.
 */
export interface Retries {
  /** Must be called at the beginning of each invocation. */
  begin(context: Pick<Context, "getRemainingTimeInMillis">): void;
  /** Whether the invocation has time to begin something. */
  hasTime(): boolean;
  /** For the configuration of clients: repeats their calls. */
  clientStrategy: RetryStrategy;
  /**
   * Repeats a step of several calls; not because of a call that a client has repeated already.
   *
   * @throws the last try's error
   */
  repeat<T>(step: () => Promise<T>): Promise<T>;
}

function retryToken(retryCount: number): RetryToken {
  return { getRetryCount: () => retryCount, getRetryDelay: () => 0 };
}

/** For the life of an execution environment. */
export function invocationRetries(): Retries {
  let remainingMs = () => 0;
  let failuresInARow = 0;
  const givenUp = new WeakSet<object>();

  /**
   * Pauses before the next try.
   *
   * @param tries so far
   * @param tookMs the last one
   * @returns false, at once: there is none
   */
  const pause = async (thrown: unknown, tries: number, tookMs = 0): Promise<boolean> => {
    if (!isTransient(thrown)) {
      // An answer all the same.
      failuresInARow = 0;
      return false;
    }
    failuresInARow += 1;
    const pauseMs = Math.random() * FIRST_PAUSE_MS * PAUSE_GROWTH ** (tries - 1);
    const isRepeated =
      tries < MAX_TRIES &&
      failuresInARow < MAX_FAILURES_IN_A_ROW &&
      remainingMs() - pauseMs - tookMs > RESERVED_MS;
    if (isRepeated) {
      await delay(pauseMs);
    }
    return isRepeated;
  };

  return {
    begin: (context) => {
      remainingMs = () => context.getRemainingTimeInMillis();
    },
    hasTime: () => remainingMs() > RESERVED_MS,
    clientStrategy: {
      acquireInitialRetryToken: () => Promise.resolve(retryToken(0)),
      refreshRetryTokenForRetry: async (token, { error }) => {
        const retryCount = token.getRetryCount() + 1;
        if (await pause(error, retryCount)) {
          return retryToken(retryCount);
        }
        if (error) {
          givenUp.add(error);
        }
        throw new Error("No further try.");
      },
      recordSuccess: () => {
        failuresInARow = 0;
      },
    },
    repeat: async (step) => {
      for (let tries = 1; ; tries += 1) {
        const startedAt = Date.now();
        try {
          return await step();
        } catch (error) {
          const isKnown = error instanceof Error && givenUp.has(error);
          if (isKnown || !(await pause(error, tries, Date.now() - startedAt))) {
            throw error;
          }
        }
      }
    },
  };
}
