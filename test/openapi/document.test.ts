import { expect } from "chai";
import { EVENT_STATUSES } from "../../events/event";
import { MANAGER_ROUTES } from "../../handlers/manager/routes";
import { MAX_OBJECT_BYTES } from "../../runtime/multipart/parts";
import { below, DOCUMENT, isObject, locate, type Located, methodsOf } from "./document";
import { lintDocument } from "./generatorRules";
import { problemsOf, validatorAt } from "./schemas";

/** An example of the document, with its schema. */
interface Example {
  where: string;
  schema: string;
  value: unknown;
}

/** Calls `visit` for each object of the document, except inside examples. */
function walk(visit: (pointer: string, value: Record<string, unknown>) => void): void {
  const go = (pointer: string, value: unknown) => {
    if (isObject(value)) {
      visit(pointer, value);
    }
    if (typeof value !== "object" || value === null) {
      return;
    }
    for (const [name, child] of Object.entries(value)) {
      if (name !== "example" && name !== "examples") {
        go(below(pointer, name), child);
      }
    }
  };
  go("#", DOCUMENT);
}

function allExamples(): Example[] {
  const found: Example[] = [];
  walk((pointer, { example, examples, schema: own }) => {
    const schema = own === undefined ? pointer : below(pointer, "schema");
    if (example !== undefined) {
      found.push({ where: below(pointer, "example"), schema, value: example });
    }
    if (pointer === "#/components") {
      return;
    }
    for (const [name, given] of Object.entries((examples ?? {}) as Record<string, unknown>)) {
      const named = () => locate(below(pointer, "examples", name)).value as { value: unknown };
      const value = Array.isArray(examples) ? given : named().value;
      found.push({ where: below(pointer, "examples", name), schema, value });
    }
  });
  return found;
}

function operations() {
  return Object.keys(DOCUMENT.paths).flatMap((path) =>
    methodsOf(path).map((method) => ({ method, path })),
  );
}

describe("openapi.json", () => {
  it("is an OpenAPI 3.1 document without a finding of an independent linter", async () => {
    expect(await lintDocument(JSON.stringify(DOCUMENT))).to.deep.equal([]);
    expect(DOCUMENT.openapi).to.match(/^3\.1\.\d+$/);
  });

  it("describes the upload API's only operation and all of the manager's, and no other", () => {
    expect(operations()).to.have.deep.members([
      { method: "POST", path: "/upload" },
      ...MANAGER_ROUTES.map(({ method, path }) => ({ method, path })),
    ]);
  });

  it("has schemas that compile in strict mode", () => {
    const names = Object.keys(locate("#/components/schemas").value as object);
    const pointers = names.map((name) => below("#/components/schemas", name));
    walk((pointer, { schema }) => {
      if (schema !== undefined) {
        pointers.push(below(pointer, "schema"));
      }
    });

    for (const pointer of pointers) {
      expect(() => validatorAt(pointer), pointer).to.not.throw();
    }
  });

  it("has examples that match their schemas", () => {
    const examples = allExamples();

    for (const { where, schema, value } of examples) {
      expect(problemsOf(schema, value), where).to.deep.equal([]);
    }
    expect(examples.length).to.be.above(50);
  });

  it("has an example of every body, and of every error code", () => {
    walk((pointer, { examples }) => {
      if (!pointer.endsWith("/content/application~1json")) {
        return;
      }
      // Generators ignore the example of a request beside its schema, with a warning.
      const { value } = locate(below(pointer, "schema"));
      const all = examples ?? (value as { examples?: object }).examples ?? {};
      expect(Object.keys(all), pointer).to.not.have.lengthOf(0);
      for (const name of Object.keys(examples ?? {})) {
        const { value: example } = locate(below(pointer, "examples", name)) as Located<{
          value: { error?: { code: string } };
        }>;
        expect(example.value.error?.code ?? name, pointer).to.equal(name);
      }
    });
  });

  it("lists the statuses of events", () => {
    const { value } = locate("#/components/schemas/EventStatus");
    expect((value as { enum: string[] }).enum).to.deep.equal([...EVENT_STATUSES]);
  });

  it("gives the size limits of all uploads", () => {
    const limit = (path: string) =>
      (locate(below("#/paths", path, "post")).value as Record<string, unknown>)["x-max-bytes"];
    expect(limit("/upload")).to.equal(4 * 1024 * 1024);
    expect(limit("/uploads")).to.equal(5 * 1024 ** 3);
    expect(limit("/s3/multipart")).to.equal(MAX_OBJECT_BYTES);
  });

  it("has the placeholders that a deployment fills in", () => {
    const upload = DOCUMENT.paths["/upload"];
    expect(upload?.post).to.deep.include({ security: [{}, { uploadKey: [] }] });
    expect(DOCUMENT.servers).to.have.lengthOf(1);
    expect(upload?.servers).to.have.lengthOf(1);
  });
});
