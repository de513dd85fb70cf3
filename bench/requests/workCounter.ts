import { DescribeTableCommand, DynamoDBClient, ListTablesCommand } from "@aws-sdk/client-dynamodb";
import {
  type AllowedCall,
  type HttpResponse,
  type Item,
  itemBytes,
  type ItemChange,
  logicalName,
} from "local-aws";
import type { Run, RunOptions } from "../../start/run";
import { clientSettings } from "../../testing/clients";
import { invocationGbSeconds } from "../model/durations";
import { PLATFORM_LOG_BYTES, type UploadWork } from "./uploadWork";

/** Counts the AWS work of a local run. */
export interface WorkCounter {
  /** Options of the run. */
  options: Required<Pick<RunOptions, "onInvocation" | "intercept" | "onEvent">>;
  /** Starts to count writes to the run's tables. */
  attach(run: Run): Promise<void>;
  /** Sets all counts to zero. */
  reset(): void;
  /** The counts, divided by this number of uploads. */
  workOf(uploads: number): UploadWork;
}

/** Lambdas on a schedule, which do not depend on uploads. */
const BACKGROUND = ["sweep"];

/** CloudWatch adds them to each entry (https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html). */
const LOG_ENTRY_BYTES = 26;

const WRITE_UNIT_BYTES = 1024;
const READ_UNIT_BYTES = 4096;

interface Index {
  keyNames: string[];
}

type Keys = Record<string, unknown>;

interface DynamoDbRequest {
  TableName?: string;
  Key?: Keys;
  ConsistentRead?: boolean;
  RequestItems?: Record<string, { Keys?: Keys[]; ConsistentRead?: boolean }>;
  TransactItems?: { Put?: { Item: Item }; ConditionCheck?: object }[];
}

interface DynamoDbAnswer {
  Items?: Item[];
  __type?: string;
}

interface Count {
  invocations: Record<string, number>;
  requests: Record<string, number>;
  tableWriteUnits: number;
  indexWriteUnitsByStatus: Record<string, number>;
  readUnits: number;
  mails: number;
  logBytes: number;
}

function nothing(): Count {
  return {
    invocations: {},
    requests: {},
    tableWriteUnits: 0,
    indexWriteUnitsByStatus: {},
    readUnits: 0,
    mails: 0,
    logBytes: 0,
  };
}

function add(counts: Record<string, number>, name: string, count = 1): void {
  counts[name] = (counts[name] ?? 0) + count;
}

function writeUnits(bytes: number): number {
  return Math.max(1, Math.ceil(bytes / WRITE_UNIT_BYTES));
}

function readUnits(bytes: number, consistent = false): number {
  return Math.max(1, Math.ceil(bytes / READ_UNIT_BYTES)) * (consistent ? 1 : 0.5);
}

function bytesOf(image: Item | undefined): number {
  return image ? itemBytes(image) : 0;
}

function statusOf(image: Item): string {
  const status = (image.event_status as { S?: string } | undefined)?.S;
  return status ?? "none";
}

function isIn({ keyNames }: Index, image: Item | undefined): image is Item {
  return image !== undefined && keyNames.every((name) => image[name] !== undefined);
}

function keyText(tableName: string, key: Keys): string {
  return JSON.stringify([
    tableName,
    ...Object.entries(key).toSorted(([a], [b]) => (a < b ? -1 : 1)),
  ]);
}

/**
 * Index write units of one change, by status: an entry whose key stays is written once, an entry
 * whose key changes is deleted and put
 * (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/GSI.html).
 */
export function indexWrites(
  index: Index,
  { oldImage, newImage }: Pick<ItemChange, "oldImage" | "newImage">,
): Record<string, number> {
  const units: Record<string, number> = {};
  const keyOf = (image: Item) => JSON.stringify(index.keyNames.map((name) => image[name]));
  const oldEntry = isIn(index, oldImage) ? oldImage : undefined;
  const newEntry = isIn(index, newImage) ? newImage : undefined;
  if (oldEntry && newEntry && keyOf(oldEntry) === keyOf(newEntry)) {
    return { [statusOf(newEntry)]: writeUnits(Math.max(bytesOf(oldEntry), bytesOf(newEntry))) };
  }
  for (const image of [oldEntry, newEntry]) {
    if (image) {
      add(units, statusOf(image), writeUnits(bytesOf(image)));
    }
  }
  return units;
}

/** Every table of the run, with its indexes. */
async function tablesOf(run: Run): Promise<{ tableName: string; indexes: Index[] }[]> {
  const dynamo = new DynamoDBClient(clientSettings(run));
  try {
    const { TableNames: names = [] } = await dynamo.send(new ListTablesCommand({}));
    return await Promise.all(
      names.map(async (tableName) => {
        const { Table: table } = await dynamo.send(
          new DescribeTableCommand({ TableName: tableName }),
        );
        const indexes = (table?.GlobalSecondaryIndexes ?? []).map(({ KeySchema: schema }) => ({
          keyNames: (schema ?? []).flatMap(({ AttributeName: name }) => name ?? []),
        }));
        return { tableName, indexes };
      }),
    );
  } finally {
    dynamo.destroy();
  }
}

function divided(counts: Record<string, number>, by: number): Record<string, number> {
  return Object.fromEntries(Object.entries(counts).map(([name, count]) => [name, count / by]));
}

/**
 * GB-seconds by Lambda, with the durations of bench/model/durations.ts in place of this machine's.
 * With one record for each upload, a Lambda's average batch is the inverse of its invocations.
 */
function gbSecondsOf(invocations: Record<string, number>): Record<string, number> {
  return Object.fromEntries(
    Object.entries(invocations).map(([lambda, count]) => [
      lambda,
      count * invocationGbSeconds(lambda, Math.max(1, 1 / count)),
    ]),
  );
}

/** Makes a counter of the calls of Lambdas, except the sweeper's. */
export function createWorkCounter(): WorkCounter {
  let count = nothing();
  const rowBytes = new Map<string, number>();

  const isCounted = (functionName: string | undefined) =>
    functionName !== undefined && !BACKGROUND.includes(logicalName(functionName));

  const countChange = (tableName: string, indexes: Index[], change: ItemChange) => {
    const { keys, oldImage, newImage } = change;
    rowBytes.set(keyText(tableName, keys), bytesOf(newImage));
    count.tableWriteUnits += writeUnits(Math.max(bytesOf(oldImage), bytesOf(newImage)));
    for (const index of indexes) {
      for (const [status, units] of Object.entries(indexWrites(index, change))) {
        add(count.indexWriteUnitsByStatus, status, units);
      }
    }
  };

  const countRead = (tableName: string, keys: Keys[], consistent: boolean | undefined) => {
    for (const key of keys) {
      count.readUnits += readUnits(rowBytes.get(keyText(tableName, key)) ?? 0, consistent);
    }
  };

  const countDynamoDb = ({ operation, request }: AllowedCall, { status, body }: HttpResponse) => {
    const asked = JSON.parse(request.body.toString()) as DynamoDbRequest;
    const answer = JSON.parse(body.toString()) as DynamoDbAnswer;
    const { TableName: table = "", Key: key, ConsistentRead: consistent } = asked;
    if (status === 400 && answer.__type?.endsWith("ConditionalCheckFailedException")) {
      // A failed condition costs as much as the write.
      count.tableWriteUnits += writeUnits(key ? (rowBytes.get(keyText(table, key)) ?? 0) : 0);
    }
    for (const { Put: put, ConditionCheck: check } of asked.TransactItems ?? []) {
      // Each item is written twice, to prepare and to commit; what changes is counted once elsewhere.
      const prepared = put ? writeUnits(itemBytes(put.Item)) : 0;
      count.tableWriteUnits += prepared + (check ? 2 : 0);
      count.tableWriteUnits += put && status === 400 ? prepared : 0;
    }
    if (operation === "dynamodb:GetItem" && key) {
      countRead(table, [key], consistent);
    }
    if (operation === "dynamodb:BatchGetItem") {
      for (const [name, { Keys: keys = [], ...options }] of Object.entries(
        asked.RequestItems ?? {},
      )) {
        countRead(name, keys, options.ConsistentRead);
      }
    }
    if (operation === "dynamodb:Query" || operation === "dynamodb:Scan") {
      const bytes = (answer.Items ?? []).reduce((sum, item) => sum + itemBytes(item), 0);
      count.readUnits += readUnits(bytes, consistent);
    }
  };

  return {
    options: {
      onInvocation: ({ functionName }) => {
        if (isCounted(functionName)) {
          add(count.invocations, logicalName(functionName));
          // The local run does not write these entries.
          count.logBytes += PLATFORM_LOG_BYTES;
        }
      },
      intercept: async (call, forward) => {
        const response = await forward();
        if (isCounted(call.principal.functionName)) {
          add(count.requests, call.operation);
          if (call.service === "dynamodb") {
            countDynamoDb(call, response);
          }
        }
        return response;
      },
      onEvent: (event) => {
        if (event.type === "mail") {
          count.mails += 1;
        }
        if (event.type === "log" && isCounted(event.functionName)) {
          count.logBytes += Buffer.byteLength(event.line) + LOG_ENTRY_BYTES;
        }
      },
    },
    async attach(run) {
      for (const { tableName, indexes } of await tablesOf(run)) {
        run.dynamoDb.onChange(tableName, (change) => (written) => {
          if (written) {
            countChange(tableName, indexes, change);
          }
        });
      }
    },
    reset() {
      count = nothing();
    },
    workOf(uploads) {
      const invocations = divided(count.invocations, uploads);
      const indexWriteUnitsByStatus = divided(count.indexWriteUnitsByStatus, uploads);
      return {
        invocations,
        gbSeconds: gbSecondsOf(invocations),
        requests: divided(count.requests, uploads),
        tableWriteUnits: count.tableWriteUnits / uploads,
        indexWriteUnits: Object.values(indexWriteUnitsByStatus).reduce((a, b) => a + b, 0),
        indexWriteUnitsByStatus,
        readUnits: count.readUnits / uploads,
        mails: count.mails / uploads,
        logBytes: count.logBytes / uploads,
        restRequests: 1,
      };
    },
  };
}
