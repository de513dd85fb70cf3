import { readdirSync, readFileSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import * as path from "node:path";
import { expect } from "chai";
import { PROGRAM_DIR } from "../start/programDir";

/** What CONTRIBUTING.md allows. */
const MAX_FILE_LINES = 400;
const MAX_FOLDER_FILES = 15;
const MAX_INDEX_LINES = 120;

const SOURCE = /\.(tsx?|js|cjs|mjs)$/;

/** Not the project's own, or not in the repo. */
const IGNORED = ["node_modules", ".git", ".local"];

/** Every folder of the repo, as a path from its root. */
function foldersIn(folder: string): string[] {
  const inside = readdirSync(path.join(PROGRAM_DIR, folder), { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !IGNORED.includes(entry.name))
    .flatMap((entry) => foldersIn(path.join(folder, entry.name)));
  return [folder, ...inside];
}

function sourcesIn(folder: string): string[] {
  return readdirSync(path.join(PROGRAM_DIR, folder))
    .map((name) => path.join(folder, name))
    .filter((file) => SOURCE.test(file) && statSync(path.join(PROGRAM_DIR, file)).isFile());
}

function linesOf(file: string): number {
  return readFileSync(path.join(PROGRAM_DIR, file), "utf8").split("\n").length - 1;
}

const requireModule = createRequire(__filename);

const { ROOMS } = requireModule("../tooling/check.js") as { ROOMS: string[] };

describe("The rooms", () => {
  const folders = foldersIn(".");

  it("are all checked for what they import", () => {
    const withSources = folders.filter((folder) => sourcesIn(folder).length > 0);
    const rooms = withSources.flatMap((folder) => folder.split(path.sep).slice(0, 1));
    const files = sourcesIn(".").filter((file) => file.endsWith(".ts"));

    expect(ROOMS).to.have.members([...new Set(rooms), ...files].filter((room) => room !== "."));
  });

  it(`have files of at most ${MAX_FILE_LINES} lines, tests apart`, () => {
    const isTest = (file: string) => file.split(path.sep).includes("test");
    const long = folders
      .flatMap(sourcesIn)
      .filter((file) => !isTest(file) && linesOf(file) > MAX_FILE_LINES)
      .map((file) => `${file}: ${linesOf(file)}`);

    expect(long).to.deep.equal([]);
  });

  it(`have at most ${MAX_FOLDER_FILES} source files in a folder`, () => {
    const full = folders
      .map((folder) => ({ folder, files: sourcesIn(folder).length }))
      .filter(({ files }) => files > MAX_FOLDER_FILES);

    expect(full).to.deep.equal([]);
  });

  it(`are composed by an index.ts of at most ${MAX_INDEX_LINES} lines`, () => {
    expect(linesOf("index.ts")).to.be.at.most(MAX_INDEX_LINES);
  });
});

describe("Packages", () => {
  it("are installed without running scripts", () => {
    expect(readFileSync(path.join(PROGRAM_DIR, ".npmrc"), "utf8")).to.match(
      /^ignore-scripts=true$/m,
    );
  });
});
