import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { deflateRawSync } from "node:zlib";
import { expect } from "chai";
import { NO_FILES, packageSize, together } from "../../../bench/packages/packageSize";

/** Of the format (APPNOTE.TXT, 4.3): its fixed parts, and the name twice. */
const DIRECTORY_END = 22;
const headersOf = (name: string) => 30 + 46 + 2 * name.length;

describe("The size of a package", () => {
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "bench-zip-"));
  });

  afterEach(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  it("is that of an empty zip, for an empty folder", async () => {
    expect(await packageSize(folder)).to.deep.equal({ bytes: 0, zipBytes: 22, files: 0 });
  });

  it("counts headers, and stores files that deflate does not shrink", async () => {
    await writeFile(path.join(folder, "a.js"), "x");

    expect(await packageSize(folder)).to.deep.equal({
      bytes: 1,
      zipBytes: 1 + headersOf("a.js") + DIRECTORY_END,
      files: 1,
    });
  });

  it("deflates each file of every folder, under its full name", async () => {
    const text = "the same again, ".repeat(500);
    await mkdir(path.join(folder, "deep/er"), { recursive: true });
    await writeFile(path.join(folder, "deep/er/b.js"), text);

    expect(await packageSize(folder, "node_modules/p/")).to.deep.equal({
      bytes: text.length,
      zipBytes:
        deflateRawSync(text).length + headersOf("node_modules/p/deep/er/b.js") + DIRECTORY_END,
      files: 1,
    });
  });

  it("of two packages together is that of one zip with the files of both", async () => {
    await mkdir(path.join(folder, "b"));
    await writeFile(path.join(folder, "b", "b.js"), "bb");
    const second = await packageSize(path.join(folder, "b"), "b/");
    await mkdir(path.join(folder, "a"));
    await writeFile(path.join(folder, "a", "a.js"), "a");
    const first = await packageSize(path.join(folder, "a"), "a/");

    expect(together(first, second)).to.deep.equal(await packageSize(folder));
    expect(together(NO_FILES, first)).to.deep.equal(first);
  });
});
