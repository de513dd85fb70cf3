import { createRequire, isBuiltin } from "node:module";
import { homedir, tmpdir } from "node:os";
import * as path from "node:path";
import { expect } from "chai";
import { bundle } from "../../components/bundle";

/** Texts in the form that Pulumi gives them. */
const S3_CLIENT = `
const client_s3_1 = require("@aws-sdk/client-s3/dist-cjs/index.js");
exports.handler = async () => {
  const s3 = new client_s3_1.S3Client({ region: "eu-central-1" });
  const command = new client_s3_1.GetObjectCommand({ Bucket: "b", Key: "k" });
  return [s3.constructor.name !== "", command.input.Key];
};
`;

interface Exports {
  handler(): Promise<unknown>;
}

/** Loads a bundle with nothing but Node's own modules to be had. */
function load(text: string): Exports {
  const module = { exports: {} as Exports };
  const requireBuiltin = (name: string): unknown => {
    if (!isBuiltin(name)) {
      throw new Error(`The bundle requires ${name}.`);
    }
    return createRequire(__filename)(name);
  };
  // Compiling text is what this is about.
  // eslint-disable-next-line @typescript-eslint/no-implied-eval, @typescript-eslint/no-unsafe-call
  new Function("module", "exports", "require", text)(module, module.exports, requireBuiltin);
  return module.exports;
}

describe("bundle", () => {
  it("makes one file that runs without any package", async () => {
    expect(await load(await bundle(S3_CLIENT)).handler()).to.deep.equal([true, "k"]);
  });

  it("makes the same bytes every time, without a trace of this machine", async () => {
    const [first, second] = await Promise.all([bundle(S3_CLIENT), bundle(S3_CLIENT)]);
    expect(second).to.equal(first);
    for (const folder of [path.resolve(__dirname, "..", ".."), homedir(), tmpdir()]) {
      expect(first).not.to.include(folder);
    }
  });

  it("leaves out what the text does not use", async () => {
    const text = await bundle(S3_CLIENT);
    expect(text).to.include("GetObject");
    expect(text).not.to.match(/CreateBucketCommand|ListObjectsV2Command|paginate|waitUntil/);
    expect(text.length).to.be.below(450_000);
  });

  it("keeps the names apart that two captures of a package use", async () => {
    const text = await bundle(`
const uuid_1 = require("uuid");
const uuid_2 = require("uuid");
exports.handler = async () => [uuid_1.NIL, uuid_2.validate(uuid_2.MAX)];
`);
    expect(await load(text).handler()).to.deep.equal([
      "00000000-0000-0000-0000-000000000000",
      true,
    ]);
  });

  it("keeps all of a module that is used as a whole", async () => {
    const text = await bundle(`
const uuid_1 = require("uuid");
exports.handler = async () => Object.keys(uuid_1);
`);
    expect(await load(text).handler()).to.include.members(["v4", "v5", "v7", "parse", "NIL"]);
  });

  it("leaves Node's own modules to Node", async () => {
    const text = await bundle(`
const node_crypto_1 = require("crypto");
exports.handler = async () => node_crypto_1.createHash("sha256").update("a").digest("hex");
`);
    expect(text.length).to.be.below(2_000);
    expect(await load(text).handler()).to.match(/^ca978112/);
  });

  it("keeps the text's `with` blocks, in which Pulumi puts what a function captures", async () => {
    const text = await bundle(`
function __greet() {
  return (function() {
    with({ greeting: "hello", this: undefined, arguments: undefined }) {
return async () => greeting;
    }
  }).apply(undefined, undefined).apply(this, arguments);
}
exports.handler = __greet;
`);
    expect(await load(text).handler()).to.equal("hello");
  });

  const faults = {
    "a syntax error, with its place": [
      "exports.handler = (;",
      /callback:text\.js:1:19: .*Unexpected/,
    ],
    "a package that is not installed": [
      'const left_pad_1 = require("no-such-package");\nexports.handler = left_pad_1.pad;',
      /Could not resolve "no-such-package"/,
    ],
    "a name that a package does not have": [
      'const uuid_1 = require("uuid");\nexports.handler = () => uuid_1.noSuchName();',
      /noSuchName/,
    ],
  } as const;

  for (const [fault, [text, message]] of Object.entries(faults)) {
    it(`refuses ${fault}`, async () => {
      const error = await bundle(text).then(
        () => undefined,
        (reason: unknown) => reason as Error,
      );
      expect(error?.message).to.match(message);
    });
  }
});
