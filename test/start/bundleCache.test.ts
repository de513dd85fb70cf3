import { execFile } from "node:child_process";
import {
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { promisify } from "node:util";
import { expect } from "chai";
import { openBundleCache } from "../../start/bundleCache";
import { PROGRAM_DIR } from "../../start/programDir";
import { copyProgram } from "../../testing/copyProgram";

const run = promisify(execFile);

describe("The cache of bundles", function () {
  this.timeout(120_000);

  let program: string;
  let cache: string;

  beforeEach(() => {
    program = mkdtempSync(path.join(realpathSync(tmpdir()), "bundle-cache-"));
    copyProgram(program, ["package-lock.json", "testing"]);
    cache = path.join(program, "cache");
  });

  afterEach(() => {
    rmSync(program, { recursive: true });
  });

  /** The hash of each Lambda's package, as a process of its own makes it. */
  async function pack(folder: string): Promise<Record<string, string>> {
    const args = ["-r", "./tooling/register.js", "testing/packProgram.ts", folder];
    const { stdout } = await run(process.execPath, args, { cwd: program });
    return JSON.parse(stdout) as Record<string, string>;
  }

  function entries(): string[] {
    return readdirSync(cache).sort();
  }

  function edit(file: string, change: (text: string) => string): void {
    const text = readFileSync(path.join(program, file), "utf8");
    expect(change(text)).to.not.equal(text);
    writeFileSync(path.join(program, file), change(text));
  }

  it("gives the bytes of a fresh build, from the second load on without a build", async () => {
    const fresh = await pack("none");
    expect(await pack(cache)).to.deep.equal(fresh);
    const kept = entries();
    // What a build writes would be seen.
    for (const name of kept) {
      utimesSync(path.join(cache, name), new Date(), new Date(2026, 0, 1));
    }

    expect(await pack(cache)).to.deep.equal(fresh);
    expect(entries()).to.deep.equal(kept).and.have.lengthOf(6);
  });

  it("has no entry for a program with another captured file", async () => {
    const before = await pack(cache);
    // One that all Lambdas capture, and changes what each does.
    edit("runtime/log.ts", (text) => text.replace("console.error(", "console.warn("));

    const after = await pack(cache);

    expect(after).to.deep.equal(await pack("none"));
    for (const name of Object.keys(before)) {
      expect(after[name], name).to.not.equal(before[name]);
    }
  });

  it("has no entry for a factory that captures another setting", async () => {
    edit("index.ts", (text) =>
      text.replace(
        "processHandler(inspectFile)",
        "processHandler((file) => inspectFile(file).then((r) => ({ ...r, size: settings.maxAttempts })))",
      ),
    );
    const before = await pack(cache);
    edit("Pulumi.dev.yaml", (text) => `${text.trimEnd()}\n  s3-uploader:maxAttempts: "77"\n`);

    const after = await pack(cache);

    expect(after).to.deep.equal(await pack("none"));
    expect(after.process).to.not.equal(before.process);
    // The others capture no setting: they are not built anew.
    expect(entries()).to.have.lengthOf(7);
  });

  it("has no entry for another version of a package", async () => {
    const before = await pack(cache);
    const uuid = path.join("node_modules", "uuid");
    rmSync(path.join(program, uuid));
    cpSync(path.join(PROGRAM_DIR, uuid), path.join(program, uuid), { recursive: true });
    edit(path.join(uuid, "dist-node", "v7.js"), (text) => text.replace("0x70", "0x80"));

    const after = await pack(cache);

    expect(after).to.deep.equal(await pack("none"));
    expect(after.upload).to.not.equal(before.upload);
  });

  it("builds anew where an entry is damaged, and needs no folder that it can write to", async () => {
    const fresh = await pack(cache);
    for (const name of entries()) {
      writeFileSync(path.join(cache, name), '{"text":');
    }
    expect(await pack(cache)).to.deep.equal(fresh);
    expect(await pack(path.join(program, "package.json", "below"))).to.deep.equal(fresh);
  });
});

describe("An entry of the cache of bundles", () => {
  it("is removed once nobody has used it for a month", async () => {
    const folder = mkdtempSync(path.join(tmpdir(), "bundles-"));
    try {
      const old = path.join(folder, "old.json");
      writeFileSync(old, "{}");
      utimesSync(old, new Date(), new Date(Date.now() - 31 * 24 * 60 * 60 * 1000));
      writeFileSync(path.join(folder, "new.json"), "{}");

      const make = () => Promise.resolve({ text: "text", inputs: [] });
      const text = await openBundleCache({ folder }).textOf("upload", () => undefined, make);

      expect(text).to.equal("text");
      expect(readdirSync(folder)).to.include("new.json").and.not.include("old.json");
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
