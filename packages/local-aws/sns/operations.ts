import { notImplemented } from "../awsError";
import type { Call, Grant, Place } from "../gateway/service";
import type { HttpRequest } from "../http";
import { operationOf } from "../protocols/operation";
import { formField, formOf } from "../protocols/query";

/** A call of SNS's query protocol. */
export interface SnsCall extends Call {
  form: URLSearchParams;
}

// operation → the form's field with the topic's ARN, or with the ARN of one of its subscriptions
const ARN_FIELDS: ReadonlyMap<string, string> = new Map(
  Object.entries<string>({
    ConfirmSubscription: "TopicArn",
    DeleteTopic: "TopicArn",
    GetSubscriptionAttributes: "SubscriptionArn",
    GetTopicAttributes: "TopicArn",
    ListSubscriptionsByTopic: "TopicArn",
    ListTagsForResource: "ResourceArn",
    PublishBatch: "TopicArn",
    SetSubscriptionAttributes: "SubscriptionArn",
    SetTopicAttributes: "TopicArn",
    Subscribe: "TopicArn",
    TagResource: "ResourceArn",
    Unsubscribe: "SubscriptionArn",
    UntagResource: "ResourceArn",
  }),
);

/** Reads a request of SNS's query protocol. */
export function readCall(request: HttpRequest): SnsCall {
  const form = formOf(request);
  const name = operationOf(request, form);
  return { operation: `sns:${name}`, form, grants: (place) => grantsOf(name, form, place) };
}

function grantsOf(name: string, form: URLSearchParams, { region, accountId }: Place): Grant[] {
  const action = `sns:${name === "PublishBatch" ? "Publish" : name}`;

  if (name === "ListTopics" || name === "ListSubscriptions") {
    return [{ action, resource: "*" }];
  }
  if (name === "CreateTopic") {
    const topic = formField(form, "Name");
    return [{ action, resource: `arn:aws:sns:${region}:${accountId}:${topic}` }];
  }
  if (name === "Publish") {
    // A message to a telephone number has no topic, and so no resource.
    const target = form.get("TopicArn") ?? form.get("TargetArn");
    if (target === null && form.has("PhoneNumber")) {
      return [{ action, resource: "*" }];
    }
    return [{ action, resource: target ?? formField(form, "TopicArn") }];
  }
  const field = ARN_FIELDS.get(name);
  if (!field) {
    throw notImplemented(`sns:${name}`);
  }
  const arn = formField(form, field);
  // A subscription's ARN is its topic's with one more part, and it is the topic that is protected.
  const topic = field === "SubscriptionArn" ? arn.split(":").slice(0, 6).join(":") : arn;
  return [{ action, resource: topic }];
}
