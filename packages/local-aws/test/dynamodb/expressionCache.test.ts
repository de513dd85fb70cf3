import { createRequire } from "node:module";
import { expect } from "chai";
import {
  cacheExpressions,
  type ExpressionContext,
  type ExpressionParser,
} from "../../dynamodb/expressionCache";

const requireModule = createRequire(__filename);

/** dynalite's parser as its file has it, whatever this process has done to the loaded one. */
function freshParser(name: string): ExpressionParser {
  const file = requireModule.resolve(`dynalite/db/${name}`);
  const loaded = requireModule.cache[file];
  // Deleting is the documented way to load a module again.
  // eslint-disable-next-line @typescript-eslint/no-dynamic-delete
  delete requireModule.cache[file];
  try {
    return requireModule(file) as ExpressionParser;
  } finally {
    requireModule.cache[file] = loaded;
  }
}

function contextOf(
  attrNames: Record<string, string>,
  attrVals: Record<string, Record<string, unknown>>,
): ExpressionContext {
  const allOf = (names: object) =>
    Object.fromEntries(Object.keys(names).map((name) => [name, true]));
  const { compare } = requireModule("dynalite/db") as { compare: unknown };
  const others = { isReserved: (name: string) => name === "status", compare };
  return {
    attrNames,
    attrVals,
    unusedAttrNames: allOf(attrNames),
    unusedAttrVals: allOf(attrVals),
    ...others,
  };
}

/** The result of a parse: its tree and what it leaves unused, or its error. */
function outcomeOf(parser: ExpressionParser, text: string, context: ExpressionContext): string {
  let result: unknown;
  try {
    result = parser.parse(text, { context });
  } catch (error) {
    result = (error as Error).message;
  }
  return typeof result === "string"
    ? result
    : JSON.stringify([result, context.unusedAttrNames, context.unusedAttrVals]);
}

const EXPRESSIONS: Record<string, string[]> = {
  conditionParser: [
    "#a = :a AND attribute_not_exists(b)",
    "#a = :a",
    "#a IN (:a, :b) OR NOT contains(c[1].#b, :b)",
    "size(#a) > :b",
    "begins_with(#a, :a)",
    "#a BETWEEN :a AND :b",
    "attribute_type(#a, :a)",
    "status = :a",
    "#missing = :a",
    "((#a = :a))",
    "#a = ",
  ],
  updateParser: [
    "SET #a = :a, b = if_not_exists(b, :b) REMOVE c",
    "SET #a = list_append(#a, :a)",
    "ADD #a :b",
    "SET #a = #a + :b",
    "SET #a = :a, #a = :b",
  ],
  projectionParser: ["#a, b.c[2]", "#a, #a"],
};

const VALUES: Record<string, Record<string, unknown>>[] = [
  { ":a": { S: "S" }, ":b": { N: "1" } },
  { ":a": { S: "z" }, ":b": { N: "2" } },
  { ":a": { S: "z" }, ":b": { S: "a" } },
  { ":a": { S: "a" }, ":b": { S: "z" }, ":c": { BOOL: true } },
  { ":a": { L: [{ S: "x" }] }, ":b": { N: "3" } },
  { ":a": { N: "7" }, ":b": { NS: ["1"] } },
  { ":b": { N: "7" }, ":a": { S: "a", N: "1" } },
];

const NAMES: Record<string, string>[] = [{ "#a": "first" }, { "#a": "second", "#b": "third" }];

describe("DynamoDB: cache of expressions", () => {
  for (const [name, texts] of Object.entries(EXPRESSIONS)) {
    it(`has the results of dynalite's ${name}, whatever was parsed before`, () => {
      const parser = freshParser(name);
      const cached = freshParser(name);
      cacheExpressions(cached);
      for (let round = 0; round < 2; round += 1) {
        for (const text of texts) {
          for (const names of NAMES) {
            for (const values of VALUES) {
              expect(outcomeOf(cached, text, contextOf(names, values)), text).to.equal(
                outcomeOf(parser, text, contextOf(names, values)),
              );
            }
          }
        }
      }
    });
  }

  it("parses an expression once, and gives each request a tree of its own", () => {
    let parses = 0;
    const parser = freshParser("updateParser");
    const parse = parser.parse.bind(parser);
    parser.parse = (text, options) => {
      parses += 1;
      return parse(text, options);
    };
    cacheExpressions(parser);
    const parseWith = (value: string) =>
      parser.parse("SET a = :a", { context: contextOf({}, { ":a": { S: value } }) }) as {
        sections: { val: unknown }[];
      };

    const first = parseWith("1");
    first.sections[0] = { val: "changed" };
    const second = parseWith("2");

    expect(parses).to.equal(1);
    expect(second.sections[0]?.val).to.deep.equal({ S: "2" });
  });
});
