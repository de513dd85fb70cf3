import { createHash } from "node:crypto";
import { S3Client } from "@aws-sdk/client-s3";
import { expect } from "chai";
import type { BuildFailure } from "esbuild";
import { NIL } from "uuid";
import { bundle } from "../../../components/lambda/bundle";
import { serialize } from "../../../components/lambda/serialize";
import { farPlace } from "./far/farPlace";
import { resolved } from "./far/resolved";
import { load } from "./loadBundle";

/** What the handler that a factory makes returns, once it is serialized and bundled. */
async function resultOf(factory: () => unknown): Promise<unknown> {
  const { text } = await bundle(serialize(factory));
  const exports = load(text) as unknown as { handler: (() => unknown) | Promise<() => unknown> };
  return (await exports.handler)();
}

async function messageOf(failing: Promise<unknown>): Promise<string> {
  return failing.then(
    () => "no error",
    (error: unknown) => (error as Error).message,
  );
}

let counter = 0;

const client = new S3Client({ region: "eu-central-1" });

const secret = new (class {
  readonly #value = 1;
  get() {
    return this.#value;
  }
})();

const plain = { names: ["a"], pattern: /^b+$/u };
const counted = (list: unknown[]) => list.length;

/** The name that a serialized module gives to what it imports. */
const __modules = "captured";

const computed = ["uu", "id"].join("");

describe("serialize", () => {
  it("leaves what a callback imports a module, of which the bundle has what is used", async () => {
    const factory = async () => {
      const { NIL } = await import("uuid");
      const { gunzipSync } = await import("node:zlib");
      return () => [NIL, typeof gunzipSync];
    };

    expect(await resultOf(factory)).to.deep.equal([NIL, "function"]);
  });

  it("takes a module that is imported twice once, and gives the same one", async () => {
    const factory = async () => {
      const [first, second] = await Promise.all([import("uuid"), import("uuid")]);
      return () => first === second;
    };

    expect((await serialize(factory)).modules).to.deep.equal([
      { specifier: "uuid", names: undefined },
    ]);
    expect(await resultOf(factory)).to.equal(true);
  });

  it("serializes captured functions, data and modules of Node's by value, beside imports", async () => {
    const factory = async () => {
      const { MAX } = await import("uuid");
      return () => [
        counted([MAX, ...plain.names]),
        plain.pattern.test("b"),
        createHash("md5").update("a").digest("hex").length,
        __modules,
      ];
    };

    expect(await resultOf(factory)).to.deep.equal([2, true, 32, "captured"]);
  });

  it("takes for an import nothing that only looks like one", async () => {
    const factory = () => () => {
      // import("./comment")
      const object = { import: (name: string) => `method ${name}` };
      return [
        object.import("x"),
        'import("./text")',
        `${plain.names.length}import("./template")`,
        /import("a")/.source,
      ];
    };

    expect((await serialize(factory)).modules).to.deep.equal([]);
    expect(await resultOf(factory)).to.deep.equal([
      "method x",
      'import("./text")',
      '1import("./template")',
      'import("a")',
    ]);
  });

  it("takes of a module just the exports that are named, and refuses one that it lacks", async () => {
    const named = async () => {
      const { NIL, v4: random } = await import("uuid");
      return () => [NIL, random().length];
    };
    expect((await serialize(named)).modules).to.deep.equal([
      { specifier: "uuid", names: ["NIL", "v4"] },
    ]);
    expect(await resultOf(named)).to.deep.equal([NIL, 36]);

    const lacking = async () =>
      ((await import("uuid")) as unknown as { noSuchName: () => unknown }).noSuchName;
    expect(await messageOf(bundle(serialize(lacking)))).to.include(
      'No matching export in "node_modules/uuid/dist-node/index.js" for import "noSuchName"',
    );
  });

  it("finds a module from the file of the function that imports it, wherever that is called", async () => {
    const near = () => resolved(async () => (await import("./place.ts")).place);

    expect(await resultOf(() => near)).to.equal("near");
    expect(await resultOf(() => farPlace)).to.equal("far");
    const both = () => async () => [await near(), await farPlace()];
    expect(await messageOf(serialize(both))).to.include("in files of several folders");
  });

  it("keeps callbacks apart that have the same text, and import other modules", async () => {
    const factories = [
      async () => (await import("./place.ts")).place,
      async () => (await import("./far/place.ts")).place,
    ];
    const bundles = await Promise.all(factories.map((factory) => bundle(serialize(factory))));

    const places = bundles.map(({ text }) => (load(text) as { handler: unknown }).handler);
    expect(await Promise.all(places)).to.deep.equal(["near", "far"]);
  });

  const refused: Record<string, [() => unknown, string]> = {
    "an import by a name that is not in the code": [
      async () => import(computed) as Promise<unknown>,
      'it has import(computed), which cannot be bundled: write import("./module.ts")',
    ],
    "a captured client, by its name": [
      () => async () => client.send({} as never),
      'it captures "client", which cannot be serialized.',
    ],
    "an instance with private fields": [
      () => () => secret.get(),
      "it captures code that cannot be serialized: Private field '#value'",
    ],
    "an assignment to a captured variable, which would be lost": [
      () => () => (counter += 1),
      'it assigns to "counter", which it captures',
    ],
  };

  for (const [what, [factory, message]] of Object.entries(refused)) {
    it(`refuses ${what}`, async () => {
      expect(await messageOf(serialize(factory))).to.include(message);
    });
  }

  it("refuses what only the deployment has, with the file that imports it", async () => {
    const factory = async () => (await import("../../../config.ts")).loadSettings;
    const { errors } = await bundle(serialize(factory)).then(
      () => ({ errors: [] }),
      (error: unknown) => error as BuildFailure,
    );

    expect(errors[0]?.text).to.match(/^A Lambda has no "@pulumi\/aws": only the deployment has\./);
    expect(errors[0]?.location?.file).to.equal("config.ts");
  });

  it("is the same text each time", async () => {
    const factory = async () => (await import("uuid")).v4;

    expect(await serialize(factory)).to.deep.equal(await serialize(factory));
  });
});
