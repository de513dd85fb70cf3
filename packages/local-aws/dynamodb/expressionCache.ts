/** What an expression refers to, and which of it no expression of the request has used so far. */
export interface ExpressionContext {
  /** By placeholder, such as `#name`. */
  attrNames?: Record<string, string>;
  /** By placeholder, such as `:value`: DynamoDB JSON. */
  attrVals?: Record<string, Record<string, unknown>>;
  unusedAttrNames: Record<string, boolean>;
  unusedAttrVals: Record<string, boolean>;
}

/** dynalite's parser of one kind of expression. */
export interface ExpressionParser {
  /**
   * @returns the syntax tree, with the context's names and values in it; a text says what is wrong
   * @throws SyntaxError
   */
  parse(text: string, options: { context: ExpressionContext }): unknown;
}

interface Parsed {
  /** The syntax tree, with a {@link Placeholder} for each value. */
  tree: unknown;
  usedNames: string[];
  usedValues: string[];
}

class Placeholder {
  constructor(readonly name: string) {}
}

const MAX_EXPRESSIONS = 1000;

/** Their parsing looks into values, not only at their types. */
const READS_VALUES = /between|attribute_type/i;

/**
 * Makes a parser parse each expression once: a program has a few dozen, and parsing them took half
 * of dynalite's time. Expressions with errors are parsed each time.
 */
export function cacheExpressions(parser: ExpressionParser): void {
  const cache = new Map<string, Parsed>();
  const parse = parser.parse.bind(parser);

  parser.parse = (text, options) => {
    const { context } = options;
    const key = READS_VALUES.test(text) ? undefined : keyOf(text, context);
    if (key === undefined) {
      return parse(text, options);
    }
    let parsed = cache.get(key);
    if (!parsed) {
      const unusedAttrNames = allOf(context.attrNames);
      const unusedAttrVals = allOf(context.attrVals);
      const tree = parse(text, { context: { ...context, unusedAttrNames, unusedAttrVals } });
      if (typeof tree !== "object" || tree === null) {
        return tree;
      }
      parsed = {
        tree: withPlaceholders(tree, context),
        usedNames: missing(context.attrNames, unusedAttrNames),
        usedValues: missing(context.attrVals, unusedAttrVals),
      };
      if (cache.size >= MAX_EXPRESSIONS) {
        cache.clear();
      }
      cache.set(key, parsed);
    }
    remove(context.unusedAttrNames, parsed.usedNames);
    remove(context.unusedAttrVals, parsed.usedValues);
    return withValues(parsed.tree, context.attrVals ?? {});
  };
}

/** All that a tree depends on besides the values; undefined for a value of more than one type. */
function keyOf(text: string, { attrNames, attrVals = {} }: ExpressionContext): string | undefined {
  const types: string[] = [];
  for (const [name, value] of Object.entries(attrVals)) {
    const [type = "", ...others] = Object.keys(value);
    if (others.length > 0) {
      return undefined;
    }
    types.push(name, type);
  }
  return JSON.stringify([text, attrNames, types]);
}

function withPlaceholders(tree: object, { attrVals = {} }: ExpressionContext): unknown {
  const names = new Map<unknown, string>();
  for (const [name, value] of Object.entries(attrVals)) {
    names.set(value, name);
  }
  return copy(tree, (node) => {
    const name = names.get(node);
    return name === undefined ? undefined : new Placeholder(name);
  });
}

function withValues(tree: unknown, attrVals: Record<string, unknown>): unknown {
  return copy(tree, (node) => (node instanceof Placeholder ? attrVals[node.name] : undefined));
}

/** A deep copy, but for the objects that `replace` has another object for. */
function copy(node: unknown, replace: (node: object) => unknown): unknown {
  if (typeof node !== "object" || node === null) {
    return node;
  }
  const other = replace(node);
  if (other !== undefined) {
    return other;
  }
  if (Array.isArray(node)) {
    return node.map((each) => copy(each, replace));
  }
  const result = Object.create(Object.getPrototypeOf(node) as object | null) as Record<
    string,
    unknown
  >;
  for (const [name, value] of Object.entries(node)) {
    result[name] = copy(value, replace);
  }
  return result;
}

function allOf(names: object = {}): Record<string, boolean> {
  return Object.fromEntries(Object.keys(names).map((name) => [name, true]));
}

function missing(names: object = {}, left: object): string[] {
  return Object.keys(names).filter((name) => !Object.hasOwn(left, name));
}

function remove(names: Record<string, boolean>, used: string[]): void {
  for (const name of used) {
    // dynalite reads the names that are left.
    // eslint-disable-next-line @typescript-eslint/no-dynamic-delete
    delete names[name];
  }
}
