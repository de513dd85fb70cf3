import { createRequire } from "node:module";
import { promisify } from "node:util";
import { cacheExpressions, type ExpressionParser } from "./expressionCache";

/** An item or a key in DynamoDB JSON, such as `{ event_id: { S: "…" } }`. */
export type Item = Record<string, Record<string, unknown>>;

type Callback<T> = (error: Error | null, value?: T) => void;

/** Returns the function that ends the lock and calls `done`. */
type Release = <Done extends (...values: never[]) => void>(done: Done) => Done;

/** dynalite's rows of one table; `put` and `del` are called only while `lock` holds the key. */
export interface ItemDb {
  /** Calls `use` when it has all keys, which are distinct. */
  lock(keys: string | readonly string[], use: (release: Release) => void): void;
  get(key: string, callback: Callback<Item>): void;
  put(key: string, item: Item, callback: Callback<void>): void;
  del(key: string, callback: Callback<void>): void;
}

/** A change of the underlying store, by its full key. */
type Operation = { type: "put"; key: string; value: unknown } | { type: "del"; key: string };

/** A change of one item. */
export interface ItemWrite {
  tableName: string;
  oldItem: Item | undefined;
  /** Undefined: it is deleted. */
  item: Item | undefined;
  /** The item and its index entries. */
  operations: Operation[];
}

/** Writes items, all or none of them. */
export type Commit = (writes: readonly ItemWrite[]) => Promise<void>;

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
    open(options?: object): Promise<void>;
    close(): Promise<void>;
    get(key: string, callback: Callback<unknown>): void;
    getSync(key: string): unknown;
    batch(operations: readonly Operation[]): Promise<void>;
    values(options: unknown): ValueIterator;
    createValueStream: (options: unknown) => NodeJS.ReadableStream;
  };
  tableDb: {
    awsRegion: string;
    awsAccountId: string;
    get(key: string, callback: Callback<TableDescription>): void;
    put(key: string, table: TableDescription, callback: Callback<void>): void;
  };
  getTable(name: string, callback: Callback<TableDescription>): void;
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
const database = requireModule("dynalite/db") as {
  create: (options: Record<string, unknown>) => Store;
  itemSize: (item: Item) => number;
  createKey: (keyOrItem: Item, table: TableDescription) => string;
  validateKey: (key: Item, table: TableDescription) => ServiceError | undefined;
  validateItem: (item: Item, table: TableDescription) => ServiceError | undefined;
  validationError: (message: string) => ServiceError;
  checkConditional: (input: Conditional, item?: Item) => ServiceError | undefined;
  getIndexActions: (
    indexes: readonly unknown[],
    oldItem: Item | undefined,
    item: Item | undefined,
    table: TableDescription,
  ) => Record<"puts" | "deletes", { index: string; key: string; item: Item }[]>;
  updateIndexes: (
    store: Store,
    table: TableDescription,
    oldItem: Item | undefined,
    item: Item | null,
    callback: Callback<void>,
  ) => void;
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

/** What is about to be written; dynalite calls `put` or `del` in the callback of `updateIndexes`. */
let next: Omit<ItemWrite, "tableName"> | undefined;

// dynalite writes an item's index entries one by one, and then the item: a process that is killed in
// between leaves entries without an item. Here they are part of the item's own write.
database.updateIndexes = (_store, table, oldItem, item, callback) => {
  const operations = ["Local", "Global"].flatMap((kind) => {
    const indexes = (table[`${kind}SecondaryIndexes`] ?? []) as unknown[];
    return entryOperations(table, { kind, indexes }, oldItem, item ?? undefined);
  });
  next = { oldItem, item: item ?? undefined, operations };
  callback(null);
};

/** The changes of a table's indexes of one kind that a write of an item brings. */
function entryOperations(
  table: TableDescription,
  { kind, indexes }: { kind: string; indexes: readonly unknown[] },
  oldItem: Item | undefined,
  item: Item | undefined,
): Operation[] {
  const actions = database.getIndexActions(indexes, oldItem, item, table);
  const keyOf = ({ index, key }: { index: string; key: string }): string =>
    `index-${kind.toLowerCase()}~${String(table.TableName)}~${index}~${key}`;
  return [
    ...actions.deletes.map((action) => ({ type: "del" as const, key: keyOf(action) })),
    ...actions.puts.map((action) => ({
      type: "put" as const,
      key: keyOf(action),
      value: action.item,
    })),
  ];
}

/**
 * The entries of items in some of their table's global indexes. An item whose attribute is no key of the
 * index, by its type or size, has none, as on AWS.
 */
export function putEntries(
  table: TableDescription,
  indexes: readonly unknown[],
  items: readonly Item[],
): Operation[] {
  const fitting = items.filter((item) => database.validateItem(item, table) === undefined);
  return fitting.flatMap((item) =>
    entryOperations(table, { kind: "Global", indexes }, undefined, item),
  );
}

/** The parameters of a conditional write. */
interface Conditional {
  ReturnValuesOnConditionCheckFailure?: "ALL_OLD" | "NONE";
}

const { checkConditional } = database;
database.checkConditional = (input, item) => {
  const error = checkConditional(input, item);
  if (error && item && input.ReturnValuesOnConditionCheckFailure === "ALL_OLD") {
    error.body.Item = item;
  }
  return error;
};

/**
 * LevelDB maps the tables that it has open into memory, where all that is read of a large database would
 * count as this process's. These are its minimums: 64 tables (and 10 other files), most of them of 1 MiB.
 */
const LEVEL_OPTIONS = { maxOpenFiles: 74, maxFileSize: 1 << 20 };

/**
 * Opens a store: a LevelDB folder at `path`, or memory. Tables need no time to become active.
 *
 * @param commit makes every write of an item, with its index entries
 */
export function createStore(path: string | undefined, commit: Commit): Store {
  const store = database.create({ path, createTableMs: 0, deleteTableMs: 0, updateTableMs: 0 });
  const { db, getItemDb } = store;
  // Before the store opens itself, without options, which dynalite has not. An error is that of the next `open`.
  db.open(LEVEL_OPTIONS).catch(() => undefined);
  // Rows are small, and mostly in a cache: a read by the thread pool costs several times as much.
  db.get = (key, callback) => {
    try {
      setImmediate(callback, null, db.getSync(key));
    } catch (error) {
      setImmediate(callback, error as Error);
    }
  };
  store.getItemDb = (tableName) =>
    withWrites(getItemDb(tableName), tableName, (write, callback) => {
      commit([write]).then(() => {
        callback(null);
      }, callback);
    });
  return store;
}

function withWrites(
  itemDb: ItemDb,
  tableName: string,
  write: (write: ItemWrite, callback: Callback<void>) => void,
): ItemDb {
  const take = (operation: Operation): ItemWrite => {
    const { oldItem, item, operations = [] } = next ?? { oldItem: undefined, item: undefined };
    next = undefined;
    return { tableName, oldItem, item, operations: [...operations, operation] };
  };
  const itemKey = (key: string): string => `item-${tableName}~${key}`;
  return {
    ...itemDb,
    put: (key, item, callback) => {
      write(take({ type: "put", key: itemKey(key), value: item }), callback);
    },
    del: (key, callback) => {
      write(take({ type: "del", key: itemKey(key) }), callback);
    },
  };
}

/**
 * A view of a store for one who holds the locks of all items that are written.
 *
 * @param write gets the writes, which are not made
 */
export function stagedStore(store: Store, write: (write: ItemWrite) => void): Store {
  return {
    ...store,
    getItemDb: (tableName) => ({
      ...withWrites(store.getItemDb(tableName), tableName, (staged, callback) => {
        write(staged);
        callback(null);
      }),
      lock: (_keys, use) => {
        use((done) => done);
      },
    }),
  };
}

/** An item's size in bytes as DynamoDB counts it: names and values, in UTF-8. */
export const itemBytes = database.itemSize;

/** DynamoDB's own error, as its answer says it. */
export interface ServiceError extends Error {
  statusCode: number;
  body: { __type: string; message: string } & Record<string, unknown>;
}

/** ValidationException 400. */
export const { validationError } = database;

/** @throws ServiceError ResourceNotFoundException 400 */
export function readTable(store: Store, name: string): Promise<TableDescription> {
  return promisify(store.getTable.bind(store))(name) as Promise<TableDescription>;
}

/**
 * The key of an item in its table's {@link ItemDb}.
 *
 * @throws ServiceError ValidationException 400 for a key that is not one of the table
 */
export function itemKey(
  table: TableDescription,
  { Key, Item: item }: { Key?: Item; Item?: Item },
): string {
  const invalid = item
    ? database.validateItem(item, table)
    : database.validateKey(Key ?? {}, table);
  if (invalid) {
    throw invalid;
  }
  return database.createKey(item ?? Key ?? {}, table);
}

/** dynalite's files of an operation. */
interface OperationParts {
  types: unknown;
  custom: unknown;
  action: (store: Store, input: unknown) => Promise<unknown>;
}

const CONDITIONAL = new Set(["DeleteItem", "PutItem", "UpdateItem"]);

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
    const action = promisify(requireModule(`dynalite/actions/${file}`) as Action);
    parts = { types, custom, action };
    if (CONDITIONAL.has(operation)) {
      Object.assign(types as object, {
        ReturnValuesOnConditionCheckFailure: { type: "String", enum: ["ALL_OLD", "NONE"] },
      });
    }
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
 * @throws ServiceError
 */
export async function run(store: Store, operation: string, input: unknown): Promise<unknown> {
  return prepare(store, operation, input)(store);
}

/**
 * Checks the input of an operation.
 * @returns runs it on a store, once
 * @throws ServiceError
 */
export function prepare(
  store: Store,
  operation: string,
  input: unknown,
): (store: Store) => Promise<unknown> {
  const { types, custom, action } = partsOf(operation);
  const checked = validations.checkTypes(input, types);
  validations.checkValidations(checked, types, custom, store);
  return (target) => action(target, checked);
}

export function isServiceError(error: unknown): error is ServiceError {
  return typeof error === "object" && error !== null && "statusCode" in error;
}
