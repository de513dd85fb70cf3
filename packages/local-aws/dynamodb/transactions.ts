import { createHash } from "node:crypto";
import {
  type Commit,
  isServiceError,
  type Item,
  itemBytes,
  itemKey,
  type ItemWrite,
  prepare,
  readTable,
  type ServiceError,
  stagedStore,
  type Store,
  validationError,
} from "./dynalite";

// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
const MAX_PARTS = 100;
const MAX_BYTES = 4 * 1024 * 1024;
const TOKEN_MS = 10 * 60 * 1000;
/** A transaction prepares and commits, each of which costs as much as the write or read alone. */
const COST = 2;

/** The operation that carries out a part; a check is a delete whose write is dropped. */
const OPERATIONS: Partial<Record<string, string>> = {
  ConditionCheck: "DeleteItem",
  Delete: "DeleteItem",
  Get: "GetItem",
  Put: "PutItem",
  Update: "UpdateItem",
};

type PartInput = Record<string, unknown> & { TableName: string; Key?: Item; Item?: Item };

interface Capacity {
  TableName: string;
  CapacityUnits: number;
}

interface Answer {
  Item?: Item;
  ConsumedCapacity?: Capacity;
}

interface Part {
  kind: string;
  input: PartInput;
  run: (store: Store) => Promise<unknown>;
}

interface Input {
  TransactItems?: unknown;
  ClientRequestToken?: string;
  ReturnConsumedCapacity?: string;
}

interface Reason {
  Code: string;
  Message?: string;
  Item?: unknown;
}

/** A transaction with a token. */
interface Known {
  digest: string;
  /** A promise until it is carried out. */
  answer: unknown;
  /** Milliseconds since 1970. */
  at: number;
}

/** DynamoDB's transactions; each is alone with its items from its first read to its write. */
export interface Transactions {
  /** @throws ServiceError TransactionCanceledException, ValidationException, … */
  TransactWriteItems(input: Input): Promise<unknown>;
  TransactGetItems(input: Input): Promise<unknown>;
}

/** The same for equal requests, in whatever order their fields are: a request itself takes kilobytes. */
function digestOf(request: Input): string {
  const text = JSON.stringify(request, (_name, value: unknown) =>
    typeof value === "object" && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  );
  return createHash("sha256").update(text).digest("base64");
}

/** @param commit writes the items of a transaction together */
export function createTransactions(store: Store, commit: Commit): Transactions {
  /** By token, oldest first. */
  const known = new Map<string, Known>();

  async function write(input: Input): Promise<unknown> {
    const parts = partsOf(store, input, ["ConditionCheck", "Delete", "Put", "Update"]);
    return alone(parts, async () => {
      const writes: ItemWrite[] = [];
      const answers = await runAll(parts, (part) =>
        stagedStore(store, (staged) => {
          if (part.kind !== "ConditionCheck") {
            writes.push(staged);
          }
        }),
      );
      if (writes.reduce((sum, { item }) => sum + (item ? itemBytes(item) : 0), 0) > MAX_BYTES) {
        throw validationError("Transaction payload size exceeds the limit of 4 MB");
      }
      await commit(writes);
      return capacityOf(answers);
    });
  }

  /** Locks the items of all parts, table by table in one order, so that no two wait for each other. */
  async function alone<T>(parts: readonly Part[], use: () => Promise<T>): Promise<T> {
    const keys = new Map<string, string[]>();
    const found = await eachPart(parts, async ({ input }) =>
      itemKey(await readTable(store, input.TableName), input),
    );
    parts.forEach(({ input }, index) => {
      const ofTable = keys.get(input.TableName) ?? [];
      const key = found[index] ?? "";
      if (ofTable.includes(key)) {
        throw validationError("Transaction request cannot include multiple operations on one item");
      }
      keys.set(input.TableName, [...ofTable, key]);
    });
    let step = use;
    for (const [tableName, ofTable] of [...keys].sort(([a], [b]) => (a < b ? 1 : -1))) {
      const inner = step;
      step = () =>
        new Promise<T>((resolve, reject) => {
          store.getItemDb(tableName).lock(ofTable, (release) => {
            inner().then(release(resolve), release(reject));
          });
        });
    }
    return step();
  }

  return {
    async TransactWriteItems(input) {
      const { ClientRequestToken: token } = input;
      if (token === undefined) {
        return write(input);
      }
      if (typeof token !== "string" || !/^.{1,36}$/s.test(token)) {
        throw validationError("ClientRequestToken takes 1 to 36 characters");
      }
      for (const [past, { at }] of known) {
        if (at >= Date.now() - TOKEN_MS) {
          break;
        }
        known.delete(past);
      }
      const before = known.get(token);
      const digest = digestOf(input);
      if (before && before.digest !== digest) {
        throw serviceError(
          "IdempotentParameterMismatchException",
          "The ClientRequestToken was used with other parameters in the last ten minutes",
        );
      }
      if (before) {
        return before.answer;
      }
      const answer = write(input);
      const transaction: Known = { digest, answer, at: Date.now() };
      known.set(token, transaction);
      answer.then(
        (value) => {
          // A promise takes several times as much, and there are ten minutes' worth of them.
          transaction.answer = value;
        },
        // What was canceled may be tried again.
        () => known.delete(token),
      );
      return answer;
    },

    async TransactGetItems(input) {
      const parts = partsOf(store, input, ["Get"]);
      const answers = await alone(parts, () => runAll(parts, () => store));
      return {
        ...capacityOf(answers),
        Responses: answers.map(({ Item: item }) => (item ? { Item: item } : {})),
      };
    },
  };
}

function partsOf(store: Store, input: Input, kinds: readonly string[]): Part[] {
  const { TransactItems: items, ReturnConsumedCapacity } = input;
  if (!Array.isArray(items) || items.length < 1 || items.length > MAX_PARTS) {
    throw validationError(
      "1 validation error detected: Value at 'transactItems' failed to satisfy constraint: " +
        `Member must have length between 1 and ${MAX_PARTS}`,
    );
  }
  return items.map((item: Record<string, PartInput>) => {
    const [[kind, part] = ["", undefined], ...others] = Object.entries(item);
    const operation = kinds.includes(kind) ? OPERATIONS[kind] : undefined;
    if (!part || !operation || others.length > 0) {
      throw validationError(
        `Each of TransactItems has one of ${kinds.join(", ")}; this one has ` +
          (Object.keys(item).join(", ") || "none"),
      );
    }
    if (kind === "ConditionCheck" && typeof part.ConditionExpression !== "string") {
      throw validationError("A ConditionCheck needs a ConditionExpression");
    }
    const run = prepare(store, operation, { ...part, ReturnConsumedCapacity });
    return { kind, input: part, run };
  });
}

/** Runs all parts, one after the other. */
function runAll(parts: readonly Part[], storeOf: (part: Part) => Store): Promise<Answer[]> {
  return eachPart(parts, (part) => part.run(storeOf(part)) as Promise<Answer>);
}

/** @throws ServiceError TransactionCanceledException with the reason of each part, if one fails */
async function eachPart<T>(parts: readonly Part[], use: (part: Part) => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  const reasons: Reason[] = [];
  for (const part of parts) {
    try {
      results.push(await use(part));
      reasons.push({ Code: "None" });
    } catch (error) {
      reasons.push(reasonOf(error));
    }
  }
  if (results.length === parts.length) {
    return results;
  }
  const codes = reasons.map(({ Code }) => Code).join(", ");
  throw serviceError(
    "TransactionCanceledException",
    `Transaction cancelled, please refer cancellation reasons for specific reasons [${codes}]`,
    { CancellationReasons: reasons },
  );
}

/** @throws the error that is not one of the part alone */
function reasonOf(error: unknown): Reason {
  const body = isServiceError(error) ? error.body : undefined;
  const code = body?.__type.split("#").pop();
  if (code === "ConditionalCheckFailedException") {
    return {
      Code: "ConditionalCheckFailed",
      Message: body?.message,
      ...(body?.Item !== undefined && { Item: body.Item }),
    };
  }
  if (code === "ValidationException") {
    return { Code: "ValidationError", Message: body?.message };
  }
  throw error;
}

function capacityOf(answers: readonly Answer[]): { ConsumedCapacity?: Capacity[] } {
  const consumed = answers.flatMap(({ ConsumedCapacity }) => ConsumedCapacity ?? []);
  if (consumed.length === 0) {
    return {};
  }
  const byTable = Map.groupBy(consumed, ({ TableName }) => TableName);
  return {
    ConsumedCapacity: [...byTable].map(([TableName, ofTable]) => ({
      TableName,
      CapacityUnits: ofTable.reduce((sum, { CapacityUnits }) => sum + COST * CapacityUnits, 0),
    })),
  };
}

function serviceError(code: string, message: string, details: object = {}): ServiceError {
  return Object.assign(new Error(message), {
    statusCode: 400,
    body: { __type: `com.amazonaws.dynamodb.v20120810#${code}`, message, ...details },
  });
}
