import type { Fauxqs } from "../fauxqs/fauxqs";
import type { HttpRequest, HttpResponse } from "../http";
import type { JsonRecord } from "../protocols/json";

export type Queue = NonNullable<ReturnType<Fauxqs["sqsStore"]["getQueue"]>>;

/** A message, as ReceiveMessage answers it. */
export interface ReceivedMessage extends JsonRecord {
  ReceiptHandle: string;
}

const MAX_WAIT_SECONDS = 20;

/**
 * Receives messages, and waits for them where the request or the queue says so. What arrives after the
 * client has left, or the end of the run, stays on the queue as if it had not been received: fauxqs itself
 * would hand it to a client that is gone, and hide it from others until its visibility timeout.
 */
export async function receive(
  { handle, closing }: Pick<Fauxqs, "handle" | "closing">,
  queue: Queue,
  request: HttpRequest,
  input: JsonRecord,
): Promise<HttpResponse> {
  const seconds = Number(
    input.WaitTimeSeconds ?? queue.getAttribute("ReceiveMessageWaitTimeSeconds"),
  );
  if (!(seconds > 0 && seconds <= MAX_WAIT_SECONDS)) {
    return handle(request);
  }
  const left = new AbortController();
  request.onClientGone?.(() => {
    left.abort();
  });
  const over = AbortSignal.any([left.signal, closing]);
  const body = Buffer.from(JSON.stringify({ ...input, WaitTimeSeconds: 0 }));
  const end = performance.now() + seconds * 1000;
  for (;;) {
    const answer = await handle({ ...request, body });
    const messages = messagesIn(answer);
    if (over.aborted) {
      giveBack(queue, messages);
    }
    const remaining = (end - performance.now()) / 1000;
    if (over.aborted || answer.status !== 200 || messages.length > 0 || remaining <= 0) {
      return answer;
    }
    if (!(await waitForMessages(queue, remaining, over))) {
      return answer;
    }
  }
}

/** Resolves with true when there may be messages, or at the end of the time; with false if it is over. */
function waitForMessages(queue: Queue, seconds: number, over: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const done = (): void => {
      over.removeEventListener("abort", done);
      resolve(!over.aborted);
    };
    over.addEventListener("abort", done);
    void queue.waitForMessages(seconds).then(done);
  });
}

/** The messages in an answer to ReceiveMessage. */
export function messagesIn({ status, body }: HttpResponse): ReceivedMessage[] {
  const answer = status === 200 ? (JSON.parse(body.toString()) as JsonRecord) : {};
  return (answer.Messages ?? []) as ReceivedMessage[];
}

function giveBack(queue: Queue, messages: readonly ReceivedMessage[]): void {
  for (const { ReceiptHandle } of messages) {
    const received = queue.inflightMessages.get(ReceiptHandle)?.message;
    if (received) {
      received.approximateReceiveCount -= 1;
      queue.changeVisibility(ReceiptHandle, 0);
    }
  }
}
