import { readdir, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { expect } from "chai";
import { DEFAULTS } from "../../config";
import { PROGRAM_DIR } from "../../start/programDir";
import { startRun } from "../../start/run";
import { ACCOUNT_ID } from "../../testing/mockedAws";
import {
  OTHER_SETTINGS,
  packagesOf,
  type Recording,
  recordProgram,
} from "../../testing/recordingMocks";
import { LAMBDAS } from "../program/names";

/**
 * Room for updates, but not for a package that is not tree-shaken: parsing 100,000 bytes takes about 3 ms
 * of every start.
 */
function maxBundleBytes(text: string): number {
  return text.includes("com.amazonaws.s3") ? 420_000 : 330_000;
}

async function textsIn(folder: string): Promise<Record<string, string>> {
  const texts: Record<string, string> = {};
  for (const file of await readdir(folder)) {
    texts[file] = await readFile(path.join(folder, file), "utf8");
  }
  return texts;
}

describe("The Lambdas' packages", () => {
  let recording: Recording;
  let packages: Map<string, Record<string, string>>;

  before(async () => {
    recording = await recordProgram({}, { bundleCache: null });
    packages = await packagesOf(recording);
  });

  it("are one file each, small enough for a fast start; pages and description are beside the code", () => {
    const beside = {
      links: ["link.page.json"],
      manager: ["console.page.json", "openapi.json"],
    } as Record<string, string[]>;
    expect([...packages.keys()]).to.have.members(LAMBDAS);
    for (const [name, { "index.js": code = "", ...others }] of packages) {
      expect(Buffer.byteLength(code), name).to.be.within(1_000, maxBundleBytes(code));
      expect(Object.keys(others), name).to.have.members(beside[name] ?? []);
    }
  });

  it("hold nothing of the deployment: no account, ARN, URL, address or secret", () => {
    const { email } = DEFAULTS;
    const traces = [ACCOUNT_ID, "1a2b3c4", "execute-api", email, "s3-uploader-test"];
    for (const [name, { "index.js": text = "" }] of packages) {
      for (const trace of traces) {
        expect(text.includes(trace), `${name} holds "${trace}"`).to.equal(false);
      }
      expect(/arn:aws:[a-z0-9-]+:[a-z0-9-]*:\d{12}/.exec(text), name).to.equal(null);
      expect(/\b(AKIA|ASIA)[A-Z0-9]{16}\b/.exec(text), name).to.equal(null);
      expect(/[\w.+-]+@[\w-]+\.(com|net|org|io)\b/.exec(text), name).to.equal(null);
    }
  });

  it("hold nothing of this machine", () => {
    for (const [name, files] of packages) {
      for (const place of [PROGRAM_DIR, tmpdir(), "node_modules"]) {
        const text = Object.values(files).join("\n");
        expect(text.includes(place), `${name} holds "${place}"`).to.equal(false);
      }
    }
  });

  it("do not change with the settings", async () => {
    expect(
      await packagesOf(await recordProgram(OTHER_SETTINGS, { bundleCache: null })),
    ).to.deep.equal(packages);
  });

  it("are byte for byte what the local run unpacks and runs", async () => {
    const run = await startRun({ port: 0 });
    try {
      // The run's temporary files: mails and the Lambdas' code.
      const lambdas = path.join(path.dirname(run.mailDir), "lambda");
      const unpacked = new Map<string, Record<string, string>>();
      for (const functionName of await readdir(lambdas)) {
        const name = /^(\w+)-[0-9a-f]{7}$/.exec(functionName)?.[1];
        if (name !== undefined) {
          unpacked.set(name, await textsIn(path.join(lambdas, functionName)));
        }
      }
      expect(unpacked).to.deep.equal(packages);
      expect([...unpacked.keys()]).to.have.members(LAMBDAS);
    } finally {
      await run.stop();
    }
  });
});
