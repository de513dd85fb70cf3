import type { ServerResponse } from "node:http";
import {
  answerCommonCall,
  answerJson,
  answerPicture,
  type Call,
  startCannedAws,
} from "../../testing/cannedAws";

export type { Call } from "../../testing/cannedAws";

/** A server in place of AWS, which records the requests. */
export interface FakeAws {
  endpoint: string;
  /** The requests signed with this access key. */
  callsOf(accessKeyId: string): Call[];
  stop(): void;
}

/** The only row of the event table, of an old event. */
export const FAILED_ROW = {
  event_id: { S: "019a0000-abcd-7abc-8abc-abcdefabcdef" },
  event_timestamp: { S: "2020-11-21T20:00:00.000Z" },
  event_status: { S: "failed" },
  event_info: { S: JSON.stringify({ Bucket: "a-bucket", Key: "photos/cät.jpg" }) },
  failed_from: { S: "uploaded" },
  updated_at: { S: "2020-11-21T20:00:01.000Z" },
};

/** Answers with the row for failed events and for its id; otherwise empty. */
function rowsFound(body: string): object {
  const { Select: select, ExpressionAttributeValues: values } = JSON.parse(body) as {
    Select?: string;
    ExpressionAttributeValues: Record<string, { S: string }>;
  };
  const asked = Object.values(values).map(({ S: text }) => text);
  const found = [FAILED_ROW.event_id.S, "failed"].some((text) => asked.includes(text));
  return select === "COUNT" ? { Count: found ? 1 : 0 } : { Items: found ? [FAILED_ROW] : [] };
}

/** Starts S3, DynamoDB, SNS and SQS with the calls that the bundles need. */
function answer(call: Call, response: ServerResponse): void {
  if (answerCommonCall(call, response)) {
    return;
  }
  if (call.action === "GET" && call.url.startsWith("/a-bucket/sample.jpg")) {
    answerPicture(response);
  } else if (call.action === "GET") {
    response.writeHead(416, { "content-type": "application/xml" });
    response.end("<Error><Code>InvalidRange</Code><Message>No such range</Message></Error>");
  } else if (call.action === "Query" && call.accessKeyId === "manager") {
    answerJson(response, rowsFound(call.body));
  } else if (call.action === "POST" && call.url.includes("uploadId=")) {
    response.setHeader("content-type", "application/xml");
    response.end("<CompleteMultipartUploadResult><ETag>e</ETag></CompleteMultipartUploadResult>");
  } else if (call.action === "DELETE") {
    response.writeHead(204).end();
  } else if (call.action === "HEAD") {
    response.setHeader("content-type", "text/csv");
    response.end();
  } else {
    answerJson(response, {});
  }
}

export async function startFakeAws(): Promise<FakeAws> {
  const { endpoint, calls, stop } = await startCannedAws(answer);
  return {
    endpoint,
    callsOf: (key) => calls.filter(({ accessKeyId }) => accessKeyId === key),
    stop,
  };
}
