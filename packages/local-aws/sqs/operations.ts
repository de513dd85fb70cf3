import { AwsError, notImplemented } from "../awsError";
import type { Call, Grant, Place } from "../gateway/service";
import type { HttpRequest } from "../http";
import { jsonOf, type JsonRecord, textIn } from "../protocols/json";
import { operationOf } from "../protocols/operation";

// operation → its IAM action: batches are allowed with the single operation
const ACTIONS: ReadonlyMap<string, string> = new Map(
  Object.entries({
    ChangeMessageVisibility: "ChangeMessageVisibility",
    ChangeMessageVisibilityBatch: "ChangeMessageVisibility",
    DeleteMessage: "DeleteMessage",
    DeleteMessageBatch: "DeleteMessage",
    DeleteQueue: "DeleteQueue",
    GetQueueAttributes: "GetQueueAttributes",
    ListQueueTags: "ListQueueTags",
    PurgeQueue: "PurgeQueue",
    ReceiveMessage: "ReceiveMessage",
    SendMessage: "SendMessage",
    SendMessageBatch: "SendMessage",
    SetQueueAttributes: "SetQueueAttributes",
    TagQueue: "TagQueue",
    UntagQueue: "UntagQueue",
  }),
);

/** Reads a request of SQS's JSON protocol; its body is read for the grants only. */
export function readCall(request: HttpRequest): Call {
  const name = operationOf(request);
  const operation = `sqs:${name}`;
  return {
    operation,
    grants: (place) => {
      if (!request.headers["x-amz-target"]) {
        throw notImplemented(operation, " in the query protocol that older clients of SQS speak");
      }
      return grantsOf(name, jsonOf(request), place);
    },
  };
}

function grantsOf(name: string, body: JsonRecord, { region, accountId }: Place): Grant[] {
  if (name === "ListQueues") {
    return [{ action: "sqs:ListQueues", resource: "*" }];
  }
  if (name === "CreateQueue" || name === "GetQueueUrl") {
    const queue = textIn(body, "QueueName");
    return [{ action: `sqs:${name}`, resource: `arn:aws:sqs:${region}:${accountId}:${queue}` }];
  }
  const action = ACTIONS.get(name);
  if (!action) {
    throw notImplemented(`sqs:${name}`);
  }
  const url = textIn(body, "QueueUrl");
  const [, owner, queue] = /\/([^/]+)\/([^/]+)$/.exec(url) ?? [];
  if (!owner || !queue) {
    throw new AwsError("InvalidAddress", 400, `The address ${url} is not valid for a queue.`);
  }
  return [{ action: `sqs:${action}`, resource: `arn:aws:sqs:${region}:${owner}:${queue}` }];
}
