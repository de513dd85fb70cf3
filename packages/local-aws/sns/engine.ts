import { randomUUID } from "node:crypto";
import { AwsError } from "../awsError";
import type { Fauxqs } from "../fauxqs/fauxqs";
import type { HttpRequest, HttpResponse } from "../http";
import { formOf } from "../protocols/query";
import { escapeXml, textOf } from "../xml";

/** One message for one e-mail subscription. */
export interface EmailDelivery {
  topicArn: string;
  topicName: string;
  address: string;
  subject?: string;
  message: string;
  messageId: string;
  timestamp: Date;
}

export interface Sns {
  /**
   * Answers one SNS request (AWS query protocol), once its mails are delivered.
   * @param form the request's body, where it has been read already
   * @throws AwsError for what fauxqs itself does not refuse, and what `deliver` throws
   */
  handle(request: HttpRequest, form?: URLSearchParams): Promise<HttpResponse>;
  /** @returns the topic's ARN; the same one for the same name */
  createTopic(name: string): string;
  /**
   * Subscribes an address; locally this needs no confirmation.
   * @returns the subscription's ARN
   * @throws AwsError InvalidParameter, NotFound
   */
  subscribeEmail(topicArn: string, address: string): string;
}

// Limits of Publish and PublishBatch, https://docs.aws.amazon.com/sns/latest/api/API_Publish.html
const MAX_BYTES = 262_144;
const MAX_ENTRIES = 10;
const SUBJECT = /^[!-~][ -~]{0,99}$/;

// Enough to catch typing errors, and to keep headers in one line.
const EMAIL = /^[^\s@<>()[\]\\,;:"]{1,64}@[^\s@<>()[\]\\,;:".]+(\.[^\s@<>()[\]\\,;:".]+)+$/;

const ENTRY = /^PublishBatchRequestEntries\.member\.(\d+)\.(.+)$/;

/**
 * SNS on top of fauxqs, which fans out to queues only: adds e-mail, and AWS's checks of
 * subjects, messages and addresses. Filter policies of e-mail subscriptions are not applied.
 */
export function createSns(options: {
  fauxqs: Fauxqs;
  deliver: (mail: EmailDelivery) => void | Promise<void>;
}): Sns {
  const { fauxqs, deliver } = options;
  const { snsStore } = fauxqs;

  async function publish(
    params: URLSearchParams,
    headers: HttpRequest["headers"],
  ): Promise<HttpResponse> {
    const message = emailText(params);
    const subject = params.get("Subject") ?? undefined;
    if (subject !== undefined && !SUBJECT.test(subject)) {
      throw invalid("Subject");
    }

    const body = Buffer.from(params.toString());
    const answer = await fauxqs.handle({ method: "POST", url: "/", headers, body });
    const messageId = textOf(answer.body, "MessageId");
    const topic = snsStore.getTopic(params.get("TopicArn") ?? "");
    if (answer.status !== 200 || !messageId || !topic) {
      return answer;
    }

    const { arn: topicArn, name: topicName } = topic;
    const timestamp = new Date();
    for (const arn of topic.subscriptionArns) {
      const subscription = snsStore.getSubscription(arn);
      if (subscription?.protocol !== "email") {
        continue;
      }
      const address = subscription.endpoint;
      await deliver({ topicArn, topicName, address, subject, message, messageId, timestamp });
    }
    return answer;
  }

  /** Publishes entry by entry, so that a bad one fails alone and all of Publish's rules hold. */
  async function publishBatch(
    params: URLSearchParams,
    headers: HttpRequest["headers"],
  ): Promise<HttpResponse> {
    const topicArn = params.get("TopicArn") ?? "";
    if (!snsStore.getTopic(topicArn)) {
      throw noSuchTopic();
    }
    const entries = readEntries(params);
    checkBatch(entries);

    let successful = "";
    let failed = "";
    for (const entry of entries) {
      const id = entry.get("Id") ?? "";
      entry.set("Action", "Publish");
      entry.set("TopicArn", topicArn);
      const answer = await publish(entry, headers).catch((error: unknown) => {
        if (!(error instanceof AwsError)) {
          throw error;
        }
        failed += failure(id, error.code, error.message);
      });
      if (!answer) {
        continue;
      }
      const messageId = textOf(answer.body, "MessageId");
      if (messageId) {
        successful += `<member><Id>${id}</Id><MessageId>${messageId}</MessageId></member>`;
      } else {
        const code = textOf(answer.body, "Code") ?? "InternalError";
        failed += failure(id, code, textOf(answer.body, "Message") ?? "");
      }
    }
    const body = Buffer.from(
      `<PublishBatchResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/">` +
        `<PublishBatchResult><Successful>${successful}</Successful><Failed>${failed}</Failed>` +
        `</PublishBatchResult><ResponseMetadata><RequestId>${randomUUID()}</RequestId>` +
        `</ResponseMetadata></PublishBatchResponse>`,
    );
    const length = String(body.length);
    return { status: 200, headers: { "content-type": "text/xml", "content-length": length }, body };
  }

  return {
    async handle(request, form) {
      const params = form ?? formOf(request);
      const action = params.get("Action");
      if (action === "Publish") {
        return publish(params, request.headers);
      }
      if (action === "PublishBatch") {
        return publishBatch(params, request.headers);
      }
      if (action === "Subscribe" && params.get("Protocol") === "email") {
        checkAddress(params.get("Endpoint") ?? "");
      }
      return fauxqs.handle(request);
    },
    createTopic(name) {
      return snsStore.createTopic(name, undefined, undefined, fauxqs.region).arn;
    },
    subscribeEmail(topicArn, address) {
      checkAddress(address);
      const subscription = snsStore.subscribe(topicArn, "email", address);
      if (!subscription) {
        throw noSuchTopic();
      }
      subscription.confirmed = true;
      return subscription.arn;
    },
  };
}

/** The message, or with MessageStructure `json` its text for e-mail. */
function emailText(params: URLSearchParams): string {
  const message = params.get("Message");
  if (!message) {
    throw invalid("Empty message");
  }
  if (params.get("MessageStructure") !== "json") {
    return message;
  }

  const structure = "Message Structure - ";
  let texts: unknown;
  try {
    texts = JSON.parse(message);
  } catch {
    throw invalid(`${structure}JSON message body failed to parse`);
  }
  if (typeof texts !== "object" || texts === null || !("default" in texts)) {
    throw invalid(`${structure}No default entry in JSON message body`);
  }
  const text = "email" in texts && typeof texts.email === "string" ? texts.email : texts.default;
  return typeof text === "string" ? text : JSON.stringify(text);
}

/** The entries of a PublishBatch, each with the parameters of a Publish. */
function readEntries(params: URLSearchParams): URLSearchParams[] {
  const entries = new Map<string, URLSearchParams>();
  for (const [name, value] of params) {
    const [, index, parameter] = ENTRY.exec(name) ?? [];
    if (!index || !parameter) {
      continue;
    }
    const entry = entries.get(index) ?? new URLSearchParams();
    entry.set(parameter, value);
    entries.set(index, entry);
  }
  return [...entries.values()];
}

function checkBatch(entries: URLSearchParams[]): void {
  const ids = entries.map((entry) => entry.get("Id") ?? "");
  if (entries.length === 0) {
    throw new AwsError("EmptyBatchRequest", 400, "The batch request doesn't contain any entries.");
  }
  if (entries.length > MAX_ENTRIES) {
    const message = `The batch request contains more than ${MAX_ENTRIES} entries.`;
    throw new AwsError("TooManyEntriesInBatchRequest", 400, message);
  }
  if (!ids.every((id) => /^[\w-]{1,80}$/.test(id))) {
    const message = "An entry's Id takes 1 to 80 letters, digits, hyphens and underscores.";
    throw new AwsError("InvalidBatchEntryId", 400, message);
  }
  if (new Set(ids).size < ids.length) {
    const message = "Two or more batch entries in the request have the same Id.";
    throw new AwsError("BatchEntryIdsNotDistinct", 400, message);
  }
  const bytes = entries.reduce(
    (sum, entry) => sum + Buffer.byteLength(entry.get("Message") ?? ""),
    0,
  );
  if (bytes > MAX_BYTES) {
    const message = `The messages of a batch together take up to ${MAX_BYTES} bytes, not ${bytes}.`;
    throw new AwsError("BatchRequestTooLong", 400, message);
  }
}

function failure(id: string, code: string, message: string): string {
  return (
    `<member><Id>${id}</Id><Code>${code}</Code><Message>${escapeXml(message)}</Message>` +
    `<SenderFault>true</SenderFault></member>`
  );
}

function checkAddress(address: string): void {
  if (!EMAIL.test(address)) {
    throw invalid(`Email address: ${address}`);
  }
}

function invalid(what: string): AwsError {
  return new AwsError("InvalidParameter", 400, `Invalid parameter: ${what}`);
}

function noSuchTopic(): AwsError {
  return new AwsError("NotFound", 404, "Topic does not exist");
}
