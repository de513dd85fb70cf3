import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { S3Client } from "@aws-sdk/client-s3";
import { SNSClient } from "@aws-sdk/client-sns";
import { SQSClient } from "@aws-sdk/client-sqs";
import type { HttpRequest } from "../../http";

export const REGION = "eu-central-1";
export const ACCOUNT = "123456789012";
export const PLACE = { region: REGION, accountId: ACCOUNT };
export const KEY = {
  accessKeyId: "AKIAIOSFODNN7EXAMPLE",
  secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
  sessionToken: "session/token+==",
};

export interface Clients {
  dynamodb: DynamoDBClient;
  s3: S3Client;
  sns: SNSClient;
  sqs: SQSClient;
}

/** The real clients, without retries. */
export function clientsFor(endpoint: string, credentials = KEY): Clients {
  const settings = { endpoint, credentials, region: REGION, maxAttempts: 1 };
  return {
    dynamodb: new DynamoDBClient(settings),
    s3: new S3Client(settings),
    sns: new SNSClient(settings),
    sqs: new SQSClient(settings),
  };
}

export function destroyClients(clients: Clients): void {
  for (const client of Object.values(clients)) {
    (client as { destroy(): void }).destroy();
  }
}

/** The requests that real clients make, as a server reads them; each answer is empty. */
export async function capture(
  act: (clients: Clients, endpoint: string) => Promise<unknown>,
): Promise<HttpRequest[]> {
  const requests: HttpRequest[] = [];
  const server = createServer((incoming, outgoing) => {
    const chunks: Buffer[] = [];
    incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
    incoming.on("end", () => {
      requests.push({
        method: incoming.method ?? "",
        url: incoming.url ?? "",
        headers: incoming.headers as Record<string, string>,
        body: Buffer.concat(chunks),
      });
      outgoing.end("{}");
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const clients = clientsFor(endpoint);
  try {
    // Only the request matters; the client may reject the answer.
    await act(clients, endpoint).catch(() => undefined);
  } finally {
    destroyClients(clients);
    server.closeAllConnections();
    server.close();
  }
  return requests;
}

/** The one request of a call. */
export async function captureOne(
  act: (clients: Clients, endpoint: string) => Promise<unknown>,
): Promise<HttpRequest> {
  const [request] = await capture(act);
  if (!request) {
    throw new Error("The client sent nothing");
  }
  return request;
}
