import { createConfig, lintFromString, type Oas3Rule, type Plugin } from "@redocly/openapi-core";

/**
 * What generators of clients cannot translate: those of Java, Kotlin and Go fail on it, or their client
 * loses data. `npm run clients:generated` runs generators; these rules say where the fault is.
 */

type Node = Record<string, unknown>;

const SCALARS = ["string", "number", "integer", "boolean"];

/** The largest number that fits 32 bits, which is what generators take without a format. */
const MAX_INT32 = 2 ** 31 - 1;

function isReference(node: unknown): boolean {
  return typeof node === "object" && node !== null && "$ref" in node;
}

/** `type: [string, number]`: no type of Go, Java or Kotlin has values of both. */
const noTypeUnion: Oas3Rule = () => ({
  Schema(given: object, context) {
    const schema = given as Node;
    const types = Array.isArray(schema.type) ? schema.type.filter((type) => type !== "null") : [];
    if (types.length > 1) {
      context.report({
        message: "A type is one, or one and null: name each in an anyOf of references.",
      });
    }
  },
});

/** A scalar has no class of its own: a `oneOf` of it becomes one that does not compile. */
const noScalarUnion: Oas3Rule = () => ({
  Schema(given: object, context) {
    const schema = given as Node;
    for (const keyword of ["oneOf", "anyOf"]) {
      const members = (schema[keyword] ?? []) as Node[];
      const withNull = members.some(({ type }) => type === "null");
      for (const member of members) {
        const { node } = context.resolve(member as { $ref: string });
        const type = (node as Node | undefined)?.type as string;
        if (SCALARS.includes(type) && (withNull || !isReference(member))) {
          context.report({ message: `${keyword} of an inline scalar, or of a scalar and null.` });
          break;
        }
      }
    }
  },
});

/** Without a format, Java and Kotlin read an integer as 32 bits and drop the others. */
const integerWidth: Oas3Rule = () => ({
  Schema(given: object, context) {
    const schema = given as Node;
    if (schema.type !== "integer") {
      return;
    }
    const isSize = /size|bytes/i.test(String(context.key));
    const fits = schema.format === "int32" || Number(schema.maximum ?? Infinity) <= MAX_INT32;
    if (schema.format !== "int64" && (isSize || !fits)) {
      context.report({
        message: "An integer that may pass 2^31, and every size, has the format int64.",
      });
    }
  },
});

function schemaOf(response: unknown): unknown {
  const { content } = response as { content?: Record<string, { schema?: unknown }> };
  return content && Object.values(content)[0]?.schema;
}

/** A generated function returns one type. */
const oneSuccessSchema: Oas3Rule = () => ({
  Operation(given: object, context) {
    const schemas = Object.entries((given as Node).responses as Node)
      .filter(([status]) => status.startsWith("2"))
      .map(([, response]) => schemaOf(context.resolve(response as { $ref: string }).node))
      .filter((schema) => schema !== undefined);
    if (new Set(schemas.map((schema) => JSON.stringify(schema))).size > 1) {
      context.report({ message: "All answers of 2xx have one schema." });
    }
  },
});

/** A generator sends the first type, literally. */
const concreteBodyFirst: Oas3Rule = () => ({
  RequestBody(given: object, context) {
    const [first = "*/*"] = Object.keys((given as Node).content as Node);
    if (first.includes("*")) {
      context.report({ message: "The first type of a body is one without an asterisk." });
    }
  },
});

/** Each inline error becomes a class of its own. */
const namedErrors: Oas3Rule = () => ({
  Response(given: object, context) {
    const schema = schemaOf(given) as Node | undefined;
    const code = JSON.stringify(schema ?? {});
    if (
      schema &&
      !isReference(schema) &&
      (/^([45]|default)/.test(String(context.key)) || code.includes('"error"'))
    ) {
      context.report({ message: "The schema of an error is a reference to its component." });
    }
  },
});

/** Texts and patterns become comments of the code, which the first ends and Kotlin nests by the second. */
const COMMENT_MARK = /\*\/|\/\*/;

const noCommentMark: Oas3Rule = () => ({
  any: {
    enter(given: unknown, context) {
      const { description, summary, title, pattern } = (given ?? {}) as Node;
      if ([description, summary, title, pattern].some((text) => COMMENT_MARK.test(String(text)))) {
        context.report({
          message: "A text or a pattern with the mark of a comment's end or start.",
        });
      }
    },
  },
});

const RULES = {
  "no-type-union": noTypeUnion,
  "no-scalar-union": noScalarUnion,
  "integer-width": integerWidth,
  "one-success-schema": oneSuccessSchema,
  "concrete-body-first": concreteBodyFirst,
  "named-errors": namedErrors,
  "no-comment-mark": noCommentMark,
};

const PLUGIN: Plugin = { id: "generators", rules: { oas3: RULES } };

/**
 * @param source an OpenAPI document
 * @returns the findings of a linter's own rules and of those above, a line each
 */
export async function lintDocument(source: string): Promise<string[]> {
  const config = await createConfig({
    extends: ["recommended"],
    plugins: [PLUGIN],
    rules: Object.fromEntries(
      Object.keys(RULES).map((name) => [`generators/${name}`, "error"] as const),
    ),
  });
  const problems = await lintFromString({ source, config });
  return problems.map(({ severity, ruleId, message, location: [place] }) =>
    [severity, ruleId, message, place?.pointer].join(" "),
  );
}
