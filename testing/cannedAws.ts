import { readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import * as path from "node:path";
import { PROGRAM_DIR } from "../start/programDir";

/** A request of an AWS client. */
export interface Call {
  /** The access key that signed it. */
  accessKeyId: string;
  /** The action; for S3 the HTTP method. */
  action: string;
  url: string;
  body: string;
  /** The same in each request of one call: the SDK repeats one whose connection was slow. */
  invocationId: string | undefined;
}

/** A server in place of AWS. It answers with canned responses, and records each call once. */
export interface CannedAws {
  endpoint: string;
  calls: Call[];
  stop: () => void;
}

/** Bytes of the first range that process reads. */
const RANGE_BYTES = 64 * 1024;

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
    invocationId: request.headers["amz-sdk-invocation-id"]?.toString(),
  };
}

/** A `processed` row, not yet notified, for each key of a BatchGetItem. */
function processedRows(body: string): Record<string, object[]> {
  const { RequestItems } = JSON.parse(body) as { RequestItems: Record<string, { Keys: object[] }> };
  const tables = Object.entries(RequestItems).map(([tableName, { Keys }]) => [
    tableName,
    Keys.map((key) => ({ ...key, event_status: { S: "processed" } })),
  ]);
  return Object.fromEntries(tables) as Record<string, object[]>;
}

export function answerJson(response: ServerResponse, body: object): void {
  response.setHeader("content-type", "application/x-amz-json-1.0");
  response.end(JSON.stringify(body));
}

/** Answers with the first bytes of a picture. */
export function answerPicture(response: ServerResponse): void {
  const picture = readFileSync(path.join(PROGRAM_DIR, "sample.jpg"));
  response.writeHead(206, {
    "content-type": "image/jpeg",
    "content-range": `bytes 0-${RANGE_BYTES - 1}/${picture.length}`,
  });
  response.end(picture.subarray(0, RANGE_BYTES));
}

/** Answers calls with the same answer for every Lambda. @returns whether it answered */
export function answerCommonCall({ action, url, body }: Call, response: ServerResponse): boolean {
  if (action === "Publish") {
    response.setHeader("content-type", "text/xml");
    response.end(
      "<PublishResponse><PublishResult><MessageId>m</MessageId></PublishResult></PublishResponse>",
    );
  } else if (url.includes("list-type=2")) {
    response.setHeader("content-type", "application/xml");
    response.end("<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>");
  } else if (action === "BatchGetItem") {
    answerJson(response, { Responses: processedRows(body) });
  } else if (action === "PUT") {
    response.end();
  } else {
    return false;
  }
  return true;
}

/** Starts the server on a free port of 127.0.0.1. */
export async function startCannedAws(
  answer: (call: Call, response: ServerResponse) => void,
): Promise<CannedAws> {
  const calls: Call[] = [];
  const server = createServer((request, response) => {
    readCall(request).then(
      (call) => {
        const { invocationId } = call;
        if (!invocationId || !calls.some((other) => other.invocationId === invocationId)) {
          calls.push(call);
        }
        answer(call, response);
      },
      // The calling process has ended.
      () => response.destroy(),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls,
    stop: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
