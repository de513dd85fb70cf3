import { randomUUID } from "node:crypto";
import { AwsError, notImplemented } from "../awsError";
import type { Fauxqs } from "../fauxqs/fauxqs";
import type { HttpRequest, HttpResponse } from "../http";
import { formField, formOf } from "../protocols/query";
import type { RunSecret } from "../storage/secret";
import { escapeXml, textOf } from "../xml";
import { checkBatch, failure, readEntries } from "./batch";
import { createSubscriptions } from "./subscriptions";

/** One message for one e-mail subscription. */
export interface EmailDelivery {
  topicArn: string;
  topicName: string;
  address: string;
  subject?: string;
  message: string;
  messageId: string;
  timestamp: Date;
  /** The page that ends the subscription; a request to confirm it has none. */
  unsubscribeUrl?: string;
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
   * Subscribes an address for the program.
   * @throws AwsError InvalidParameter, NotFound
   */
  subscribeEmail(topicArn: string, address: string): { arn: string; isPending: boolean };
  /** Sends the program's own requests for a confirmation, where it has to be given. */
  start(): Promise<void>;
  /**
   * Confirms a pending subscription.
   * @returns its ARN, and the page that ends it
   * @throws AwsError InvalidParameter for a token of no subscription of the topic
   */
  confirm(topicArn: string, token: string): { arn: string; unsubscribeUrl: string };
  /** @returns the topic's ARN; undefined if there is no such subscription */
  unsubscribe(subscriptionArn: string): string | undefined;
}

export interface SnsOptions {
  fauxqs: Fauxqs;
  /** What tokens and ids of subscriptions are made of. */
  secret: RunSecret;
  /** The URL of the pages that confirm and end subscriptions, without a slash at the end. */
  pagesUrl: string;
  /** Keeps which subscriptions are confirmed. @default each run begins anew */
  folder?: string;
  /** The program's own subscriptions are pending until they are confirmed. @default false */
  confirmsOwn?: boolean;
  deliver: (mail: EmailDelivery) => void | Promise<void>;
}

// https://docs.aws.amazon.com/sns/latest/api/API_Publish.html
const SUBJECT = /^[!-~][ -~]{0,99}$/;

// Enough to catch typing errors, and to keep headers in one line.
const EMAIL = /^[^\s@<>()[\]\\,;:"]{1,64}@[^\s@<>()[\]\\,;:".]+(\.[^\s@<>()[\]\\,;:".]+)+$/;

/**
 * SNS on top of fauxqs, which fans out to queues only: adds e-mail with its confirmation, and AWS's
 * checks of subjects, messages and addresses.
 */
export function createSns(options: SnsOptions): Sns {
  const { fauxqs, secret, pagesUrl, folder, confirmsOwn = false, deliver } = options;
  const { snsStore } = fauxqs;
  const subscriptions = createSubscriptions(fauxqs, secret, folder);
  /** The program's own subscriptions that are new and pending. */
  const unasked: { topicArn: string; endpoint: string }[] = [];

  function pageOf(name: string, parameters: Record<string, string>): string {
    return `${pagesUrl}/${name}?${String(new URLSearchParams(parameters))}`;
  }

  async function askToConfirm(subscription: { topicArn: string; endpoint: string }): Promise<void> {
    const { topicArn, endpoint: address } = subscription;
    const Token = subscriptions.tokenOf(subscription);
    const page = pageOf("confirm", { TopicArn: topicArn, Token, Endpoint: address });
    await deliver({
      topicArn,
      topicName: topicArn.slice(topicArn.lastIndexOf(":") + 1),
      address,
      subject: "AWS Notification - Subscription Confirmation",
      message:
        `You have chosen to subscribe to the topic:\n${topicArn}\n\nTo confirm this subscription, ` +
        `click or visit the link below (If this was in error no action is necessary):\n${page}\n`,
      messageId: randomUUID(),
      timestamp: new Date(),
    });
  }

  /** Subscribe for e-mail, which fauxqs would take for confirmed by nobody. */
  async function subscribe(params: URLSearchParams): Promise<HttpResponse> {
    const address = params.get("Endpoint") ?? "";
    checkAddress(address);
    if ([...params.values()].includes("FilterPolicy")) {
      throw notImplemented("sns:Subscribe", " with a filter policy for e-mail");
    }
    const { subscription } = subscriptions.subscribe(formField(params, "TopicArn"), address, {});
    if (!subscription.confirmed) {
      await askToConfirm(subscription);
    }
    const isShown = subscription.confirmed || params.get("ReturnSubscriptionArn") === "true";
    const arn = isShown ? subscription.arn : "pending confirmation";
    return success("Subscribe", `<SubscriptionArn>${escapeXml(arn)}</SubscriptionArn>`);
  }

  function confirm(topicArn: string, token: string): { arn: string; unsubscribeUrl: string } {
    const { arn, endpoint } = subscriptions.confirm(topicArn, token);
    return { arn, unsubscribeUrl: unsubscribeUrl(arn, endpoint) };
  }

  function unsubscribeUrl(SubscriptionArn: string, Endpoint: string): string {
    return pageOf("unsubscribe", { SubscriptionArn, Endpoint });
  }

  function unsubscribe(params: URLSearchParams): HttpResponse {
    const arn = formField(params, "SubscriptionArn");
    if (arn.split(":").length < 7) {
      throw invalid("SubscriptionArn Reason: An ARN of a subscription has seven parts");
    }
    if (!subscriptions.remove(arn)) {
      throw new AwsError("NotFound", 404, "Subscription does not exist");
    }
    return success("Unsubscribe");
  }

  /** A pending subscription is listed without its ARN, which only its owner gets. */
  async function list(request: HttpRequest): Promise<HttpResponse> {
    const answer = await fauxqs.handle(request);
    let xml = answer.body.toString();
    for (const { arn, confirmed } of snsStore.subscriptions.values()) {
      if (!confirmed) {
        xml = xml.replaceAll(
          `<SubscriptionArn>${escapeXml(arn)}</SubscriptionArn>`,
          "<SubscriptionArn>PendingConfirmation</SubscriptionArn>",
        );
      }
    }
    return xmlResponse(answer.status, xml);
  }

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
      if (subscription?.protocol !== "email" || !subscription.confirmed) {
        continue;
      }
      await deliver({
        topicArn,
        topicName,
        address: subscription.endpoint,
        subject,
        message,
        messageId,
        timestamp,
        unsubscribeUrl: unsubscribeUrl(arn, subscription.endpoint),
      });
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
    return success(
      "PublishBatch",
      `<Successful>${successful}</Successful><Failed>${failed}</Failed>`,
    );
  }

  async function handle(request: HttpRequest, form?: URLSearchParams): Promise<HttpResponse> {
    const params = form ?? formOf(request);
    const protocol = params.get("Protocol");
    switch (params.get("Action")) {
      case "Publish":
        return publish(params, request.headers);
      case "PublishBatch":
        return publishBatch(params, request.headers);
      case "Subscribe":
        if (protocol === "email") {
          return subscribe(params);
        }
        if (PROTOCOLS.has(protocol ?? "")) {
          throw notImplemented("sns:Subscribe", ` with the protocol ${protocol ?? ""}`);
        }
        return fauxqs.handle(request);
      case "ConfirmSubscription": {
        const { arn } = confirm(formField(params, "TopicArn"), formField(params, "Token"));
        const result = `<SubscriptionArn>${escapeXml(arn)}</SubscriptionArn>`;
        return success("ConfirmSubscription", result);
      }
      case "Unsubscribe":
        return unsubscribe(params);
      case "ListSubscriptions":
      case "ListSubscriptionsByTopic":
        return list(request);
      case "CreateTopic": {
        const answer = await fauxqs.handle(request);
        subscriptions.restore(textOf(answer.body, "TopicArn") ?? "");
        return answer;
      }
      case "DeleteTopic":
        subscriptions.removeAll(params.get("TopicArn") ?? "");
        return fauxqs.handle(request);
      default:
        return fauxqs.handle(request);
    }
  }

  return {
    handle,
    createTopic(name) {
      const { arn } = snsStore.createTopic(name, undefined, undefined, fauxqs.region);
      subscriptions.restore(arn);
      return arn;
    },
    subscribeEmail(topicArn, address) {
      checkAddress(address);
      const how = { isConfirmed: !confirmsOwn, isDeclared: true };
      const { subscription, isNew } = subscriptions.subscribe(topicArn, address, how);
      if (isNew && !subscription.confirmed) {
        unasked.push(subscription);
      }
      return { arn: subscription.arn, isPending: !subscription.confirmed };
    },
    async start() {
      for (const subscription of unasked.splice(0)) {
        await askToConfirm(subscription);
      }
    },
    confirm,
    unsubscribe: (subscriptionArn) => subscriptions.remove(subscriptionArn)?.topicArn,
  };
}

/** The protocols of SNS that are not served. */
const PROTOCOLS = new Set([
  "application",
  "email-json",
  "firehose",
  "http",
  "https",
  "lambda",
  "sms",
]);

function success(action: string, result = ""): HttpResponse {
  return xmlResponse(
    200,
    `<${action}Response xmlns="http://sns.amazonaws.com/doc/2010-03-31/">` +
      (result && `<${action}Result>${result}</${action}Result>`) +
      `<ResponseMetadata><RequestId>${randomUUID()}</RequestId></ResponseMetadata>` +
      `</${action}Response>`,
  );
}

function xmlResponse(status: number, xml: string): HttpResponse {
  const body = Buffer.from(xml);
  const headers = { "content-type": "text/xml", "content-length": String(body.length) };
  return { status, headers, body };
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
