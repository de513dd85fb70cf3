import { randomUUID } from "node:crypto";
import { Readable } from "node:stream";
import { setImmediate, setTimeout } from "node:timers/promises";
import { isDeepStrictEqual, promisify } from "node:util";
import type { HttpRequest, HttpResponse } from "../http";
import { StartError } from "../startError";
import { type ChangeListener, observeChanges } from "./changeFeed";
import {
  createStore,
  isImplemented,
  isServiceError,
  run,
  type Store,
  type TableDescription,
} from "./dynalite";
import { addedIndexes, fillIndexes } from "./newIndexes";
import { createTransactions, type Transactions } from "./transactions";

export type StreamViewType = "KEYS_ONLY" | "NEW_IMAGE" | "OLD_IMAGE" | "NEW_AND_OLD_IMAGES";

/** A table's definition, with the names of `aws.dynamodb.Table`. Billing is always on demand. */
export interface TableDefinition {
  tableName: string;
  hashKey: string;
  rangeKey?: string;
  /** The attributes that keys use; type is `S`, `N` or `B`. */
  attributes: { name: string; type: string }[];
  globalSecondaryIndexes: {
    name: string;
    hashKey: string;
    rangeKey?: string;
    /** `ALL`, `KEYS_ONLY` or `INCLUDE`. */
    projectionType: string;
    nonKeyAttributes?: string[];
  }[];
  /** Set: the table has a stream. */
  streamViewType?: StreamViewType;
}

/** DynamoDB in this process. */
export interface DynamoDbEngine {
  /**
   * Answers one request of DynamoDB's JSON protocol. Does not check signatures, and never rejects:
   * an internal failure is answered as InternalServerError (500).
   */
  handle(request: HttpRequest): Promise<HttpResponse>;
  /**
   * Opens the folder, for this process alone.
   * @throws {StartError} if another process has it open
   */
  open(): Promise<void>;
  /**
   * Creates a table, ready at once, or keeps the one of an earlier run, to which it adds new indexes.
   * @throws {StartError} if the folder holds this table with other keys, or an index that has changed
   */
  createTable(table: TableDefinition): Promise<void>;
  /** `arn:aws:dynamodb:<region>:<account>:table/<name>`. */
  tableArn(tableName: string): string;
  /** The same from run to run. @throws {Error} if `createTable` made no such table with a stream */
  streamArn(tableName: string): string;
  /** @throws {Error} if `createTable` made no such table */
  onChange(tableName: string, listener: ChangeListener): void;
  /** Waits for open requests (half a second at most), refuses new ones and closes the store. */
  close(): Promise<void>;
}

export interface DynamoDbOptions {
  /** A folder of its own that keeps the tables between runs; without one they are in memory. */
  path?: string;
  region: string;
  /** Twelve digits. */
  accountId: string;
}

interface OpenTable {
  keyNames: string[];
  streamArn?: string;
  listeners: ChangeListener[];
}

const SERVICE = "com.amazonaws.dynamodb.v20120810#";
const CORAL = "com.amazon.coral.service#";

export function createDynamoDb({ path, region, accountId }: DynamoDbOptions): DynamoDbEngine {
  const tables = new Map<string, OpenTable>();
  const commit = observeChanges(
    (writes) => store.db.batch(writes.flatMap(({ operations }) => operations)),
    (name) => tables.get(name),
  );
  const store = createStore(path, commit);
  const transactions = createTransactions(store, commit);
  store.tableDb.awsRegion = region;
  store.tableDb.awsAccountId = accountId;
  closeIterators(store);

  const running = new Set<Promise<unknown>>();
  let closed = false;

  const tableArn = (name: string): string =>
    `arn:aws:dynamodb:${region}:${accountId}:table/${name}`;

  const openTable = (name: string): OpenTable => {
    const table = tables.get(name);
    if (table) {
      return table;
    }
    throw new Error(`There is no DynamoDB table "${name}": it must be made by createTable first.`);
  };

  async function open(): Promise<void> {
    await store.db.open().catch((error: unknown) => {
      throw new StartError(
        `The folder ${path ?? ""} cannot be opened: most likely another run uses it. ` +
          "End that run, or start this one with another folder.",
        undefined,
        { cause: error },
      );
    });
  }

  return {
    async handle(request) {
      if (closed) {
        return failure(503, `${CORAL}ServiceUnavailableException`, "The local DynamoDB is closed.");
      }
      const answer = respond(store, transactions, request);
      running.add(answer);
      try {
        return await answer;
      } finally {
        running.delete(answer);
      }
    },

    open,

    async createTable(definition) {
      await open();
      const table = await createOrKeep(store, definition, path);
      const label = new Date(table.CreationDateTime * 1000).toISOString().slice(0, -1);
      const { tableName, hashKey, rangeKey, streamViewType } = definition;
      const streamArn = streamViewType && `${tableArn(tableName)}/stream/${label}`;
      await promisify(store.tableDb.put.bind(store.tableDb))(tableName, {
        ...table,
        TableStatus: "ACTIVE",
        ...(streamViewType && {
          StreamSpecification: { StreamEnabled: true, StreamViewType: streamViewType },
          LatestStreamLabel: label,
          LatestStreamArn: streamArn,
        }),
      });
      tables.set(tableName, {
        keyNames: rangeKey ? [hashKey, rangeKey] : [hashKey],
        streamArn,
        listeners: tables.get(tableName)?.listeners ?? [],
      });
    },

    tableArn,

    streamArn(tableName) {
      const { streamArn } = openTable(tableName);
      if (streamArn) {
        return streamArn;
      }
      throw new Error(`The DynamoDB table "${tableName}" has no stream: set its streamViewType.`);
    },

    onChange(tableName, listener) {
      openTable(tableName).listeners.push(listener);
    },

    async close() {
      if (closed) {
        return;
      }
      closed = true;
      const patience = new AbortController();
      await Promise.race([
        Promise.allSettled(running),
        setTimeout(500, undefined, { signal: patience.signal }),
      ]);
      patience.abort();
      await store.db.close();
    },
  };
}

async function respond(
  store: Store,
  transactions: Transactions,
  request: HttpRequest,
): Promise<HttpResponse> {
  const [, operation = ""] = (request.headers["x-amz-target"] ?? "").split(".");
  const isTransaction = operation === "TransactWriteItems" || operation === "TransactGetItems";
  if (!isTransaction && !isImplemented(operation)) {
    const message = `The local DynamoDB has no operation "${operation}".`;
    return failure(400, `${CORAL}UnknownOperationException`, message);
  }
  let input: unknown;
  try {
    input = JSON.parse(request.body.toString());
  } catch {
    return failure(400, `${CORAL}SerializationException`, "The request's body is not JSON.");
  }
  try {
    const answer = isTransaction
      ? transactions[operation](input as object)
      : run(store, operation, input);
    return respondJson(200, await answer);
  } catch (error) {
    if (isServiceError(error)) {
      return respondJson(error.statusCode, error.body);
    }
    const message = `The local DynamoDB failed in ${operation}: ${String(error)}`;
    return failure(500, `${SERVICE}InternalServerError`, message);
  }
}

function failure(status: number, type: string, message: string): HttpResponse {
  return respondJson(status, { __type: type, message });
}

function respondJson(status: number, answer: unknown): HttpResponse {
  return {
    status,
    headers: {
      "content-type": "application/x-amz-json-1.0",
      "x-amzn-requestid": randomUUID(),
    },
    body: Buffer.from(JSON.stringify(answer)),
  };
}

/** @returns the table's description without its stream, which each run sets; `createTable` stores it */
async function createOrKeep(
  store: Store,
  definition: TableDefinition,
  path: string | undefined,
): Promise<TableDescription> {
  const { tableName } = definition;
  const wanted = inputOf(definition);
  const read = promisify(store.tableDb.get.bind(store.tableDb));
  let table = await read(tableName);
  if (!table) {
    await run(store, "CreateTable", wanted);
    // dynalite sets the status in a timer of 0 ms, which would overwrite an earlier write.
    do {
      await setImmediate();
      table = await read(tableName);
    } while (table?.TableStatus !== "ACTIVE");
    return table;
  }
  const extended = addedIndexes(table, wanted);
  if (!isDeepStrictEqual(comparable(extended.table), comparable(wanted))) {
    throw new StartError(
      `The table "${tableName}" in the data folder ${path ?? ""} has other keys, attributes or ` +
        "indexes than the program asks for, and a table's keys cannot be changed in place. " +
        "Start with another data folder, or delete this one if its data is not needed.",
    );
  }
  if (extended.added.length > 0) {
    await fillIndexes(store, extended);
  }
  return Object.fromEntries(
    Object.entries(extended.table).filter(
      ([name]) => !/^(LatestStream|StreamSpecification)/.test(name),
    ),
  ) as TableDescription;
}

function inputOf(definition: TableDefinition): Record<string, unknown> {
  const { tableName, attributes, globalSecondaryIndexes } = definition;
  return {
    TableName: tableName,
    BillingMode: "PAY_PER_REQUEST",
    KeySchema: keySchema(definition),
    AttributeDefinitions: attributes.map(({ name, type }) => ({
      AttributeName: name,
      AttributeType: type,
    })),
    ...(globalSecondaryIndexes.length > 0 && {
      GlobalSecondaryIndexes: globalSecondaryIndexes.map((index) => ({
        IndexName: index.name,
        KeySchema: keySchema(index),
        Projection: {
          ProjectionType: index.projectionType,
          ...(index.nonKeyAttributes?.length && { NonKeyAttributes: index.nonKeyAttributes }),
        },
      })),
    }),
  };
}

function keySchema({ hashKey, rangeKey }: { hashKey: string; rangeKey?: string }): unknown[] {
  return [
    { AttributeName: hashKey, KeyType: "HASH" },
    ...(rangeKey ? [{ AttributeName: rangeKey, KeyType: "RANGE" }] : []),
  ];
}

/** The parts that decide whether data fit a table: keys, attributes and indexes, in any order. */
function comparable(table: Record<string, unknown>): unknown {
  const attributes = table.AttributeDefinitions as Record<string, string>[];
  const indexes = (table.GlobalSecondaryIndexes ?? []) as Record<string, unknown>[];
  return {
    keySchema: table.KeySchema,
    attributes: new Map(attributes.map((a) => [a.AttributeName, a.AttributeType])),
    indexes: new Map(indexes.map((i) => [i.IndexName, [i.KeySchema, i.Projection]])),
  };
}

/**
 * dynalite reads one row at a time and leaves the iterator open when a query ends before its range
 * does, so that every such query would hold a snapshot of the store until the end of the run (seen:
 * 2 KB for each query).
 */
function closeIterators(store: Store): void {
  store.db.createValueStream = (options) => {
    const iterator = store.db.values(options);
    return new Readable({
      objectMode: true,
      read() {
        iterator.nextv(100).then(
          (rows) => {
            rows.forEach((row) => this.push(row));
            if (rows.length === 0) {
              this.push(null);
            }
          },
          (error: unknown) => this.destroy(error as Error),
        );
      },
      destroy(error, callback) {
        iterator.close().then(
          () => {
            callback(error);
          },
          (failed: unknown) => {
            callback(error ?? (failed as Error));
          },
        );
      },
    });
  };
}
