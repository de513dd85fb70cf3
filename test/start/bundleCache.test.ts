import { execFile } from "node:child_process";
import {
  cpSync,
  mkdirSync,
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
import { capturedValues } from "../../start/capturedValues";
import { PROGRAM_DIR } from "../../start/programDir";
import { copyProgram } from "../../testing/copyProgram";

const run = promisify(execFile);

/** Lambdas of which some capture a setting or a module of Node's: they load faster than all. */
const INDEX = `
import { CallbackLambda } from "./components/lambda/callbackLambda";
import { loadSettings } from "./config";
import { hashing, identityHandler } from "./handlers/identity/identity";

const { maxAttempts } = loadSettings();
export const exported = () => async () => identityHandler()() + maxAttempts;
const limits = { timeoutSeconds: 3, memoryMegabytes: 128, logRetentionDays: 1 };
new CallbackLambda("imported", {
  callbackFactory: async () => (await import("./handlers/identity/identity.ts")).identityHandler(),
  description: "Imported",
  limits,
});
new CallbackLambda("plain", { callbackFactory: identityHandler, description: "Plain", limits });
new CallbackLambda("capturing", {
  callbackFactory: () => async () => identityHandler()() + maxAttempts,
  description: "Capturing",
  limits,
});
new CallbackLambda("exported", { callbackFactory: exported, description: "Exported", limits });
new CallbackLambda("builtin", {
  callbackFactory: () => hashing("text"),
  description: "Of Node",
  limits,
});
`;

const HANDLER = `
import { createHash } from "node:crypto";
import { newUpload } from "../../events/identity";
import { logInfo } from "../../runtime/log";

export function identityHandler() {
  return async () => {
    logInfo("Identity made.", {});
    return newUpload("uploads/", "a.jpg").event_id;
  };
}

export const hashing = (text) => async () => createHash("md5").update(text).digest("hex");
`;

type Hashes = Record<string, string>;

describe("The cache of bundles", function () {
  let program: string;
  let cache: string;
  let fresh: Hashes;

  before(async () => {
    program = mkdtempSync(path.join(realpathSync(tmpdir()), "bundle-cache-"));
    cache = path.join(program, "cache");
    copyProgram(program, ["package-lock.json", "testing"]);
    writeFileSync(path.join(program, "index.ts"), INDEX);
    mkdirSync(path.join(program, "handlers", "identity"));
    writeFileSync(path.join(program, "handlers", "identity", "identity.ts"), HANDLER);
    const [built = {}, cached] = await pack("none", cache);
    fresh = built;
    expect(cached).to.deep.equal(fresh);
  });

  after(() => {
    rmSync(program, { recursive: true });
  });

  /** For each cache, the hash of each Lambda's package, as one process of its own makes them. */
  async function pack(...folders: string[]): Promise<Hashes[]> {
    const args = ["-r", "./tooling/register.js", "testing/packProgram.ts", ...folders];
    const { stdout } = await run(process.execPath, args, { cwd: program });
    return JSON.parse(stdout) as Hashes[];
  }

  function bundlesIn(folder: string): number {
    return readdirSync(folder).filter((name) => name.endsWith(".json")).length;
  }

  /** What the cache gives while a file is changed, and what a fresh build does. */
  async function packChanged(file: string, change: (text: string) => string) {
    const place = path.join(program, file);
    const text = readFileSync(place, "utf8");
    expect(change(text)).to.not.equal(text);
    writeFileSync(place, change(text));
    try {
      const [cached = {}, built = {}] = await pack(cache, "none");
      return { cached, built };
    } finally {
      writeFileSync(place, text);
    }
  }

  it("is used from the second load on", async () => {
    expect(await pack(cache)).to.deep.equal([fresh]);
    const other = path.join(program, "other-cache");
    cpSync(cache, other, { recursive: true });
    const kept = readdirSync(other).filter((name) => name.endsWith(".json"));
    const written = new Date(2026, 0, 1);
    for (const name of kept) {
      // Using an entry updates its time only.
      const entry = JSON.parse(readFileSync(path.join(other, name), "utf8")) as { text: string };
      writeFileSync(path.join(other, name), JSON.stringify({ ...entry, text: "// kept" }));
      utimesSync(path.join(other, name), written, written);
    }

    const [used = {}] = await pack(other);

    expect(used.plain).to.equal(used.capturing).and.not.equal(fresh.plain);
  });

  it("has no entry for a program with another captured file", async () => {
    const { cached, built } = await packChanged("runtime/log.ts", (text) =>
      text.replace("console.info(", "console.debug("),
    );

    expect(cached).to.deep.equal(built);
    for (const name of ["imported", "plain", "capturing"]) {
      expect(cached[name], name).to.not.equal(fresh[name]);
    }
  });

  it("has no entry for a factory that captures another setting", async () => {
    const entries = bundlesIn(cache);

    const { cached, built } = await packChanged(
      "Pulumi.dev.yaml",
      (text) => `${text.trimEnd()}\n  s3-uploader:maxAttempts: "77"\n`,
    );

    expect(cached).to.deep.equal(built);
    expect(cached.capturing).to.not.equal(fresh.capturing);
    expect(cached.exported).to.not.equal(fresh.exported);
    // The others capture no setting, and are not rebuilt.
    expect(bundlesIn(cache)).to.equal(entries + 2);
  });

  it("has no entry for another file that an import means, in a folder of the user's own", async () => {
    const folder = path.join(program, "mine");
    const handler = path.join(program, "handlers", "identity", "identity.ts");
    mkdirSync(path.join(folder, "prefix"), { recursive: true });
    writeFileSync(path.join(folder, "prefix", "index.ts"), 'export const PREFIX = "uploads/";\n');
    const importing = `import { PREFIX } from "../../mine/prefix";\n${HANDLER}`;
    writeFileSync(handler, importing.replace('"uploads/"', "PREFIX"));
    const [before = {}] = await pack(cache);

    writeFileSync(path.join(folder, "prefix.ts"), 'export const PREFIX = "signed/";\n');
    const [cached = {}, built = {}] = await pack(cache, "none");

    expect(cached).to.deep.equal(built);
    expect(cached.imported).to.not.equal(before.imported);
    rmSync(folder, { recursive: true });
    writeFileSync(handler, HANDLER);
  });

  it("has no entry for another version of a package", async () => {
    const uuid = path.join(program, "node_modules", "uuid");
    rmSync(uuid, { recursive: true });
    cpSync(path.join(PROGRAM_DIR, "node_modules", "uuid"), uuid, { recursive: true });

    const { cached, built } = await packChanged("node_modules/uuid/dist-node/v7.js", (text) =>
      text.replace("0x70", "0x80"),
    );

    expect(cached).to.deep.equal(built);
    expect(cached.plain).to.not.equal(fresh.plain);
  });

  it("is optional: a damaged entry is rebuilt, and so is everything without a folder", async () => {
    expect(await pack(cache)).to.deep.equal([fresh]);
    for (const name of readdirSync(cache)) {
      writeFileSync(path.join(cache, name), '{"text":');
    }

    const below = path.join(program, "package.json", "below");
    expect(await pack(cache, below)).to.deep.equal([fresh, fresh]);
  });
});

describe("The values that a callback captures", () => {
  const modules = { path };
  const nameOf = (value: object) => (value === modules.path ? "node:path" : undefined);
  const adder = (amount: unknown) => (value: string) => path.join(value, String(amount));
  const captured = (callback: (...args: never[]) => unknown) => capturedValues(callback, nameOf);

  it("are the same for the same code and values only", () => {
    const same = captured(adder({ list: [1, "2"] }));

    expect(same).to.be.a("string");
    expect(captured(adder({ list: [1, "2"] }))).to.equal(same);
    expect(captured(adder({ list: [1, 2] }))).to.not.equal(same);
    expect(captured(adder([1, "2"]))).to.not.equal(same);
    expect(captured(adder((value: string) => value))).to.not.equal(
      captured(adder((other: string) => other.trim())),
    );
  });

  it("are not compared where that is not possible", () => {
    const values = [
      new Map(),
      new Date(0),
      NaN,
      -0,
      { zero: -0 },
      Object.assign(() => 1, { property: 1 }),
      1n,
      Symbol("s"),
      adder.bind(undefined),
      Object.defineProperty({}, "hidden", { value: 1 }),
      Object.defineProperty(() => 1, "hidden", { value: 1 }),
      class Late {
        field = 1;
      },
      Math.max,
    ];
    for (const [index, value] of values.entries()) {
      expect(captured(adder(value)), `value ${index}`).to.equal(undefined);
    }
  });
});

describe("An entry of the cache of bundles", () => {
  it("is removed once nobody has used it for a week", async () => {
    const folder = mkdtempSync(path.join(tmpdir(), "bundles-"));
    try {
      const old = path.join(folder, "old.json");
      writeFileSync(old, "{}");
      utimesSync(old, new Date(), new Date(Date.now() - 8 * 24 * 60 * 60 * 1000));
      writeFileSync(path.join(folder, "new.json"), "{}");

      const packing = {
        serialize: () => Promise.resolve({ text: "", modules: [], folder: PROGRAM_DIR }),
        bundle: () => Promise.resolve({ text: "text", inputs: [] }),
        openBundler: () => () => Promise.reject(new Error("Only --watch bundles a Lambda again.")),
      };
      const text = await openBundleCache({ folder }).textOf("upload", () => undefined, packing);

      expect(text).to.equal("text");
      expect(readdirSync(folder)).to.include("new.json").and.not.include("old.json");
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe("The pages in the cache of bundles", () => {
  it("are built again once a file that they were made of has changed", async () => {
    const folder = mkdtempSync(path.join(tmpdir(), "pages-"));
    const source = path.join(folder, "page.css");
    writeFileSync(source, "a");
    let builds = 0;
    const pages = async () => {
      const build = () => {
        builds += 1;
        return Promise.resolve({ texts: { link: String(builds) }, inputs: [source] });
      };
      return (await openBundleCache({ folder }).pagesOf(build)).texts.link;
    };

    expect([await pages(), await pages()]).to.deep.equal(["1", "1"]);
    writeFileSync(source, "ab");
    expect([await pages(), await pages()]).to.deep.equal(["2", "2"]);
    rmSync(folder, { recursive: true });
  });
});
