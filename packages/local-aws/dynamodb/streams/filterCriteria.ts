/** A mapping's filter criteria, as `aws.lambda.EventSourceMapping` takes them. */
export interface FilterCriteria {
  filters: { pattern: string }[];
}

type Test = (value: unknown) => boolean;

/** Lambda's quota for an event source mapping. */
const MAXIMUM_FILTERS = 10;

/**
 * Reads filter criteria by the rules of Lambda's event filtering:
 * https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventfiltering.html
 * @returns a test whether any of the filters passes a record; without a filter, all pass
 * @throws {Error} if a pattern is not valid: which one, where in it, and what it should be
 */
export function parseFilters(criteria: FilterCriteria): Test {
  const { filters } = criteria;
  if (filters.length > MAXIMUM_FILTERS) {
    throw new Error(
      `There are ${filters.length} filters: a mapping has ${MAXIMUM_FILTERS} at most.`,
    );
  }
  const tests = filters.map(({ pattern }) => parsePattern(pattern));
  return (record) => tests.length === 0 || tests.some((test) => test(record));
}

/** True if one of the filters lets the record through. @throws {Error} as {@link parseFilters} */
export function matches(criteria: FilterCriteria, record: unknown): boolean {
  return parseFilters(criteria)(record);
}

function parsePattern(pattern: string): Test {
  const fail = (path: readonly string[], problem: string): never => {
    const place = path.length > 0 ? ` at "${path.join(".")}"` : "";
    throw new Error(`The filter pattern ${pattern} is not valid${place}: ${problem}.`);
  };

  const parseNode = (node: unknown, path: readonly string[]): Test => {
    if (Array.isArray(node)) {
      return parseRules(node, path);
    }
    if (!isObject(node)) {
      return fail(path, `use an array of values, such as [${JSON.stringify(node)}]`);
    }
    const names = Object.keys(node);
    if (names.length === 0) {
      return fail(path, "an object must name at least one field");
    }
    const tests = names.map((name): Test => {
      const inner = [...path, name];
      const value = node[name];
      if (name === "$or" && Array.isArray(value)) {
        if (value.length < 2) {
          return fail(inner, "it must hold at least two patterns");
        }
        const choices = value.map((choice) => parseNode(choice, inner));
        return (record) => choices.some((choice) => choice(record));
      }
      const test = parseNode(value, inner);
      return (record) => test(isObject(record) ? record[name] : undefined);
    });
    return eachOf((record) => tests.every((test) => test(record)));
  };

  const parseRules = (rules: readonly unknown[], path: readonly string[]): Test => {
    if (rules.length === 0) {
      return fail(path, "an array must hold at least one value");
    }
    const tests = rules.map((rule) => parseRule(rule, path));
    return (value) => tests.some((test) => test(value));
  };

  const parseRule = (rule: unknown, path: readonly string[]): Test => {
    if (Array.isArray(rule)) {
      return fail(path, "an array must not hold another one");
    }
    if (!isObject(rule)) {
      return eachOf((value) => value === rule);
    }
    const [[name, operand] = ["", undefined], ...more] = Object.entries(rule);
    if (more.length > 0) {
      return fail(path, "a rule has one operator");
    }
    const text = (): string =>
      typeof operand === "string" ? operand : fail(path, `"${name}" needs a text`);
    switch (name) {
      case "exists":
        if (typeof operand !== "boolean") {
          return fail(path, '"exists" needs true or false');
        }
        // Only a leaf is a field that exists, as on AWS.
        return (value) => (value !== undefined && !isObject(value)) === operand;
      case "prefix":
      case "suffix":
      case "equals-ignore-case":
        return eachOf(textTest(name, text()));
      case "numeric":
        return eachOf(parseNumeric(operand, path));
      case "anything-but":
        return parseAnythingBut(operand, path);
      default:
        return fail(path, `Lambda's event filtering has no operator "${name}"`);
    }
  };

  const parseAnythingBut = (operand: unknown, path: readonly string[]): Test => {
    if (isObject(operand)) {
      const { prefix, ...others } = operand;
      if (typeof prefix !== "string" || Object.keys(others).length > 0) {
        return fail(path, '"anything-but" needs values or {"prefix": "…"}');
      }
      return eachOf((value) => isLeaf(value) && !textTest("prefix", prefix)(value));
    }
    const values: unknown[] = Array.isArray(operand) ? operand : [operand];
    if (
      values.length === 0 ||
      values.some((value) => typeof value !== "string" && typeof value !== "number")
    ) {
      return fail(path, '"anything-but" needs texts or numbers');
    }
    return eachOf((value) => isLeaf(value) && !values.includes(value));
  };

  const parseNumeric = (operand: unknown, path: readonly string[]): Test => {
    const problem = '"numeric" needs pairs of an operator and a number, such as [">", 0, "<=", 5]';
    if (!Array.isArray(operand) || (operand.length !== 2 && operand.length !== 4)) {
      return fail(path, problem);
    }
    const tests: ((value: number) => boolean)[] = [];
    for (let index = 0; index < operand.length; index += 2) {
      const limit: unknown = operand[index + 1];
      const compare = comparisons.get(operand[index]);
      if (!compare || typeof limit !== "number") {
        return fail(path, problem);
      }
      tests.push((value) => compare(value, limit));
    }
    // A DynamoDB number is a text in its JSON ({"N": "30"}): no numeric rule matches it, as on AWS.
    return (value) => typeof value === "number" && tests.every((test) => test(value));
  };

  let parsed: unknown;
  try {
    parsed = JSON.parse(pattern);
  } catch (error) {
    return fail([], `it is not JSON (${String(error)})`);
  }
  return isObject(parsed) ? parseNode(parsed, []) : fail([], "it must be an object");
}

const comparisons = new Map<unknown, (value: number, limit: number) => boolean>([
  ["=", (value, limit) => value === limit],
  [">", (value, limit) => value > limit],
  [">=", (value, limit) => value >= limit],
  ["<", (value, limit) => value < limit],
  ["<=", (value, limit) => value <= limit],
]);

function textTest(name: "prefix" | "suffix" | "equals-ignore-case", operand: string): Test {
  return (value) => {
    if (typeof value !== "string") {
      return false;
    }
    if (name === "prefix") {
      return value.startsWith(operand);
    }
    if (name === "suffix") {
      return value.endsWith(operand);
    }
    return value.toLowerCase() === operand.toLowerCase();
  };
}

/** An array in the record matches if one of its elements does. */
function eachOf(test: Test): Test {
  return (value) => (Array.isArray(value) ? value.some(test) : test(value));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isLeaf(value: unknown): boolean {
  return value !== undefined && !isObject(value);
}
