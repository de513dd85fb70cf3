import { Readable } from "node:stream";
import {
  DynamoDBClient,
  PutItemCommand,
  QueryCommand,
  UpdateItemCommand,
} from "@aws-sdk/client-dynamodb";
import { createDynamoDb, type HttpRequest } from "local-aws";
import { unlessConditionFailed } from "../../../runtime/awsErrors";
import { type Claim, claimKey, fromClaimItem } from "../../../store/links/claim";
import { linkItem, type UploadLink } from "../../../store/links/link";
import type { LinkStore } from "../../../store/links/linkStore";
import { ACCOUNT, REGION } from "../eventTable";
import { LINKS } from "./linkTable";
import { linkOf } from "./rows";

/** A table of links in memory. */
export interface TestLinks {
  store: LinkStore;
  /** Called before each request; what it throws is the request's outcome. */
  beforeRequest: (operation: string) => Promise<void>;
  /** Called after each request has taken effect; what it throws is lost with the answer. */
  afterRequest: (operation: string) => void;
  /** Puts a link that is open for an hour. */
  newLink(fields?: Partial<UploadLink>): Promise<UploadLink>;
  claimsOf(linkId: string): Promise<Claim[]>;
  close(): Promise<void>;
}

export async function openTestLinks(): Promise<TestLinks> {
  const db = createDynamoDb({ region: REGION, accountId: ACCOUNT });
  await db.createTable(LINKS);
  const dynamo = new DynamoDBClient({
    region: REGION,
    endpoint: "http://localhost",
    maxAttempts: 1,
    credentials: { accessKeyId: "id", secretAccessKey: "secret" },
    signer: { sign: (request) => Promise.resolve(request) },
    requestHandler: {
      async handle({ headers, body }: { headers: HttpRequest["headers"]; body: Uint8Array }) {
        const operation = String(headers["x-amz-target"]).split(".")[1] ?? "";
        await links.beforeRequest(operation);
        const request = { method: "POST", url: "/", headers, body: Buffer.concat([body]) };
        const answer = await db.handle(request);
        links.afterRequest(operation);
        const { status: statusCode } = answer;
        return { response: { ...answer, statusCode, body: Readable.from([answer.body]) } };
      },
    },
  });
  const links: TestLinks = {
    store: { dynamo, linksTableName: LINKS.tableName },
    beforeRequest: () => Promise.resolve(),
    afterRequest: () => undefined,
    async newLink(fields) {
      const link = linkOf(fields);
      await dynamo.send(new PutItemCommand({ TableName: LINKS.tableName, Item: linkItem(link) }));
      return link;
    },
    async claimsOf(linkId) {
      const { Items: items = [] } = await dynamo.send(
        new QueryCommand({
          TableName: LINKS.tableName,
          KeyConditionExpression: "link_id = :link AND begins_with(#item, :claim)",
          ExpressionAttributeNames: { "#item": "item" },
          ExpressionAttributeValues: { ":link": { S: linkId }, ":claim": { S: "claim#" } },
          ConsistentRead: true,
        }),
      );
      return items.map(fromClaimItem);
    },
    async close() {
      dynamo.destroy();
      await db.close();
    },
  };
  return links;
}

/** When a claim lapsed. */
export const LONG_AGO = "2026-01-01T00:00:00.000Z";

/** Lets the time of an open or completing claim run out. */
export async function runOut({ dynamo, linksTableName }: LinkStore, claim: Claim): Promise<void> {
  await unlessConditionFailed(
    dynamo.send(
      new UpdateItemCommand({
        TableName: linksTableName,
        Key: claimKey(claim.link_id, claim.event_id),
        UpdateExpression: "SET open_until = :past",
        ConditionExpression: "attribute_exists(open_until)",
        ExpressionAttributeValues: { ":past": { S: LONG_AGO } },
      }),
    ),
  );
}
