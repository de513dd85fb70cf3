/** A request's values of a condition key, which is in lower case; undefined if there are none. */
export type Context = (key: string) => readonly string[] | undefined;

/**
 * Whether a text fits a value of a policy. Undefined where the value cannot be compared: a variable
 * without a value, or a text of another type; such a value fits nothing, and excludes nothing.
 */
export type Test = (text: string, context: Context) => boolean | undefined;

interface Variable {
  /** In lower case. */
  key: string;
  default?: string;
}

/** Any number of characters, one character, text, or a variable for text. */
type Token = { wildcard: "*" | "?" } | { text: string } | { variable: Variable };

/** Text between asterisks; undefined stands for any one character. */
type Segment = string | (string | undefined)[];

/** How a value of a policy is read. */
export interface Reading {
  /** Policies before the version 2012-10-17 have no variables: `${` is text. */
  variables: boolean;
  /** @default false, where `*` and `?` are text */
  wildcards?: boolean;
  ignoreCase?: boolean;
}

/**
 * Compiles a value of a policy with wildcards and policy variables. A variable's own value has no
 * wildcards. The time of a test is linear in the text, however many asterisks there are.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
 */
export function compilePattern(value: string, reading: Reading): Test {
  const fold = (text: string): string => (reading.ignoreCase ? text.toLowerCase() : text);
  const tokens = tokensOf(value, reading);
  const fixed = tokens.some((token) => "variable" in token) ? undefined : segmentsOf(tokens, fold);
  return (text, context) => {
    const segments = fixed ?? bind(tokens, context, fold);
    return segments && matches(segments, fold(text));
  };
}

function tokensOf(value: string, { variables, wildcards = false }: Reading): Token[] {
  const tokens: Token[] = [];
  // No variable has a "$" or a brace inside, so that one that does not end is not read twice.
  for (const [part] of value.matchAll(/\$\{(?:\$|[^${}]*)\}|[*?]|[^*?$]+|\$/g)) {
    if (wildcards && (part === "*" || part === "?")) {
      tokens.push({ wildcard: part });
    } else if (variables && part.startsWith("${")) {
      tokens.push(variableOf(part.slice(2, -1)));
    } else {
      tokens.push({ text: part });
    }
  }
  return tokens;
}

function variableOf(inner: string): Token {
  // ${*}, ${?} and ${$} are the characters themselves.
  if (inner === "*" || inner === "?" || inner === "$") {
    return { text: inner };
  }
  const [, key = inner, fallback] = /^([^,]*), *'(.*)'$/s.exec(inner) ?? [];
  return { variable: { key: key.trim().toLowerCase(), default: fallback } };
}

function bind(
  tokens: readonly Token[],
  context: Context,
  fold: (text: string) => string,
): Segment[] | undefined {
  const bound: Token[] = [];
  for (const token of tokens) {
    if (!("variable" in token)) {
      bound.push(token);
      continue;
    }
    const values = context(token.variable.key) ?? [];
    // A key with several values cannot be inserted.
    const text = values.length === 1 ? values[0] : token.variable.default;
    if (text === undefined) {
      return undefined;
    }
    bound.push({ text });
  }
  return segmentsOf(bound, fold);
}

function segmentsOf(tokens: readonly Token[], fold: (text: string) => string): Segment[] {
  const segments: (string | undefined)[][] = [[]];
  for (const token of tokens) {
    if ("text" in token) {
      // By UTF-16 code units, as the text is compared.
      segments.at(-1)?.push(...fold(token.text).split(/(?:)/));
    } else if ("wildcard" in token && token.wildcard === "*") {
      segments.push([]);
    } else {
      segments.at(-1)?.push(undefined);
    }
  }
  return segments.map((segment) => (segment.includes(undefined) ? segment : segment.join("")));
}

/** The first segment is at the beginning, the last at the end, each other at its first place. */
function matches(segments: readonly Segment[], text: string): boolean {
  const [first = "", ...others] = segments;
  const last = others.pop();
  if (last === undefined) {
    return first.length === text.length && isAt(text, first, 0);
  }
  let position = first.length;
  const end = text.length - last.length;
  if (position > end || !isAt(text, first, 0) || !isAt(text, last, end)) {
    return false;
  }
  for (const segment of others) {
    const place = find(text, segment, position);
    if (place < 0 || place + segment.length > end) {
      return false;
    }
    position = place + segment.length;
  }
  return true;
}

function find(text: string, segment: Segment, from: number): number {
  if (typeof segment === "string") {
    return text.indexOf(segment, from);
  }
  for (let place = from; place + segment.length <= text.length; place++) {
    if (isAt(text, segment, place)) {
      return place;
    }
  }
  return -1;
}

function isAt(text: string, segment: Segment, place: number): boolean {
  return typeof segment === "string"
    ? text.startsWith(segment, place)
    : segment.every((wanted, index) => wanted === undefined || wanted === text[place + index]);
}
