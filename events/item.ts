import {
  EVENT_STATUSES,
  type EventError,
  type EventInfo,
  type EventKey,
  type EventResult,
  type EventStatus,
  type FileEvent,
  type HistoryEntry,
} from "./event";
import { statusAttributes } from "./partitions";

/**
 * An attribute value in DynamoDB's JSON, with the types that events use. It is compatible with the
 * SDK's type and with the one of stream records.
 */
export interface AttributeValue {
  S?: string;
  N?: string;
  BOOL?: boolean;
  M?: Record<string, AttributeValue>;
  L?: AttributeValue[];
}

/** A row, or its image in a stream record. */
export type Item = Record<string, AttributeValue>;

/** The row's key in DynamoDB's JSON. */
export function keyItem({ event_id, event_timestamp }: EventKey) {
  return { event_id: { S: event_id }, event_timestamp: { S: event_timestamp } };
}

/** The key of a row; empty text where the row has none. */
export function keyOf(item: Item): EventKey {
  return { event_id: item.event_id?.S ?? "", event_timestamp: item.event_timestamp?.S ?? "" };
}

function scalar(value: string | number) {
  return typeof value === "number" ? { N: String(value) } : { S: value };
}

/** Bytes, names included: a row has at most 400 KB, of which its history and its error need some. */
const MAX_RESULT_BYTES = 300_000;

/** Whether DynamoDB takes the number: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html */
function isStorable(number: number): boolean {
  const size = Math.abs(number);
  return size === 0 || (size >= 1e-130 && size < 1e126);
}

/** What is wrong with a field of a result; undefined: nothing. */
function refusalOf(name: string, value: unknown): string | undefined {
  if (typeof value !== "string" && typeof value !== "number") {
    return `is of type ${typeNameOf(value)}; the table takes texts and finite numbers`;
  }
  if (typeof value === "number" && !isStorable(value)) {
    return `is ${value}; the table takes texts and finite numbers, from 1e-130 to 1e126`;
  }
  const type = knownTypeOf(RESULT_TYPES, name);
  return type === undefined || typeof value === type
    ? undefined
    : `is of type ${typeof value}, not ${type}`;
}

/** Whether every result may lack the field: then undefined means that it does. */
function isOptional(name: string): boolean {
  return knownTypeOf(RESULT_TYPES, name) !== undefined && name !== "size" && name !== "type";
}

/**
 * A flat record as a map attribute.
 *
 * @throws an error named `InvalidResult`, with the field's name, for anything but texts and numbers that
 *   the table takes: a user's own processing may return anything
 */
export function toMap(record: EventResult) {
  const map: Record<string, { S: string } | { N: string }> = {};
  if (Object.prototype.toString.call(record) !== "[object Object]") {
    throw invalidResult(
      `Processing returned a value of type ${typeNameOf(record)}, not an object with fields.`,
    );
  }
  const sizes: [name: string, bytes: number][] = [];
  for (const [name, value] of Object.entries(record) as [string, unknown][]) {
    if (value === undefined && isOptional(name)) {
      continue;
    }
    const refusal = refusalOf(name, value);
    if (refusal !== undefined) {
      throw invalidResult(`The result's field "${name}" ${refusal}.`);
    }
    const attribute = scalar(value as string | number);
    map[name] = attribute;
    sizes.push([name, Buffer.byteLength(name) + Buffer.byteLength(attribute.S ?? attribute.N)]);
  }
  if (sizes.reduce((sum, [, bytes]) => sum + bytes, 0) > MAX_RESULT_BYTES) {
    const [name, bytes] = sizes.reduce((one, other) => (other[1] > one[1] ? other : one));
    throw invalidResult(
      `The result is too large for a row: its field "${name}" has ${bytes} bytes; ` +
        `all fields may have ${MAX_RESULT_BYTES}.`,
    );
  }
  return { M: map };
}

/** A list attribute of maps, without undefined values. */
export function toHistoryList(history: HistoryEntry[]) {
  return {
    L: history.map(({ status, time, function: by, attempt, code }) => ({
      M: {
        status: { S: status },
        time: { S: time },
        function: { S: by },
        ...(attempt !== undefined && { attempt: { N: String(attempt) } }),
        ...(code !== undefined && { code: { S: code } }),
      },
    })),
  };
}

/**
 * The row of a new event.
 *
 * @param statusShards of the table
 */
export function newItem(event: FileEvent, statusShards = 1) {
  return {
    ...keyItem(event),
    ...statusAttributes(event.event_id, event.event_status, statusShards),
    event_info: { S: JSON.stringify(event.event_info) },
    ...(event.link_id !== undefined && { link_id: { S: event.link_id } }),
    updated_at: { S: event.updated_at },
    ...(event.event_history && { event_history: toHistoryList(event.event_history) }),
  };
}

function invalidResult(message: string): Error {
  return Object.assign(new Error(message), { name: "InvalidResult" });
}

/** Such as `bigint`, `Date`, `Array` or `Null`. */
function typeNameOf(value: unknown): string {
  return typeof value === "object"
    ? Object.prototype.toString.call(value).slice("[object ".length, -1)
    : typeof value;
}

function invalidEvent(message: string): Error {
  return Object.assign(new Error(message), { name: "InvalidEvent" });
}

function text(item: Item, name: string): string {
  const value = item[name]?.S;
  if (value === undefined) {
    throw invalidEvent(`The row has no attribute "${name}" of type S.`);
  }
  return value;
}

function statusOf(item: Item): EventStatus {
  const status = text(item, "event_status");
  const known = EVENT_STATUSES.find((candidate) => candidate === status);
  if (known === undefined) {
    throw invalidEvent(`The row's event_status is "${status}", which no event has.`);
  }
  return known;
}

/** `typeof` a field's values; undefined: it is not a known one. */
function knownTypeOf(types: Record<string, string>, name: string): string | undefined {
  return Object.hasOwn(types, name) ? types[name] : undefined;
}

/**
 * Checks fields that anyone may have written by hand.
 *
 * @param types `typeof` of each known field that is there
 */
function checkFields(attribute: string, fields: object, types: Record<string, string>): void {
  for (const [name, value] of Object.entries(fields) as [string, unknown][]) {
    const type = knownTypeOf(types, name);
    if (type !== undefined && typeof value !== type) {
      throw invalidEvent(`The field "${name}" of the row's ${attribute} is not a ${type}.`);
    }
  }
}

const INFO_TYPES: Record<keyof EventInfo, string> = {
  Bucket: "string",
  Key: "string",
  Size: "number",
  ETag: "string",
  VersionId: "string",
  ContentType: "string",
  FileName: "string",
  Checksum: "string",
  Metadata: "object",
};

const RESULT_TYPES: Record<keyof EventResult, string> = {
  size: "number",
  type: "string",
  declared_type: "string",
  checksum: "string",
  checksum_algorithm: "string",
  width: "number",
  height: "number",
};

const ERROR_TYPES: Record<keyof EventError, string> = {
  code: "string",
  message: "string",
  step: "string",
};

function isText(value: unknown): boolean {
  return typeof value === "string";
}

function infoOf(item: Item): EventInfo {
  const info = JSON.parse(text(item, "event_info")) as Partial<EventInfo> | null;
  if (typeof info?.Bucket !== "string" || typeof info.Key !== "string") {
    throw invalidEvent("The row's event_info names no object: it has no Bucket and Key.");
  }
  checkFields("event_info", info, INFO_TYPES);
  const { Metadata: metadata } = info as { Metadata?: object | null };
  if (metadata === null || !Object.values(metadata ?? {}).every(isText)) {
    throw invalidEvent('The field "Metadata" of the row\'s event_info is not an object of texts.');
  }
  return info as EventInfo;
}

/** The key of a row's object; undefined where somebody wrote the row by hand in another form. */
export function objectKeyIn(item: Item): string | undefined {
  try {
    return infoOf(item).Key;
  } catch {
    return undefined;
  }
}

function errorOf(json: string): EventError {
  const error = JSON.parse(json) as EventError | null;
  if (typeof error !== "object" || error === null) {
    throw invalidEvent("The row's last_error is not an object.");
  }
  checkFields("last_error", error, ERROR_TYPES);
  return error;
}

function fromMap(
  attribute: AttributeValue | undefined,
): Record<string, string | number> | undefined {
  if (!attribute?.M) {
    return undefined;
  }
  const record: Record<string, string | number> = {};
  for (const [name, value] of Object.entries(attribute.M)) {
    record[name] = value.N === undefined ? (value.S ?? "") : Number(value.N);
  }
  return record;
}

function entryOf({ M: entry = {} }: AttributeValue): HistoryEntry[] {
  const status = EVENT_STATUSES.find((candidate) => candidate === entry.status?.S);
  if (status === undefined || entry.time?.S === undefined || entry.function?.S === undefined) {
    return [];
  }
  const attempt = Number(entry.attempt?.N);
  return [
    {
      status,
      time: entry.time.S,
      function: entry.function.S,
      ...(Number.isSafeInteger(attempt) && { attempt }),
      ...(entry.code?.S !== undefined && { code: entry.code.S }),
    },
  ];
}

/**
 * The entries of a row's attribute, without those that somebody wrote by hand in another form: a
 * history never keeps an event from advancing.
 *
 * @returns undefined where the row has none, as those of version 1.0
 */
export function fromHistoryList(attribute: AttributeValue | undefined): HistoryEntry[] | undefined {
  return Array.isArray(attribute?.L) ? attribute.L.flatMap(entryOf) : undefined;
}

/**
 * Reads an event from a row.
 *
 * @throws an error named `InvalidEvent` or `SyntaxError` for a row that is not an event
 */
export function fromItem(item: Item): FileEvent {
  const event: FileEvent = {
    event_id: text(item, "event_id"),
    event_timestamp: text(item, "event_timestamp"),
    event_status: statusOf(item),
    event_info: infoOf(item),
    updated_at: item.updated_at?.S ?? text(item, "event_timestamp"),
  };
  if (item.link_id?.S !== undefined) {
    event.link_id = item.link_id.S;
  }
  const result = fromMap(item.event_result);
  if (result) {
    checkFields("event_result", result, RESULT_TYPES);
    event.event_result = result as unknown as EventResult;
  }
  if (item.last_error?.S !== undefined) {
    event.last_error = errorOf(item.last_error.S);
  }
  if (item.failed_from?.S !== undefined) {
    event.failed_from = item.failed_from.S as EventStatus;
  }
  if (item.attempts?.N !== undefined) {
    event.attempts = Number(item.attempts.N);
  }
  if (item.alarmed_at?.S !== undefined) {
    event.alarmed_at = item.alarmed_at.S;
  }
  if (item.no_alarm?.BOOL === true) {
    event.no_alarm = true;
  }
  const history = fromHistoryList(item.event_history);
  if (history) {
    event.event_history = history;
  }
  return event;
}
