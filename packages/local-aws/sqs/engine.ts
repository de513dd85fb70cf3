import { AwsError } from "../awsError";
import { ACCOUNT_ID, type Fauxqs } from "../fauxqs/fauxqs";
import type { HttpRequest, HttpResponse } from "../http";
import { jsonOf, type JsonRecord } from "../protocols/json";
import { operationOf } from "../protocols/operation";
import { invalidHandle, readHandle, writeHandle } from "./receiptHandles";
import { messagesIn, type Queue, receive } from "./receive";

/** A message on a queue, seen without receiving it. */
export interface QueuedMessage {
  messageId: string;
  body: string;
  sentAt: Date;
  /** How often it was received. */
  receiveCount: number;
  /** Whether a receiver has it at the moment, so that others cannot see it. */
  inFlight: boolean;
}

/** SQS in this process. */
export interface Sqs {
  /**
   * Answers an SQS request (AWS JSON 1.0).
   * @throws AwsError ReceiptHandleIsInvalid, SerializationException
   */
  handle(request: HttpRequest): Promise<HttpResponse>;
  /** Creates the queue, or gives the one of an earlier run these attributes. */
  createQueue(name: string, attributes?: Record<string, string>): { url: string; arn: string };
  /**
   * Puts a message on a queue, as Lambda does for dead-letter queues and failure destinations.
   * @param attributes message attributes, all of type String
   * @throws AwsError as SQS would answer: no such queue, message too large, invalid characters
   */
  sendMessage(
    queueArn: string,
    body: string,
    attributes?: Record<string, string>,
  ): Promise<{ messageId: string }>;
  /**
   * Every message on a queue, those in flight last, without receiving any.
   * @throws AwsError QueueDoesNotExist
   */
  messages(queueArn: string): QueuedMessage[];
}

/** The operations that give or take receipt handles. */
const HANDLE_OPERATIONS = new Set([
  "ChangeMessageVisibility",
  "ChangeMessageVisibilityBatch",
  "DeleteMessage",
  "DeleteMessageBatch",
  "ReceiveMessage",
]);

/** SQS on top of fauxqs. */
export function createSqs({ fauxqs }: { fauxqs: Fauxqs }): Sqs {
  const { region, sqsStore, handle } = fauxqs;

  function queueOf(queueArn: string) {
    const queue = sqsStore.getQueueByArn(queueArn);
    if (!queue) {
      throw new AwsError("QueueDoesNotExist", 400, `There is no queue ${queueArn}.`);
    }
    return queue;
  }

  /** Gives the receipt handles that are read below. */
  async function receiveMessages(queue: Queue, request: HttpRequest, input: JsonRecord) {
    const answer = await receive(fauxqs, queue, request, input);
    const messages = messagesIn(answer).map((message) => ({
      ...message,
      ReceiptHandle: writeHandle(queue.arn, message.ReceiptHandle),
    }));
    return messages.length > 0 ? respond(answer, { Messages: messages }) : answer;
  }

  /** For the operations with a receipt handle for each entry. */
  async function handleBatch(queue: Queue, request: HttpRequest, input: JsonRecord) {
    if (!Array.isArray(input.Entries)) {
      return handle(request);
    }
    const entries = input.Entries as JsonRecord[];
    const failures = new Map<unknown, JsonRecord>();
    const Entries = entries.map((entry) => {
      const handle = readHandle(queue.arn, entry.ReceiptHandle);
      if (handle === undefined) {
        const { code: Code, message: Message } = invalidHandle(entry.ReceiptHandle);
        failures.set(entry.Id, { Id: entry.Id, SenderFault: true, Code, Message });
      }
      // fauxqs checks the rest of an invalid entry, and finds no message for it.
      return { ...entry, ReceiptHandle: handle ?? "invalid" };
    });
    const answer = await handle(withBody(request, { ...input, Entries }));
    if (answer.status !== 200 || failures.size === 0) {
      return answer;
    }
    const { Successful, Failed } = JSON.parse(answer.body.toString()) as Record<
      string,
      JsonRecord[] | undefined
    >;
    const isValid = ({ Id }: JsonRecord): boolean => !failures.has(Id);
    return respond(answer, {
      Successful: Successful?.filter(isValid) ?? [],
      Failed: [...(Failed?.filter(isValid) ?? []), ...failures.values()],
    });
  }

  async function handleRequest(request: HttpRequest): Promise<HttpResponse> {
    const operation = operationOf(request);
    if (!HANDLE_OPERATIONS.has(operation)) {
      return handle(request);
    }
    const input = jsonOf(request);
    const queue = sqsStore.getQueue(String(input.QueueUrl));
    if (!queue) {
      return handle(request);
    }
    if (operation === "ReceiveMessage") {
      return receiveMessages(queue, request, input);
    }
    if (operation.endsWith("Batch")) {
      return handleBatch(queue, request, input);
    }
    if (input.ReceiptHandle === undefined) {
      return handle(request);
    }
    const ReceiptHandle = readHandle(queue.arn, input.ReceiptHandle);
    if (ReceiptHandle === undefined) {
      throw invalidHandle(input.ReceiptHandle);
    }
    return handle(withBody(request, { ...input, ReceiptHandle }));
  }

  return {
    handle: handleRequest,
    createQueue(name, attributes = {}) {
      const arn = `arn:aws:sqs:${region}:${ACCOUNT_ID}:${name}`;
      const existing = sqsStore.getQueueByArn(arn);
      existing?.setAttributes(attributes);
      const queue = existing ?? sqsStore.createQueue(name, "", arn, attributes);
      return { url: queue.url, arn };
    },
    async sendMessage(queueArn, body, attributes = {}) {
      const queue = queueOf(queueArn);
      const answer = await handle({
        method: "POST",
        url: "/",
        headers: {
          "content-type": "application/x-amz-json-1.0",
          "x-amz-target": "AmazonSQS.SendMessage",
        },
        body: Buffer.from(
          JSON.stringify({
            QueueUrl: queue.url,
            MessageBody: body,
            MessageAttributes: Object.fromEntries(
              Object.entries(attributes).map(([name, value]) => [
                name,
                { DataType: "String", StringValue: value },
              ]),
            ),
          }),
        ),
      });
      const result = JSON.parse(answer.body.toString()) as Record<string, string | undefined>;
      if (answer.status !== 200) {
        const code = result.__type?.split("#").pop() ?? "InternalError";
        throw new AwsError(code, answer.status, result.message ?? `SQS refused a message: ${code}`);
      }
      return { messageId: result.MessageId ?? "" };
    },
    messages(queueArn) {
      const queue = queueOf(queueArn);
      // Otherwise a message whose time in flight is over is still listed as in flight.
      queue.processTimers();
      const { ready, delayed, inflight } = queue.inspectMessages();
      const listed = (inFlight: boolean) => (message: (typeof ready)[number]) => ({
        messageId: message.messageId,
        body: message.body,
        sentAt: new Date(message.sentTimestamp),
        receiveCount: message.approximateReceiveCount,
        inFlight,
      });
      return [
        ...[...ready, ...delayed].map(listed(false)),
        ...inflight.map(({ message }) => message).map(listed(true)),
      ];
    },
  };
}

function withBody(request: HttpRequest, input: JsonRecord): HttpRequest {
  return { ...request, body: Buffer.from(JSON.stringify(input)) };
}

function respond(answer: HttpResponse, output: JsonRecord): HttpResponse {
  const body = Buffer.from(JSON.stringify(output));
  return { ...answer, headers: { ...answer.headers, "content-length": String(body.length) }, body };
}
