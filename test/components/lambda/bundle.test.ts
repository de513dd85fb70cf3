import { execFile } from "node:child_process";
import { homedir, tmpdir } from "node:os";
import * as path from "node:path";
import { setTimeout } from "node:timers/promises";
import { promisify } from "node:util";
import { expect } from "chai";
import { lambdaNodeFlags } from "local-aws";
import { bundled as bundle, load } from "./loadBundle";

/** The module of a callback. */
const S3_CLIENT = `
import { GetObjectCommand, S3Client } from "@aws-sdk/client-s3";
export const handler = async () => {
  const s3 = new S3Client({ region: "eu-central-1" });
  const command = new GetObjectCommand({ Bucket: "b", Key: "k" });
  return [s3.constructor.name !== "", command.input.Key];
};
`;

describe("bundle", () => {
  it("makes one file that runs without any package", async () => {
    expect(await load(await bundle(S3_CLIENT)).handler()).to.deep.equal([true, "k"]);
  });

  it("makes the same bytes every time, without paths of this machine", async () => {
    const [first, second] = await Promise.all([bundle(S3_CLIENT), bundle(S3_CLIENT)]);
    expect(second).to.equal(first);
    for (const folder of [path.resolve(__dirname, "..", "..", ".."), homedir(), tmpdir()]) {
      expect(first).not.to.include(folder);
    }
  });

  it("bundles each of several texts as it does alone, in any order", async () => {
    const texts = ["NIL", "MAX"].map(
      (name) => `
import { ${name} } from "uuid";
export const handler = async () => ${name};
`,
    );
    const alone: string[] = [];
    for (const text of [S3_CLIENT, ...texts]) {
      alone.push(await bundle(text));
    }

    const last = setTimeout(50, S3_CLIENT);
    const together = await Promise.all([bundle(last), ...texts.map((text) => bundle(text))]);

    expect(together).to.deep.equal(alone);
  });

  it("bundles the others when one cannot be bundled, or its promise rejects", async () => {
    const [refused, missing, done] = await Promise.allSettled([
      bundle("export const handler = ;"),
      bundle(Promise.reject(new Error("no text"))),
      bundle(S3_CLIENT),
    ]);

    expect(refused.status).to.equal("rejected");
    expect(missing).to.have.nested.property("reason.message", "no text");
    expect(done).to.have.property("value", await bundle(S3_CLIENT));
  });

  it("has Node use its own compiled code under the flags of Lambda's runtime, and keeps gc", async () => {
    const text = await bundle(`
import { globalAgent } from "https";
export const handler = async () => globalAgent.protocol;
`);
    const script = `
const { internalBinding } = require("internal/test/binding");
process.on("exit", () => {
  const { compiledWithCache, compiledWithoutCache } = internalBinding("builtins").getCacheUsage();
  const https = { cached: compiledWithCache.has("https"), compiled: compiledWithoutCache.has("https") };
  process.stdout.write(JSON.stringify({ ...https, gc: typeof gc }));
});
`;
    const https = async (code: string): Promise<unknown> => {
      const flags = [...lambdaNodeFlags(256), "--expose-internals", "-e", script + code];
      return JSON.parse((await promisify(execFile)(process.execPath, flags)).stdout);
    };

    const gc = "function";
    expect(await https('require("https");')).to.deep.equal({ cached: false, compiled: true, gc });
    expect(await https(text)).to.deep.equal({ cached: true, compiled: false, gc });
  });

  it("lets the process end", async () => {
    const script = `require("./components/lambda/bundle").bundle({ text: "export default () => 1;", modules: [], folder: process.cwd() }).then(({ text }) => console.log(text))`;
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ["-r", "./tooling/register.js", "-e", script],
      { cwd: path.resolve(__dirname, "..", "..", ".."), timeout: 60_000 },
    );
    expect(stdout).to.include("handler");
  });

  it("leaves out exports that the text does not use", async () => {
    const text = await bundle(S3_CLIENT);
    expect(text).to.include("GetObject");
    expect(text).not.to.match(/CreateBucketCommand|ListObjectsV2Command|paginate|waitUntil/);
    // Nor in the SDK's schemas of the service.
    expect(text).not.to.match(/ListBuckets|PutBucketPolicy|SelectObjectContent/);
    expect(text.length).to.be.below(250_000);
  });

  it("keeps all of a module that is used as a whole", async () => {
    const text = await bundle(`
const uuid_1 = require("uuid");
export const handler = async () => Object.keys(uuid_1);
`);
    expect(await load(text).handler()).to.include.members(["v4", "v5", "v7", "parse", "NIL"]);
  });

  it("does not bundle Node's own modules", async () => {
    const text = await bundle(`
import { createHash } from "crypto";
export const handler = async () => createHash("sha256").update("a").digest("hex");
`);
    expect(text.length).to.be.below(2_000);
    expect(await load(text).handler()).to.match(/^ca978112/);
  });

  const faults = {
    "a syntax error, with its place": [
      "export const handler = (;",
      /callback:0\.cjs:1:24: .*Unexpected/,
    ],
    "a package that is not installed": [
      'import { pad } from "no-such-package";\nexport const handler = pad;',
      /Could not resolve "no-such-package"/,
    ],
    "a name that a package does not have": [
      'import { noSuchName } from "uuid";\nexport const handler = () => noSuchName();',
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
