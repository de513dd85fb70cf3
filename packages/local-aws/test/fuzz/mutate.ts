import type { Random } from "./random";

/** Bytes of a mutated input. Beyond it, time may grow with the length alone. */
const MAX_BYTES = 64 * 1024;

/** What breaks readers of any format. */
const TOKENS = [
  ...["", " ", "\t", "\r\n", "\n", "\0", "\r", '"', "'", "\\", '\\"', "<", ">", "&", "%", "%00"],
  ...["%2F", "%C3", "%GG", "+", ",", ";", ":", "=", "/", "//", "..", "-", "--", "-1", "-0", "0"],
  ...["00", "1e9", "1e400", "NaN", "Infinity", "0x10", "9007199254740993", "ffffffffffffffff"],
  ...["__proto__", "constructor", "toString", "hasOwnProperty", "null", "true", "[]", "{}", "${"],
  ...["*", "?", "**", "\u00fc", "\u65e5", "\u{1f600}", "\ud800", "\ufeff", "\u2028"],
].map((text) => Buffer.from(text));

/**
 * Changes bytes at random: some are removed, repeated, replaced or moved, others are inserted.
 *
 * @param tokens of the format, which are inserted besides those of any format
 */
export function mutateBytes(random: Random, sample: Buffer, tokens: readonly string[]): Buffer {
  let bytes = sample;
  for (let changes = 1 + random.below(random.pick([1, 1, 5])); changes > 0; changes -= 1) {
    bytes = changeBytes(random, bytes, tokens).subarray(0, MAX_BYTES);
  }
  return bytes;
}

export function mutateText(random: Random, sample: string, tokens: readonly string[]): string {
  return mutateBytes(random, Buffer.from(sample), tokens).toString();
}

function changeBytes(random: Random, bytes: Buffer, tokens: readonly string[]): Buffer {
  const at = random.below(bytes.length + 1);
  const end = Math.min(bytes.length, at + 1 + random.below(random.pick([2, 16, 200])));
  const [before, range, after] = [
    bytes.subarray(0, at),
    bytes.subarray(at, end),
    bytes.subarray(end),
  ];
  const token = () =>
    random.chance(0.5) && tokens.length > 0
      ? Buffer.from(random.pick(tokens))
      : random.pick(TOKENS);
  switch (random.below(8)) {
    case 0:
      return Buffer.concat([before, after]);
    case 1:
      return Buffer.concat([before, token(), range, after]);
    case 2:
      return Buffer.concat([before, token(), after]);
    case 3:
      return Buffer.concat([before, range, range, after]);
    case 4:
      return Buffer.concat([after, range, before]);
    case 5:
      return Buffer.concat([before, random.bytes(1 + random.below(8)), after]);
    case 6:
      return before;
    default: {
      // Now and then as often as fits: what is quadratic in the length shows.
      const part = random.chance(0.5) ? range : Buffer.concat([token(), token()]);
      const times = random.chance(0.02) ? MAX_BYTES / Math.max(part.length, 1) : random.below(40);
      return Buffer.concat([before, ...Array<Buffer>(Math.floor(times)).fill(part), after]);
    }
  }
}

/** Cuts bytes into pieces, as they may arrive. */
export function cut(random: Random, bytes: Buffer): Buffer[] {
  const pieces: Buffer[] = [];
  const size = random.pick([1, 7, 64, 4096, MAX_BYTES]);
  // No more than some hundred, so that the cost of a piece is not what is measured.
  const least = Math.ceil(bytes.length / 300);
  for (let at = 0; at < bytes.length;) {
    const end = at + least + random.below(size);
    pieces.push(bytes.subarray(at, end));
    at = end;
  }
  return pieces;
}

type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

/**
 * Changes a value of JSON at random: values take the place of others, members are removed, renamed or
 * added.
 *
 * @param names of members that mean something
 * @param texts that mean something
 */
export function mutateJson(
  random: Random,
  sample: unknown,
  { names, texts }: { names: readonly string[]; texts: readonly string[] },
): unknown {
  const vocabulary = { names, texts };
  let value = sample as Json;
  for (let changes = 1 + random.below(4); changes > 0; changes -= 1) {
    value = changeJson(random, value, vocabulary, AT_TOP);
  }
  // As a document that was received: `__proto__` is a member of its own.
  return JSON.parse(JSON.stringify(value)) as unknown;
}

interface Vocabulary {
  names: readonly string[];
  texts: readonly string[];
}

/** Share of the changes of the value itself, not of one inside it. */
const HERE = 0.15;
const AT_TOP = 0.01;

const NESTINGS = [3, 30, 300];

function changeJson(random: Random, value: Json, vocabulary: Vocabulary, here = HERE): Json {
  const isInner = typeof value === "object" && value !== null && !random.chance(here);
  if (isInner && Array.isArray(value) && value.length > 0) {
    const index = random.below(value.length);
    const changed = changeJson(random, value[index] ?? null, vocabulary);
    return value.map((item, at) => (at === index ? changed : item));
  }
  if (isInner && !Array.isArray(value) && Object.keys(value).length > 0) {
    const name = random.pick(Object.keys(value));
    const inner = Object.entries(value).map(([key, item]): [string, Json] =>
      key === name ? [key, changeJson(random, item, vocabulary)] : [key, item],
    );
    return Object.fromEntries(inner);
  }
  switch (random.below(6)) {
    case 0:
      return randomJson(random, vocabulary);
    case 1:
      return typeof value === "string"
        ? mutateText(random, value, vocabulary.texts)
        : Array.from({ length: 1 + random.below(3) }, () => value);
    case 2:
      return nested(random, value, vocabulary);
    case 3:
      return Array.isArray(value)
        ? value.slice(random.below(value.length + 1))
        : { [random.pick(vocabulary.names)]: value };
    default:
      return isRecord(value)
        ? changeMembers(random, value, vocabulary)
        : randomText(random, vocabulary);
  }
}

function changeMembers(random: Random, value: Record<string, Json>, vocabulary: Vocabulary): Json {
  const members = Object.entries(value);
  const at = random.below(members.length + 1);
  const name = random.chance(0.8) ? random.pick(vocabulary.names) : randomText(random, vocabulary);
  switch (random.below(3)) {
    case 0:
      return Object.fromEntries(members.filter((_, index) => index !== at));
    case 1:
      return Object.fromEntries([...members, [name, randomJson(random, vocabulary)]]);
    default:
      return Object.fromEntries(
        members.map(([key, item], index) => [index === at ? name : key, item]),
      );
  }
}

function nested(random: Random, value: Json, { names }: Vocabulary): Json {
  let outer = value;
  for (let depth = random.pick(NESTINGS); depth > 0; depth -= 1) {
    outer = random.chance(0.3) ? [outer] : { [random.pick(names)]: outer };
  }
  return outer;
}

function randomJson(random: Random, vocabulary: Vocabulary): Json {
  return random.pick<() => Json>([
    () => null,
    () => random.chance(0.5),
    () => random.pick([0, -1, 1.5, 1e300, Number.MAX_SAFE_INTEGER]),
    () => randomText(random, vocabulary),
    () => [],
    () => ({}),
    () => [randomText(random, vocabulary), randomText(random, vocabulary)],
    () => ({ [random.pick(vocabulary.names)]: randomText(random, vocabulary) }),
  ])();
}

function randomText(random: Random, { texts }: Vocabulary): string {
  return random.chance(0.7)
    ? random.pick(texts)
    : mutateText(random, random.pick(texts), [...texts, ...TOKENS.map(String)]);
}

function isRecord(value: Json): value is Record<string, Json> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
