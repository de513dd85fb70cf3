import { DynamoDBClient, paginateScan } from "@aws-sdk/client-dynamodb";
import { S3Client } from "@aws-sdk/client-s3";
import type { Credentials } from "local-aws";
import type { FileEvent } from "../events/event";
import { fromItem, type Item } from "../events/item";

/** Where a local run serves AWS, and the keys to sign with. A `Run` is one. */
export interface Endpoint {
  endpoint: string;
  region: string;
  credentials: Pick<Credentials, "accessKeyId" | "secretAccessKey">;
}

/** AWS clients of a local run's operator, who may call every action. */
export interface Clients {
  s3: S3Client;
  dynamo: DynamoDBClient;
  destroy: () => void;
}

/** The settings of any AWS client for a local run. */
export function clientSettings({ endpoint, region, credentials }: Endpoint): Endpoint {
  return { endpoint, region, credentials };
}

/** @param options.s3Attempts requests for one S3 call, the first included. @default 3, the SDK's */
export function clientsOf(run: Endpoint, { s3Attempts }: { s3Attempts?: number } = {}): Clients {
  const settings = clientSettings(run);
  const s3 = new S3Client({ ...settings, maxAttempts: s3Attempts });
  const dynamo = new DynamoDBClient(settings);
  return {
    s3,
    dynamo,
    destroy() {
      s3.destroy();
      dynamo.destroy();
    },
  };
}

/** Of a scan; a page of the largest size, 1 MB, is there several times over while it is read in this process. */
const PAGE_EVENTS = 200;

/** All events of an event table, a page at a time, by a consistent scan. */
export async function* eventPages(
  dynamo: DynamoDBClient,
  tableName: string,
): AsyncGenerator<FileEvent[]> {
  const input = { TableName: tableName, ConsistentRead: true, Limit: PAGE_EVENTS };
  for await (const { Items: items = [] } of paginateScan({ client: dynamo }, input)) {
    yield items.map((item) => fromItem(item as Item));
  }
}

/** All events of an event table, by a consistent scan. */
export async function scanEvents(dynamo: DynamoDBClient, tableName: string): Promise<FileEvent[]> {
  const events: FileEvent[] = [];
  for await (const page of eventPages(dynamo, tableName)) {
    events.push(...page);
  }
  return events;
}
