import { createRequire } from "node:module";
import { cacheExpressions, type ExpressionParser } from "./expressionCache";

/** An item or a key in DynamoDB JSON, such as `{ event_id: { S: "…" } }`. */
export type Item = Record<string, Record<string, unknown>>;

type Callback<T> = (error: Error | null, value?: T) => void;

/** dynalite's rows of one table; `put` and `del` are called only while `lock` holds the key. */
export interface ItemDb {
  lock: unknown;
  get(key: string, callback: Callback<Item>): void;
  put(key: string, item: Item, callback: Callback<void>): void;
  del(key: string, callback: Callback<void>): void;
}

/** A table as DescribeTable shows it. */
export interface TableDescription extends Record<string, unknown> {
  TableStatus: string;
  CreationDateTime: number;
}

interface ValueIterator {
  nextv(size: number): Promise<unknown[]>;
  close(): Promise<void>;
}

/** The part of dynalite's store that the engine builds on. */
export interface Store {
  db: {
    open(): Promise<void>;
    close(): Promise<void>;
    values(options: unknown): ValueIterator;
    createValueStream: (options: unknown) => NodeJS.ReadableStream;
  };
  tableDb: {
    awsRegion: string;
    awsAccountId: string;
    get(key: string, callback: Callback<TableDescription>): void;
    put(key: string, table: TableDescription, callback: Callback<void>): void;
  };
  getItemDb: (tableName: string) => ItemDb;
}

type Action = (store: Store, input: unknown, callback: Callback<unknown>) => void;

interface Validations {
  checkTypes(input: unknown, types: unknown): unknown;
  checkValidations(input: unknown, types: unknown, custom: unknown, store: Store): void;
}

// dynalite ships no types; these are the ones in use. Its parts are used without its HTTP server,
// whose errors in callbacks end the process.
const requireModule = createRequire(__filename);

// As buffers, which memory-level stores by default, rows are slices of pools of 64 KiB, each of which
// stays for its last row: 30 kB an upload. dynalite's keys are ASCII, so that strings sort alike.
const memoryLevel = requireModule("memory-level") as {
  MemoryLevel: new (options: Record<string, unknown>) => object;
};
const { MemoryLevel } = memoryLevel;
memoryLevel.MemoryLevel = class extends MemoryLevel {
  constructor(options: Record<string, unknown>) {
    super({ ...options, storeEncoding: "utf8" });
  }
};
const { create, itemSize } = requireModule("dynalite/db") as {
  create: (options: Record<string, unknown>) => Store;
  itemSize: (item: Item) => number;
};
const validations = requireModule("dynalite/validations") as Validations;
for (const name of ["conditionParser", "projectionParser", "updateParser"]) {
  cacheExpressions(requireModule(`dynalite/db/${name}`) as ExpressionParser);
}

const operations = new Set([
  "BatchGetItem",
  "BatchWriteItem",
  "CreateTable",
  "DeleteItem",
  "DeleteTable",
  "DescribeTable",
  "DescribeTimeToLive",
  "GetItem",
  "ListTables",
  "ListTagsOfResource",
  "PutItem",
  "Query",
  "Scan",
  "TagResource",
  "UntagResource",
  "UpdateItem",
  "UpdateTable",
]);

/** Opens a store: a LevelDB folder at `path`, or memory. Tables need no time to become active. */
export function createStore(path?: string): Store {
  return create({ path, createTableMs: 0, deleteTableMs: 0, updateTableMs: 0 });
}

/** An item's size in bytes as DynamoDB counts it: names and values, in UTF-8. */
export const itemBytes = itemSize;

/** dynalite's files of an operation. */
interface OperationParts {
  types: unknown;
  custom: unknown;
  action: Action;
}

const partsByOperation = new Map<string, OperationParts>();

/** Loaded when the operation is first called; `require` resolves a file's name anew each time. */
function partsOf(operation: string): OperationParts {
  let parts = partsByOperation.get(operation);
  if (!parts) {
    const file = operation.charAt(0).toLowerCase() + operation.slice(1);
    const { types, custom } = requireModule(`dynalite/validations/${file}`) as Record<
      string,
      unknown
    >;
    parts = { types, custom, action: requireModule(`dynalite/actions/${file}`) as Action };
    partsByOperation.set(operation, parts);
  }
  return parts;
}

/** True if dynalite implements the operation (`PutItem`, …). */
export function isImplemented(operation: string): boolean {
  return operations.has(operation);
}

/**
 * Runs one operation on the store.
 * @param operation a name for which {@link isImplemented} holds
 * @returns the operation's answer, as it goes out as JSON
 * @throws {Error} with `statusCode` and `body` where it is DynamoDB's own error
 */
export async function run(store: Store, operation: string, input: unknown): Promise<unknown> {
  const { types, custom, action } = partsOf(operation);
  const checked = validations.checkTypes(input, types);
  validations.checkValidations(checked, types, custom, store);
  return new Promise((resolve, reject) => {
    action(store, checked, (error, answer) => {
      if (error) {
        reject(error);
      } else {
        resolve(answer);
      }
    });
  });
}
