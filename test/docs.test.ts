import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import * as path from "node:path";
import { expect } from "chai";
import { DEFAULTS } from "../config";
import { MANAGER_ROUTES } from "../handlers/manager/routes";
import { PROGRAM_DIR } from "../start/programDir";

const MAX_README_LINES = 200;

function read(file: string): string {
  return readFileSync(path.join(PROGRAM_DIR, file), "utf8");
}

function exists(file: string): boolean {
  return existsSync(path.join(PROGRAM_DIR, file));
}

const DOCUMENTS = ["", "docs", "packages/local-aws"].flatMap((folder) =>
  readdirSync(path.join(PROGRAM_DIR, folder))
    .filter((name) => name.endsWith(".md"))
    .map((name) => path.join(folder, name)),
);

/** A changelog names files as they were at the time. */
const CURRENT = DOCUMENTS.filter((file) => file !== "CHANGELOG.md");

const ENTRIES = new Set(readdirSync(PROGRAM_DIR));

/** A document's text without its code blocks. */
function proseOf(file: string): string {
  return read(file).replaceAll(/^```.*?^```$/gms, "");
}

/** The problems of all files, each with its file in front. */
function inEach(files: string[], find: (file: string) => string[]): string[] {
  return files.flatMap((file) => find(file).map((problem) => `${file}: ${problem}`));
}

// ------------------------------------------------------------------------------------ Links

/** The anchor that GitHub gives a heading. */
function anchorOf(heading: string): string {
  return heading
    .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1")
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, "")
    .replaceAll(/\s/g, "-");
}

function anchorsOf(file: string): string[] {
  return [...proseOf(file).matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) => anchorOf(heading));
}

function brokenLinks(file: string): string[] {
  const targets = [...proseOf(file).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = ""]) => target);
  return targets.filter((target) => {
    if (/^[a-z]+:/.test(target)) {
      return false;
    }
    const [relative = "", anchor] = target.split("#");
    const linked = relative === "" ? file : path.join(path.dirname(file), relative);
    return (
      !exists(linked) ||
      (anchor !== undefined && linked.endsWith(".md") && !anchorsOf(linked).includes(anchor))
    );
  });
}

// ------------------------------------------------------------------------------------ Paths

const FILE_TYPE = /\.(cjs|js|json|md|mjs|ts|txt|yaml|yml)$/;

/** Folders of the bucket, not of the repository. */
const KEY_PREFIXES = ["uploads/", "signed/", "links/"];

/** Whether inline code names a file or folder of the repository. */
function isPath(code: string): boolean {
  if (!/^\w[\w@.-]*(\/[\w@.-]+)*\/?$/.test(code) || KEY_PREFIXES.includes(code)) {
    return false;
  }
  const [first = "", ...others] = code.split("/");
  return FILE_TYPE.test(code) || code.endsWith("/") || (others.length > 0 && ENTRIES.has(first));
}

function missingPaths(file: string): string[] {
  return [...proseOf(file).matchAll(/`([^`\n]+)`/g)]
    .map(([, code = ""]) => code)
    .filter(isPath)
    .filter((code) => !["", path.dirname(file)].some((folder) => exists(path.join(folder, code))));
}

// ------------------------------------------------------------------------------ Identifiers

/** Inline code that is a name of the code, perhaps with its object before or parameters after it. */
const IDENTIFIER = /^(?:[a-z]\w*\.)?([A-Za-z_]\w*)(?:\([^()]*\))?$/;

/** Whether inline code is more than a word of its own: `listEvents`, `ROUTES`, `bucket.reading()`. */
function isIdentifier(code: string): boolean {
  return !isPath(code) && IDENTIFIER.test(code) && /\w[A-Z]|^[A-Z]|[.(]/.test(code);
}

function filesBelow(entry: string): string[] {
  return statSync(path.join(PROGRAM_DIR, entry)).isDirectory()
    ? readdirSync(path.join(PROGRAM_DIR, entry)).map((name) => path.join(entry, name))
    : [entry];
}

/**
 * Identifiers in the paragraphs, list items and table rows that also cite files of the repository,
 * and that none of these files contains.
 */
function unknownIdentifiers(file: string): string[] {
  const parts = proseOf(file).split(/\n\s*\n|^(?=- |\d+\. |\|)/m);
  return parts.flatMap((part) => {
    const codes = [...part.matchAll(/`([^`\n]+)`/g)].map(([, code = ""]) => code);
    const cited = codes.filter((code) => isPath(code) && exists(code)).flatMap(filesBelow);
    const text = cited
      .filter((name) => FILE_TYPE.test(name))
      .map(read)
      .join("\n");
    const unknown = codes
      .filter((code) => cited.length > 0 && isIdentifier(code))
      .filter((code) => !new RegExp(`\\b${IDENTIFIER.exec(code)?.[1] ?? ""}\\b`).test(text));
    return unknown.map((code) => `${code} is not in ${cited.join(", ")}`);
  });
}

// ------------------------------------------------------------------------------ Cited tests

function escapeRegExp(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|]/g, "\\$&");
}

/** Letters of its own that a title needs, so that a template does not match every citation. */
const MIN_TITLE_LENGTH = 10;

/** The titles of a file's tests and groups; `${…}` in a template stands for any text. */
function titlesOf(file: string): RegExp[] {
  const literals = read(file).matchAll(/\b(?:describe|it)\(\s*(["'`])(.*?)(?<!\\)\1/gs);
  return [...literals]
    .map(([, , literal = ""]) => literal.split(/\$\{[^}]*\}/))
    .filter((parts) => parts.join("").length >= MIN_TITLE_LENGTH)
    .map((parts) => new RegExp(`^${parts.map(escapeRegExp).join(".+")}$`, "s"));
}

/**
 * Tests that a document cites and that are not there. A citation is a test file in backticks with
 * titles in italics after it, up to the end of the paragraph or table cell.
 */
function unknownTests(file: string): string[] {
  const cells = proseOf(file).split(/\n\s*\n|(?<!\\)\||^- /m);
  return cells.flatMap((cell) => {
    let titles: RegExp[] | undefined;
    let cited = "";
    const problems: string[] = [];
    for (const [, code, italic] of cell.matchAll(/`([^`\n]+)`|(?<![\w`])_([^_`]+)_(?!\w)/g)) {
      if (code?.endsWith(".test.ts")) {
        cited = code;
        titles = exists(code) ? titlesOf(code) : [];
      } else if (italic !== undefined && titles) {
        const title = italic.replaceAll(/\s+/g, " ");
        if (!titles.some((pattern) => pattern.test(title))) {
          problems.push(`${cited} has no test "${title}"`);
        }
      }
    }
    return problems;
  });
}

// --------------------------------------------------------------------------------- Commands

function unknownScripts(file: string): string[] {
  const { scripts } = JSON.parse(read("package.json")) as { scripts: Record<string, string> };
  const named = read(file).matchAll(/\bnpm (?:run (?:--silent )?([\w:-]+)|(start|test)\b)/g);
  return [...named]
    .map(([, run, short]) => run ?? short ?? "")
    .filter((script) => !Object.hasOwn(scripts, script));
}

describe("The documents", () => {
  it("keep README.md short", () => {
    expect(read("README.md").trimEnd().split("\n").length).to.be.at.most(MAX_README_LINES);
  });

  it("link to files and headings that exist", () => {
    expect(inEach(DOCUMENTS, brokenLinks)).to.deep.equal([]);
  });

  it("name files and folders that exist", () => {
    expect(inEach(CURRENT, missingPaths)).to.deep.equal([]);
  });

  it("name identifiers that are in a file named beside them, in CONTRIBUTING.md", () => {
    expect(inEach(["CONTRIBUTING.md"], unknownIdentifiers)).to.deep.equal([]);
  });

  it("cite tests that exist, by their full titles", () => {
    expect(inEach(CURRENT, unknownTests)).to.deep.equal([]);
  });

  it("name npm scripts that exist", () => {
    expect(inEach(CURRENT, unknownScripts)).to.deep.equal([]);
  });

  it("list every setting with its default", () => {
    const [settings = ""] = read("docs/settings.md").split("\n## ");
    const rows = [...settings.matchAll(/^\| `(\w+)` +\| ([^|]*?) +\|/gm)];
    const listed = rows.map(([, name = "", text = ""]) => [name, /^`(.*)`$/.exec(text)?.[1] ?? ""]);
    const defaults = Object.entries(DEFAULTS).map(([name, value]) => [name, String(value)]);
    expect(Object.fromEntries(listed)).to.deep.equal(Object.fromEntries(defaults));
  });

  it("describe every route of the event manager", () => {
    const text = read("docs/manager.md");
    const missing = MANAGER_ROUTES.filter(({ name }) => !text.includes(`\`${name}`));
    expect(missing.map(({ name }) => name)).to.deep.equal([]);
  });
});
