import { type FreeName, namesOf } from "./freeNames";
import { propertiesIn, type SerializedText } from "./serializedText";

/** The first statement of an object, but not of a list or pattern. */
const OBJECT = /^var \w+ = (?:\{|Object\.create\()/;

/** In a function that may need its object. */
export const THIS = /\bthis\b/;

/** All properties of an object: a literal with simple values, or one for each statement. */
const LITERAL = /^var \w+ = \{(.*)\};$/;
const PROPERTY = /^\w+\.(\w+) = (.*);$/;
const DEFINED = /^Object\.defineProperty\(\w+, "(\w+)", \{.* value: (\w+) \}\);$/;

/** A value that may be another one each time: a call, a list or an object. */
const MADE_ANEW = /^[^"]*[{}[\]()]/;

/** The properties that an object is made of, as texts of expressions; undefined where it has others. */
function propertiesOf([first = "", ...others]: string[]): Map<string, string> | undefined {
  const literal = LITERAL.exec(first)?.[1];
  const properties = literal === undefined ? undefined : propertiesIn(literal);
  if (!properties || [...properties.values()].some((value) => MADE_ANEW.test(value))) {
    return undefined;
  }
  for (const statement of others) {
    const [, name, value] = PROPERTY.exec(statement) ?? [];
    if (name === undefined || value === undefined) {
      return undefined;
    }
    properties.set(name, value);
  }
  return properties;
}

/** A text of Pulumi's serializer, with the names in its functions. */
export interface AnalyzedText extends SerializedText {
  /** By function. */
  free: Map<string, FreeName[]>;
  /** All names in functions. */
  named: Set<string>;
  /** Objects with plain properties, by name; each with the text of each property. */
  records: Map<string, Map<string, string>>;
  /**
   * Objects of which a function uses single properties. Of such an object, Pulumi writes the properties
   * that any function of the text uses, in the order in which it comes across them.
   */
  partlyUsed: Set<string>;
}

/** The value of an object's property, where a statement of its own gives it. */
function propertyOf(statements: string[], property: string): string | undefined {
  for (const statement of statements) {
    const [, name, value] = PROPERTY.exec(statement) ?? DEFINED.exec(statement) ?? [];
    if (name === property) {
      return value;
    }
  }
  return undefined;
}

function partlyUsedOf(
  { functions, values }: SerializedText,
  free: AnalyzedText["free"],
  records: AnalyzedText["records"],
): Set<string> {
  const found = new Set<string>();
  for (const [fn, { captures }] of functions) {
    for (const { name, path } of free.get(fn) ?? []) {
      let object = captures.get(name);
      for (const [index, property] of path.entries()) {
        const statements: string[] = values.get(object ?? "") ?? [];
        // Of anything else, such as a list or a function, Pulumi writes all.
        if (!OBJECT.test(statements[0] ?? "")) {
          break;
        }
        const value = records.get(object ?? "")?.get(property) ?? propertyOf(statements, property);
        // A method needs all of its object, and is the last of a path.
        if (index < path.length - 1 || !THIS.test(functions.get(value ?? "")?.code ?? "")) {
          found.add(object ?? "");
        }
        object = value;
      }
    }
  }
  return found;
}

/** @throws SyntaxError */
export function analyzed(serialized: SerializedText): AnalyzedText {
  const { functions, values } = serialized;
  const names = namesOf([...functions.values()].map(({ code }) => code));
  const free = new Map([...functions.keys()].map((name, index) => [name, names.free[index] ?? []]));
  const records: AnalyzedText["records"] = new Map();
  for (const [name, statements] of values) {
    const properties = propertiesOf(statements);
    if (properties) {
      records.set(name, properties);
    }
  }
  return {
    ...serialized,
    free,
    named: names.all,
    records,
    partlyUsed: partlyUsedOf(serialized, free, records),
  };
}
