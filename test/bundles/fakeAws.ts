import { readFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import * as path from "node:path";
import { PROGRAM_DIR } from "../../local/program";

/** A request to the fake AWS. */
export interface Call {
  /** The access key that signed it. */
  accessKeyId: string;
  /** The DynamoDB or SNS action, or the S3 method. */
  action: string;
  url: string;
  body: string;
}

/** A server that answers as AWS would, and remembers what it was asked. */
export interface FakeAws {
  endpoint: string;
  /** The requests that this access key has signed. */
  callsOf(accessKeyId: string): Call[];
  stop(): void;
}

/** A row that the event table has: of an event that is long past. */
export const FAILED_ROW = {
  event_id: { S: "019a0000-abcd-7abc-8abc-abcdefabcdef" },
  event_timestamp: { S: "2020-11-21T20:00:00.000Z" },
  event_status: { S: "failed" },
  event_info: { S: JSON.stringify({ Bucket: "a-bucket", Key: "photos/cät.jpg" }) },
  failed_from: { S: "uploaded" },
  updated_at: { S: "2020-11-21T20:00:01.000Z" },
};

/** A `processed` row for each key that is asked for. */
function processedRows(body: string): Record<string, object[]> {
  const { RequestItems } = JSON.parse(body) as { RequestItems: Record<string, { Keys: object[] }> };
  const tables = Object.entries(RequestItems).map(([tableName, { Keys }]) => [
    tableName,
    Keys.map((key) => ({ ...key, event_status: { S: "processed" } })),
  ]);
  return Object.fromEntries(tables) as Record<string, object[]>;
}

/** The row, to whoever asks for failed events or for its id; else nothing. */
function rowsFound(body: string): object {
  const { Select: select, ExpressionAttributeValues: values } = JSON.parse(body) as {
    Select?: string;
    ExpressionAttributeValues: Record<string, { S: string }>;
  };
  const asked = Object.values(values).map(({ S: text }) => text);
  const found = [FAILED_ROW.event_id.S, "failed"].some((text) => asked.includes(text));
  return select === "COUNT" ? { Count: found ? 1 : 0 } : { Items: found ? [FAILED_ROW] : [] };
}

/** S3, DynamoDB, SNS and SQS, as far as the bundles' events need them. */
function answer(call: Call, sample: Buffer, response: ServerResponse): void {
  if (call.action === "Publish") {
    response.setHeader("content-type", "text/xml");
    response.end(
      "<PublishResponse><PublishResult><MessageId>m</MessageId></PublishResult></PublishResponse>",
    );
  } else if (call.action === "GET" && call.url.startsWith("/a-bucket/sample.jpg")) {
    const length = Math.min(sample.length, 64 * 1024);
    response.writeHead(206, {
      "content-type": "image/jpeg",
      "content-range": `bytes 0-${length - 1}/${sample.length}`,
    });
    response.end(sample.subarray(0, length));
  } else if (call.url.includes("list-type=2")) {
    response.setHeader("content-type", "application/xml");
    response.end("<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>");
  } else if (call.action === "GET") {
    response.writeHead(416, { "content-type": "application/xml" });
    response.end("<Error><Code>InvalidRange</Code><Message>No such range</Message></Error>");
  } else if (call.action === "BatchGetItem") {
    response.setHeader("content-type", "application/x-amz-json-1.0");
    response.end(JSON.stringify({ Responses: processedRows(call.body) }));
  } else if (call.action === "Query" && call.accessKeyId === "manager") {
    response.setHeader("content-type", "application/x-amz-json-1.0");
    response.end(JSON.stringify(rowsFound(call.body)));
  } else if (call.action === "DELETE") {
    response.writeHead(204).end();
  } else if (call.action === "HEAD") {
    response.setHeader("content-type", "text/csv");
    response.end();
  } else {
    response.setHeader("content-type", "application/x-amz-json-1.0");
    response.end(call.action === "PUT" ? "" : "{}");
  }
}

async function readCall(request: IncomingMessage): Promise<Call> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) {
    chunks.push(chunk as Buffer);
  }
  const body = Buffer.concat(chunks).toString("utf8");
  const target = request.headers["x-amz-target"];
  return {
    accessKeyId: /Credential=([^/]+)\//.exec(request.headers.authorization ?? "")?.[1] ?? "",
    action:
      (typeof target === "string" ? target.split(".")[1] : /Action=(\w+)/.exec(body)?.[1]) ??
      request.method ??
      "",
    url: request.url ?? "",
    body,
  };
}

export async function startFakeAws(): Promise<FakeAws> {
  const calls: Call[] = [];
  const sample = await readFile(path.join(PROGRAM_DIR, "sample.jpg"));
  const server = createServer((request, response) => {
    void readCall(request).then((call) => {
      calls.push(call);
      answer(call, sample, response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    callsOf: (key) => calls.filter(({ accessKeyId }) => accessKeyId === key),
    stop() {
      server.closeAllConnections();
      server.close();
    },
  };
}
