import * as path from "node:path";
import type { Item } from "./dynalite";
import type { DynamoDbEngine, TableDefinition } from "./engine";
import { createStreamLog, type StreamLog } from "./streams/streamLog";

export interface TablesOptions {
  dynamoDb: DynamoDbEngine;
  region: string;
  /** Keeps the streams between runs; without it they are in memory. */
  dataDir?: string;
  /** Called for each row of a table with a stream that was put or changed. */
  onItem?: (
    tableName: string,
    newImage: Record<string, unknown>,
    oldImage: Record<string, unknown> | undefined,
  ) => void;
}

/** The tables of a program, each with its stream if it has one. */
export interface Tables {
  create(table: TableDefinition): Promise<void>;
  /** @throws Error for an ARN that no table's stream has */
  stream(streamArn: string): StreamLog;
  /** The last position of each stream: it changes with every record. */
  positions(): number[];
  /** Closes the streams. Nothing may be written to a table after it. */
  close(): void;
}

export function createTables({ dynamoDb, region, dataDir, onItem }: TablesOptions): Tables {
  const streams = new Map<string, StreamLog>();
  return {
    async create(table) {
      await dynamoDb.createTable(table);
      const { tableName, hashKey, streamViewType } = table;
      if (!streamViewType) {
        return;
      }
      const streamArn = dynamoDb.streamArn(tableName);
      const stream = createStreamLog({
        streamArn,
        region,
        streamViewType,
        partitionKey: hashKey,
        folder: dataDir && path.join(dataDir, "streams", tableName),
      });
      await stream.check((keys) => readRow(dynamoDb, tableName, keys));
      streams.set(streamArn, stream);
      dynamoDb.onChange(tableName, (change) => {
        const settle = stream.append(change);
        return (written) => {
          settle(written);
          if (written && change.newImage) {
            onItem?.(tableName, change.newImage, change.oldImage);
          }
        };
      });
    },
    stream(streamArn) {
      const stream = streams.get(streamArn);
      if (!stream) {
        throw new Error(`There is no stream ${streamArn}.`);
      }
      return stream;
    },
    positions: () => [...streams.values()].map(({ lastPosition }) => lastPosition),
    close() {
      for (const stream of streams.values()) {
        stream.close();
      }
    },
  };
}

async function readRow(
  dynamoDb: Pick<DynamoDbEngine, "handle">,
  tableName: string,
  key: Item,
): Promise<Item | undefined> {
  const { status, body } = await dynamoDb.handle({
    method: "POST",
    url: "/",
    headers: { "x-amz-target": "DynamoDB_20120810.GetItem" },
    body: Buffer.from(JSON.stringify({ TableName: tableName, Key: key, ConsistentRead: true })),
  });
  const answer = JSON.parse(body.toString()) as { Item?: Item };
  if (status !== 200) {
    throw new Error(`A row of the table "${tableName}" cannot be read: ${body.toString()}`);
  }
  return answer.Item;
}
