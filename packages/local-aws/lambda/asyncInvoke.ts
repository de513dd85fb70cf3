import { randomUUID } from "node:crypto";
import { AwsError } from "../awsError";
import type { AsyncConfig } from "./asyncConfigs";
import { openEventJournal, type QueuedEvent } from "./eventJournal";
import { functionNameOf } from "./functionName";
import type { InvokeResult, LambdaHost } from "./host";
import { MAX_EVENT_BYTES } from "./limits";
import { toJsonText } from "./payload";

export interface AsyncInvokerOptions {
  host: Pick<LambdaHost, "invoke" | "functionArn">;
  configOf(functionName: string): AsyncConfig;
  /** Delivers an on-failure record, JSON text, to a queue or topic. */
  send(destinationArn: string, body: string): Promise<void>;
  /** Multiplies AWS's delays; ages count as if it were 1. @default 1 */
  delayScale?: number;
  /** The folder that keeps accepted events beyond the end of the process. @default they are lost */
  journalDir?: string;
  /** Attempts at one time per function. @default 4 */
  maxConcurrency?: number;
  /** Called with errors without a caller: dropped events, refused invocations, failed deliveries. */
  onError: (error: Error) => void;
}

export interface AsyncInvoker {
  /**
   * Accepts an event, as `InvocationType: Event` does with status 202.
   *
   * @param payload JSON text, or an object that becomes it
   * @param delayMs time from accepting the event to the first attempt
   * @returns the request id, the same for every attempt
   * @throws AwsError `ResourceNotFoundException` (404), `RequestEntityTooLargeException` (413),
   *   `InvalidRequestContentException` (400), `ServiceUnavailableException` (503, closed)
   */
  invoke(
    functionNameOrArn: string,
    payload: string | object,
    delayMs?: number,
  ): { requestId: string };
  /** Resumes the events of an earlier process; to be called once all functions are created. */
  resume(): void;
  /** Resolves when nothing is queued, waiting for a retry, or running. */
  idle(): Promise<void>;
  /** How many events are unfinished. */
  pending(): number;
  /** Starts nothing more. Unfinished events stay in the journal, and run again. */
  close(): void;
}

type Condition = "RetriesExhausted" | "EventAgeExceeded";

// Function errors are retried after one and two minutes; what the service itself refuses (throttled,
// out of order) after one second and up to five minutes, for as long as the event may live. Source:
// https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
const FIRST_RETRY_MS = 60_000;
const LATER_RETRY_MS = 120_000;
const FIRST_BACKOFF_MS = 1_000;
const MAX_BACKOFF_MS = 300_000;
/** How often the delivery of an on-failure record is tried. */
const DELIVERY_ATTEMPTS = 5;

/** The queue behind Lambda's asynchronous invocations. */
export function createAsyncInvoker(options: AsyncInvokerOptions): AsyncInvoker {
  const { host, delayScale = 1, maxConcurrency = 4, onError } = options;
  const journal =
    options.journalDir === undefined ? undefined : openEventJournal(options.journalDir, onError);
  const queues = new Map<string, { waiting: QueuedEvent[]; running: number }>();
  const open = new Set<QueuedEvent>(journal?.restored);
  const timers = new Set<NodeJS.Timeout>();
  const idleListeners: (() => void)[] = [];
  let unresumed = journal?.restored ?? [];
  let closed = false;

  function invoke(
    functionNameOrArn: string,
    payload: string | object,
    delayMs = 0,
  ): { requestId: string } {
    if (closed) {
      throw closedError();
    }
    host.functionArn(functionNameOrArn);
    const event: QueuedEvent = {
      requestId: randomUUID(),
      functionName: functionNameOf(functionNameOrArn),
      payload: eventText(payload),
      acceptedAt: Date.now(),
      attempts: 0,
      refusals: 0,
      notBefore: Date.now() + delayMs,
      savedMs: 0,
    };
    journal?.save(event);
    open.add(event);
    enqueueAt(event);
    return { requestId: event.requestId };
  }

  function resume(): void {
    const events = unresumed;
    unresumed = [];
    for (const event of events) {
      enqueueAt(event);
    }
  }

  function enqueueAt(event: QueuedEvent): void {
    after(event.notBefore - Date.now(), () => {
      enqueue(event);
    });
  }

  function enqueue(event: QueuedEvent): void {
    const { functionName } = event;
    const queue = queues.get(functionName) ?? { waiting: [], running: 0 };
    queues.set(functionName, queue);
    queue.waiting.push(event);
    advance(queue);
  }

  function advance(queue: { waiting: QueuedEvent[]; running: number }): void {
    while (!closed && queue.running < maxConcurrency) {
      const event = queue.waiting.shift();
      if (event === undefined) {
        return;
      }
      queue.running++;
      void attempt(event)
        .catch((error: unknown) => {
          onError(problem(event, `is dropped: ${(error as Error).message}`, error));
          finish(event);
        })
        .finally(() => {
          queue.running--;
          advance(queue);
        });
    }
  }

  async function attempt(event: QueuedEvent): Promise<void> {
    const config = options.configOf(event.functionName);
    const ageMs = Date.now() - event.acceptedAt + event.savedMs;
    if (ageMs > config.maximumEventAgeSeconds * 1000) {
      giveUp(event, "EventAgeExceeded", config);
      return;
    }
    // The earlier process ended between the last attempt and the delivery of its record.
    if (event.attempts > config.maximumRetryAttempts) {
      giveUp(event, "RetriesExhausted", config);
      return;
    }
    const result = await run(event);
    if (result === undefined || closed) {
      return;
    }
    if (result.functionError === undefined) {
      finish(event);
      return;
    }
    event.attempts++;
    event.refusals = 0;
    event.response = result.payload;
    if (event.attempts <= config.maximumRetryAttempts) {
      retry(event, event.attempts === 1 ? FIRST_RETRY_MS : LATER_RETRY_MS);
      return;
    }
    journal?.save(event);
    giveUp(event, "RetriesExhausted", config);
  }

  /** @returns undefined when the service itself refused, which does not count as an attempt */
  async function run(event: QueuedEvent): Promise<InvokeResult | undefined> {
    const { functionName, payload, requestId } = event;
    try {
      return await host.invoke(functionName, payload, { requestId, async: true });
    } catch (error) {
      if (closed) {
        return undefined;
      }
      const passing = !(error instanceof AwsError) || error.status >= 500 || error.status === 429;
      const what = passing ? "will be tried again" : "is dropped";
      onError(problem(event, `was refused and ${what}: ${(error as Error).message}`, error));
      if (passing) {
        retry(event, backoffMs(event.refusals++));
      } else {
        finish(event);
      }
      return undefined;
    }
  }

  function retry(event: QueuedEvent, delayMs: number): void {
    event.savedMs += delayMs * (1 - delayScale);
    event.notBefore = Date.now() + delayMs * delayScale;
    journal?.save(event);
    enqueueAt(event);
  }

  function giveUp(event: QueuedEvent, condition: Condition, config: AsyncConfig): void {
    if (config.onFailureArn === undefined) {
      const { attempts, response = "none" } = event;
      onError(
        problem(
          event,
          `is dropped (${condition} after ${attempts} attempts; last response: ${response}). ` +
            "Give the function an on-failure destination to keep such events.",
        ),
      );
      finish(event);
      return;
    }
    const functionArn = host.functionArn(event.functionName);
    const record = failureRecord(event, condition, functionArn);
    void deliver(event, config.onFailureArn, record, 1);
  }

  async function deliver(
    event: QueuedEvent,
    destinationArn: string,
    record: string,
    attempts: number,
  ): Promise<void> {
    try {
      await options.send(destinationArn, record);
    } catch (error) {
      if (closed) {
        return;
      }
      if (attempts < DELIVERY_ATTEMPTS) {
        after(backoffMs(attempts - 1) * delayScale, () => {
          void deliver(event, destinationArn, record, attempts + 1);
        });
        return;
      }
      const why = (error as Error).message;
      onError(problem(event, `is lost: no record delivered to ${destinationArn}: ${why}`, error));
    }
    if (!closed) {
      finish(event);
    }
  }

  function finish(event: QueuedEvent): void {
    journal?.done(event.requestId);
    open.delete(event);
    if (open.size === 0) {
      settleIdle();
    }
  }

  function settleIdle(): void {
    for (const listener of idleListeners.splice(0)) {
      listener();
    }
  }

  function after(delayMs: number, action: () => void): void {
    if (delayMs <= 0) {
      action();
      return;
    }
    const timer = setTimeout(() => {
      timers.delete(timer);
      action();
    }, delayMs);
    timers.add(timer);
  }

  function close(): void {
    if (closed) {
      return;
    }
    closed = true;
    for (const timer of timers) {
      clearTimeout(timer);
    }
    if (journal === undefined && open.size > 0) {
      onError(new Error(`${open.size} asynchronous invocations still pending were dropped.`));
    }
    settleIdle();
  }

  return {
    invoke,
    resume,
    idle: () =>
      new Promise((resolve) => {
        idleListeners.push(resolve);
        if (open.size === 0 || closed) {
          settleIdle();
        }
      }),
    pending: () => open.size,
    close,
  };
}

function eventText(payload: string | object): string {
  const text = toJsonText(payload);
  const size = Buffer.byteLength(text);
  if (size <= MAX_EVENT_BYTES) {
    return text;
  }
  throw new AwsError(
    "RequestEntityTooLargeException",
    413,
    `${size} byte payload is too large for the Event invocation type ` +
      `(limit ${MAX_EVENT_BYTES} bytes)`,
  );
}

/** Source: https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html */
function failureRecord(event: QueuedEvent, condition: Condition, functionArn: string): string {
  return JSON.stringify({
    version: "1.0",
    timestamp: new Date().toISOString(),
    requestContext: {
      requestId: event.requestId,
      functionArn: `${functionArn}:$LATEST`,
      condition,
      approximateInvokeCount: event.attempts,
    },
    requestPayload: JSON.parse(event.payload) as unknown,
    ...(event.response !== undefined && {
      responseContext: {
        statusCode: 200,
        executedVersion: "$LATEST",
        functionError: "Unhandled",
      },
      responsePayload: JSON.parse(event.response) as unknown,
    }),
  });
}

function backoffMs(refusals: number): number {
  return Math.min(FIRST_BACKOFF_MS * 2 ** refusals, MAX_BACKOFF_MS);
}

function problem(event: QueuedEvent, what: string, cause?: unknown): Error {
  const { requestId, functionName } = event;
  return new Error(`Asynchronous invocation ${requestId} of ${functionName} ${what}`, { cause });
}

function closedError(): AwsError {
  return new AwsError(
    "ServiceUnavailableException",
    503,
    "The queue of asynchronous invocations is closed.",
  );
}
