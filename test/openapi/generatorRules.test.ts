import { expect } from "chai";
import { DOCUMENT } from "./document";
import { lintDocument } from "./generatorRules";

/** The parts of openapi.json that the tests alter. */
interface Altered {
  paths: Record<
    string,
    Record<string, { requestBody: Content; responses: Record<string, Content> }>
  >;
  components: { schemas: Record<string, { properties: Record<string, unknown> }> };
}

interface Content {
  content: Record<string, { schema: unknown }>;
}

const NULL = { type: "null" };

function ref(name: string) {
  return { $ref: `#/components/schemas/${name}` };
}

/** What was in the description once, and which rule keeps it out. */
const FAULTS: [rule: string, what: string, spoil: (document: Altered) => void][] = [
  [
    "no-type-union",
    "a type of two scalars",
    ({ components }) => {
      Object.assign(components.schemas.EventResult ?? {}, {
        additionalProperties: { type: ["string", "number"] },
      });
    },
  ],
  [
    "no-scalar-union",
    "oneOf of a scalar's component and null",
    ({ components }) => {
      Object.assign(components.schemas.EventPage?.properties ?? {}, {
        next_cursor: { oneOf: [ref("CursorText"), NULL] },
      });
    },
  ],
  [
    "no-scalar-union",
    "anyOf of texts in several formats",
    ({ components }) => {
      Object.assign(components.schemas, {
        Time: {
          anyOf: [
            { type: "string", format: "date" },
            { type: "string", format: "date-time" },
          ],
        },
      });
    },
  ],
  ...[
    { type: "integer" },
    { type: "integer", maximum: 5368709120 },
    { type: "integer", maximum: 9 },
  ].map((size): (typeof FAULTS)[number] => [
    "integer-width",
    `a size as ${JSON.stringify(size)}`,
    ({ components }) => {
      Object.assign(components.schemas.UploadRequest?.properties ?? {}, { size });
    },
  ]),
  [
    "integer-width",
    "a count without a format",
    ({ components }) => {
      Object.assign(components.schemas.Stats?.properties ?? {}, { total: { type: "integer" } });
    },
  ],
  [
    "one-success-schema",
    "200 and 201 with different schemas",
    ({ paths }) => {
      const answer = paths["/uploads"]?.post?.responses["200"]?.content["application/json"];
      Object.assign(answer ?? {}, { schema: ref("UploadAnswer") });
    },
  ],
  [
    "concrete-body-first",
    "*/* as the only type of a body",
    ({ paths }) => {
      delete paths["/upload"]?.post?.requestBody.content["application/octet-stream"];
    },
  ],
  [
    "named-errors",
    "an error without a component",
    ({ paths }) => {
      const answer = paths["/uploads"]?.post?.responses["400"]?.content["application/json"];
      Object.assign(answer ?? {}, { schema: DOCUMENT.components.schemas.ErrorAnswer });
    },
  ],
  ...[{ description: "a type or `*/*`" }, { pattern: "^\\*/\\*$" }].map(
    (text): (typeof FAULTS)[number] => [
      "no-comment-mark",
      `the end of a comment in ${JSON.stringify(text)}`,
      ({ components }) => {
        const properties = components.schemas.UploadRequest?.properties ?? {};
        Object.assign(properties, { content_type: { type: "string", ...text } });
      },
    ],
  ),
];

describe("the rules for generators of clients", () => {
  for (const [rule, what, spoil] of FAULTS) {
    it(`find ${what}: ${rule}`, async () => {
      const document = structuredClone(DOCUMENT) as unknown as Altered;
      spoil(document);

      const found = await lintDocument(JSON.stringify(document));

      expect(found.filter((line) => line.includes(`generators/${rule} `))).to.have.lengthOf(1);
    });
  }
});
