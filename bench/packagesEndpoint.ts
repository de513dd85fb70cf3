import { readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import * as path from "node:path";
import { PROGRAM_DIR } from "../local/program";

/** AWS as far as one event of each Lambda needs it: it takes everything and has next to nothing. */
export interface Endpoint {
  url: string;
  /** The actions that were called with this access key, sorted; forgets them. */
  takeCalls(accessKeyId: string): string[];
  close(): void;
}

interface Call {
  accessKeyId: string;
  /** The action, or for S3 the method. */
  action: string;
  url: string;
  body: string;
}

const RANGE_BYTES = 64 * 1024;

const JSON_TYPE = "application/x-amz-json-1.0";

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

/** A `processed` row for each key that is asked for: one that people are still to be told of. */
function rowsFor(body: string): object {
  const { RequestItems } = JSON.parse(body) as { RequestItems: Record<string, { Keys: object[] }> };
  const tables = Object.entries(RequestItems).map(([tableName, { Keys }]) => [
    tableName,
    Keys.map((key) => ({ ...key, event_status: { S: "processed" } })),
  ]);
  return { Responses: Object.fromEntries(tables) as Record<string, object[]> };
}

function answer({ action, url, body }: Call, picture: Buffer, response: ServerResponse): void {
  switch (action) {
    case "Publish":
      response.setHeader("content-type", "text/xml");
      response.end(
        "<PublishResponse><PublishResult><MessageId>m</MessageId></PublishResult></PublishResponse>",
      );
      return;
    case "GET":
      if (url.includes("list-type=2")) {
        response.setHeader("content-type", "application/xml");
        response.end("<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>");
        return;
      }
      response.writeHead(206, {
        "content-type": "image/jpeg",
        "content-range": `bytes 0-${RANGE_BYTES - 1}/${picture.length}`,
      });
      response.end(picture.subarray(0, RANGE_BYTES));
      return;
    case "PUT":
    case "HEAD":
      response.end();
      return;
    case "BatchGetItem":
      response.setHeader("content-type", JSON_TYPE);
      response.end(JSON.stringify(rowsFor(body)));
      return;
    case "Query":
    case "Scan":
      response.setHeader("content-type", JSON_TYPE);
      response.end(JSON.stringify({ Items: [], Count: 0, ScannedCount: 0 }));
      return;
    default:
      response.setHeader("content-type", JSON_TYPE);
      response.end("{}");
  }
}

/** Starts the endpoint on a free port of 127.0.0.1. */
export async function startEndpoint(): Promise<Endpoint> {
  const calls: Call[] = [];
  const picture = readFileSync(path.join(PROGRAM_DIR, "sample.jpg"));
  const server = createServer((request, response) => {
    readCall(request).then(
      (call) => {
        calls.push(call);
        answer(call, picture, response);
      },
      // The process that called has ended.
      () => response.destroy(),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    takeCalls: (accessKeyId) => {
      const taken = calls.filter((call) => call.accessKeyId === accessKeyId);
      calls.splice(0, calls.length, ...calls.filter((call) => !taken.includes(call)));
      return taken.map(({ action }) => action).sort();
    },
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
