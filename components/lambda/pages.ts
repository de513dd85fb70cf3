import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import * as path from "node:path";
import * as pulumi from "@pulumi/pulumi";
import * as esbuild from "esbuild";
import { PROGRAM_ROOT } from "./bundle";
import { currentBundleCache, type Pages } from "./bundleCache";

/**
 * The pages: by name, the folder in console/ with its `page.html` and `main.tsx`, and the folder of
 * its scripts in URLs, relative to the page's own URL.
 */
const PAGES = {
  link: { folder: "link", scripts: "assets/" },
  console: { folder: "manager", scripts: "console/" },
} as const;

export type PageName = keyof typeof PAGES;

/** A page, as the Lambda that serves it reads it from its package (runtime/page.ts). */
interface BuiltPage {
  html: string;
  /** CSP sources of the page's scripts and styles: hashes of exactly these. */
  scriptHashes: string[];
  styleHash: string;
  /** Texts by file name, each with a hash of its content in the name. */
  scripts: Record<string, string>;
}

const NAMES = Object.keys(PAGES) as PageName[];

/** The place in `page.html` for what esbuild has made. */
const PLACE = "<!-- style and scripts -->";

const OPTIONS = {
  entryPoints: NAMES.map((name) => ({
    in: `console/${PAGES[name].folder}/main.tsx`,
    out: name,
  })),
  absWorkingDir: PROGRAM_ROOT,
  outdir: "console",
  entryNames: "[name]-[hash]",
  chunkNames: "shared-[hash]",
  bundle: true,
  // What both pages use is loaded once.
  splitting: true,
  format: "esm",
  write: false,
  metafile: true,
  minify: true,
  jsx: "automatic",
  jsxImportSource: "preact",
  // Neither the program's tsconfig.json nor that of the folder above it.
  tsconfigRaw: {},
  // The names have hashes of paths: those in the folder, where its packages are links, too.
  preserveSymlinks: true,
  target: ["chrome109", "firefox116", "safari16"],
  charset: "utf8",
  legalComments: "none",
  logLevel: "silent",
} as const satisfies esbuild.BuildOptions;

type Result = esbuild.BuildResult<typeof OPTIONS>;

/** As in CSP and in the attribute `integrity`. */
function hashOf(text: string): string {
  return `sha256-${createHash("sha256").update(text).digest("base64")}`;
}

function htmlFile(name: PageName): string {
  return path.join(PROGRAM_ROOT, "console", PAGES[name].folder, "page.html");
}

function pageOf(name: PageName, { outputFiles, metafile }: Result): BuiltPage {
  const texts = new Map(outputFiles.map((file) => [path.basename(file.path), file.text]));
  const { folder, scripts: url } = PAGES[name];
  const entry = Object.entries(metafile.outputs).find(
    ([, { entryPoint }]) => entryPoint === `console/${folder}/main.tsx`,
  );
  if (!entry) {
    throw new Error(`esbuild wrote no script of the page "${name}".`);
  }
  const [entryFile, { imports, cssBundle }] = entry;
  // Modules that a module imports have no `integrity`: a script of their own, before it, loads them.
  const files = [...imports.map((each) => each.path), entryFile].map((file) => path.basename(file));
  const scripts = Object.fromEntries(files.map((file) => [file, texts.get(file) ?? ""]));
  const tags = Object.entries(scripts).map(
    ([file, text]) =>
      `<script type="module" src="${url}${file}" integrity="${hashOf(text)}"></script>`,
  );
  const style = cssBundle === undefined ? "" : (texts.get(path.basename(cssBundle)) ?? "");
  const html = readFileSync(htmlFile(name), "utf8");
  if (!html.includes(PLACE)) {
    throw new Error(`${htmlFile(name)} has no place for scripts: ${PLACE}`);
  }
  return {
    html: html.replace(PLACE, () => [`<style>${style}</style>`, ...tags].join("\n    ")),
    scriptHashes: Object.values(scripts).map(hashOf),
    styleHash: hashOf(style),
    scripts,
  };
}

async function build(): Promise<Pages> {
  const result = await esbuild.build(OPTIONS);
  const texts = NAMES.map((name) => [name, JSON.stringify(pageOf(name, result))]);
  const inputs = Object.keys(result.metafile.inputs).map((file) => path.join(PROGRAM_ROOT, file));
  return {
    texts: Object.fromEntries(texts) as Record<PageName, string>,
    inputs: [...inputs, ...NAMES.map(htmlFile)],
  };
}

/** Of one load of the program. */
let building: Promise<Pages> | undefined;

/**
 * Builds a page of console/ into a file for the package of the Lambda that serves it.
 *
 * @returns texts by file name, for `CallbackLambdaArgs.files`
 * @throws RunError with esbuild's message, which names the file and line
 */
export async function pageFiles(name: PageName): Promise<Record<string, string>> {
  if (!building) {
    const current = currentBundleCache()?.pagesOf(build) ?? build();
    building = current.finally(() => (building = undefined));
  }
  try {
    const { texts } = await building;
    return { [`${name}.page.json`]: texts[name] ?? "" };
  } catch (error) {
    throw new pulumi.RunError(`console/ cannot be built: ${(error as Error).message}`);
  }
}
