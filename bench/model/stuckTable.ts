import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import type { EventStatus } from "../../events/event";
import { type Item, keyItem } from "../../events/item";
import { PARTITION_READ_UNITS, PARTITION_WRITE_UNITS } from "./limits";
import type { VirtualTime } from "./virtualTime";

/** An on-demand table starts with as many. */
const PARTITIONS = 4;

/** A query reads at most so much. */
const PAGE_BYTES = 1_048_576;

/** Milliseconds of a call within a region, from and to. */
const LATENCY_MS = [5, 10] as const;

/** The SDK's, with `maxAttempts` 3; milliseconds. */
const ATTEMPTS = 3;
const THROTTLE_PAUSE_MS = 500;

/** Name of the error of a call that was throttled in each attempt. */
export const THROTTLED = "ThrottlingException";

const WRITE_UNIT_BYTES = 1024;
const READ_UNIT_BYTES = 8192;

/** Units that a partition has for each second; without burst capacity. */
class Units {
  private left: number;
  private at: number;

  constructor(
    private readonly time: VirtualTime,
    private readonly perSecond: number,
  ) {
    this.left = perSecond;
    this.at = time.now;
  }

  get has(): boolean {
    const { now } = this.time;
    this.left = Math.min(this.perSecond, this.left + ((now - this.at) / 1000) * this.perSecond);
    this.at = now;
    return this.left > 0;
  }

  take(units: number): void {
    this.left -= units;
  }
}

/** The input of any call. */
interface Input {
  TableName?: string;
  Key?: Item;
  UpdateExpression?: string;
  ExpressionAttributeValues?: Record<string, { S?: string }>;
  ExclusiveStartKey?: Item;
  RequestItems?: Record<string, { Keys: Item[] }>;
}

interface Options {
  /** Stuck rows in each status. */
  rows: Partial<Record<EventStatus, number>>;
  rowBytes: number;
  /** ISO 8601; of their last change. */
  updatedAt: string;
  random: () => number;
  /** Called with each redelivered row. */
  onRedelivered: (row: Item) => void;
}

/**
 * An event table with its index by status and its table of counts, as far as the sweeper uses them:
 * with DynamoDB's latency, and with its limits for each partition. Conditions are taken to hold: no
 * row has two writers at once.
 */
export class StuckTable {
  private readonly rows: Item[] = [];
  private readonly places = new Map<string, number>();
  private readonly counts = new Map<string, Item>();
  private readonly writes = new Map<string, Units>();
  private readonly reads = new Map<string, Units>();

  constructor(
    private readonly time: VirtualTime,
    private readonly options: Options,
  ) {
    for (const [status, number] of Object.entries(options.rows)) {
      for (let index = 0; index < number; index += 1) {
        const event_id = `${status}-${index.toString(16).padStart(8, "0")}`;
        this.places.set(event_id, this.rows.length);
        this.rows.push({
          ...keyItem({ event_id, event_timestamp: options.updatedAt }),
          event_status: { S: status },
          updated_at: { S: options.updatedAt },
        });
      }
    }
  }

  /** @param beforeCall takes the caller's time */
  client(beforeCall: () => Promise<void> = () => Promise.resolve()): DynamoDBClient {
    const send = async (command: { constructor: { name: string }; input: Input }) => {
      const operation = command.constructor.name.replace("Command", "");
      for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
        await beforeCall();
        const [least, most] = LATENCY_MS;
        await this.time.wait(least + (most - least) * this.options.random());
        const answer = this.answer(operation, command.input);
        if (answer) {
          return answer;
        }
        await this.time.wait(THROTTLE_PAUSE_MS * 2 ** (attempt - 1) * this.options.random());
      }
      throw Object.assign(new Error("A partition has no units left."), { name: THROTTLED });
    };
    return { send } as unknown as DynamoDBClient;
  }

  /** @returns undefined: throttled */
  private answer(operation: string, input: Input): object | undefined {
    if (input.TableName === "counts") {
      return this.answerCounts(operation, input);
    }
    switch (operation) {
      case "Query":
        return this.query(input);
      case "UpdateItem":
        return this.update(input);
      case "BatchGetItem":
        return {
          Responses: { events: input.RequestItems?.events?.Keys.map((key) => this.row(key)) },
        };
      default:
        throw new Error(`The sweeper is not known to call ${operation}.`);
    }
  }

  private row(key: Item | undefined): Item {
    return this.rows[this.places.get(key?.event_id?.S ?? "") ?? -1] ?? {};
  }

  private units(units: Map<string, Units>, partition: string, perSecond: number): Units {
    const known = units.get(partition) ?? new Units(this.time, perSecond);
    units.set(partition, known);
    return known;
  }

  private query({ ExpressionAttributeValues: values = {}, ExclusiveStartKey: after }: Input) {
    const status = values[":partition"]?.S ?? "";
    const units = this.units(this.reads, status, PARTITION_READ_UNITS);
    if (!units.has) {
      return undefined;
    }
    const { rowBytes } = this.options;
    const found: Item[] = [];
    let bytes = 0;
    let place = after ? (this.places.get(after.event_id?.S ?? "") ?? 0) + 1 : 0;
    for (; place < this.rows.length && bytes < PAGE_BYTES; place += 1) {
      const row = this.rows[place];
      const time = row?.event_timestamp?.S ?? "";
      if (row?.event_status?.S === status && time <= (values[":to"]?.S ?? "")) {
        bytes += rowBytes;
        if ((row.updated_at?.S ?? "") < (values[":before"]?.S ?? "")) {
          found.push(row);
        }
      }
    }
    units.take(bytes / READ_UNIT_BYTES);
    const last = bytes < PAGE_BYTES ? undefined : this.rows[place - 1];
    return {
      Items: found,
      LastEvaluatedKey: last && keyItem({ event_id: last.event_id?.S ?? "", event_timestamp: "" }),
    };
  }

  private update(input: Input) {
    const row = this.row(input.Key);
    const before = row.event_status?.S ?? "";
    const set = setOf(input);
    const after = set.event_status?.S ?? before;
    const partition = (this.places.get(row.event_id?.S ?? "") ?? 0) % PARTITIONS;
    const partitions = new Set([`table ${partition}`, `index ${before}`, `index ${after}`]);
    const units = [...partitions].map((name) =>
      this.units(this.writes, name, PARTITION_WRITE_UNITS),
    );
    if (!units.every(({ has }) => has)) {
      return undefined;
    }
    for (const each of units) {
      each.take(Math.ceil(this.options.rowBytes / WRITE_UNIT_BYTES));
    }
    Object.assign(row, set);
    if (before === after) {
      this.options.onRedelivered(row);
    }
    return {};
  }

  private answerCounts(operation: string, input: Input): object {
    const { Key: key, ExpressionAttributeValues: values = {} } = input;
    if (operation === "Query") {
      const kind = values[":kind"]?.S;
      const [from = "", to = ""] = [values[":from"]?.S, values[":to"]?.S];
      const isIn = (period = "") => period >= from && period <= to;
      return {
        Items: [...this.counts.values()].filter(
          (item) => item.kind?.S === kind && isIn(item.period?.S),
        ),
      };
    }
    const name = `${key?.kind?.S ?? ""} ${key?.period?.S ?? ""}`;
    if (operation === "DeleteItem") {
      this.counts.delete(name);
    } else {
      this.counts.set(name, { ...key, ...this.counts.get(name), ...setOf(input) });
    }
    return {};
  }
}

/** What an update sets: the program's expressions assign values only. */
function setOf({
  UpdateExpression: expression = "",
  ExpressionAttributeValues: values = {},
}: Input): Item {
  const assigned = expression.replace(/^SET | REMOVE .*$/g, "").split(", ");
  return Object.fromEntries(
    assigned.map((assignment) => {
      const [name = "", value = ""] = assignment.split(" = ");
      return [name, values[value] ?? {}];
    }),
  );
}
