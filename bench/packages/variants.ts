import { cp, mkdir, writeFile } from "node:fs/promises";
import * as path from "node:path";
import * as esbuild from "esbuild";
import { PROGRAM_DIR } from "../../start/programDir";
import { NO_FILES, type PackageSize, packageSize, together } from "./packageSize";
import type { CallbackPackage, ProgramHandler } from "./programHandlers";

/**
 * Ways to pack a handler: the program's bundle; Pulumi's CallbackFunction; a bundle that uses the
 * Lambda runtime's SDK; and an empty handler, as the lower bound.
 */
export const VARIANTS = ["ours", "callback", "runtime-sdk", "empty"] as const;

export type Variant = (typeof VARIANTS)[number];

/** A package, unpacked into a folder. */
export interface Unpacked extends PackageSize {
  handler: string;
  variant: Variant;
  /** The file that exports `handler`. */
  entry: string;
}

const EMPTY = "exports.handler = async () => ({});\n";

/** One file with everything but the SDK. */
async function bundleWithoutSdk(text: string): Promise<string> {
  const { outputFiles } = await esbuild.build({
    stdin: { contents: text, resolveDir: PROGRAM_DIR },
    external: ["@aws-sdk/*", "@smithy/*"],
    bundle: true,
    write: false,
    minify: true,
    platform: "node",
    target: "node24",
    format: "cjs",
    mainFields: ["module", "main"],
    legalComments: "none",
    logLevel: "silent",
  });
  return outputFiles[0]?.text ?? "";
}

/** Copies the package's `node_modules`, and resolves with their size. */
async function copyFolders(root: string, folders: CallbackPackage["folders"]) {
  let size = NO_FILES;
  for (const [name, source] of Object.entries(folders)) {
    const target = path.join(root, name);
    await cp(source, target, { recursive: true, dereference: true });
    size = together(size, await packageSize(target, `${name}/`));
  }
  return size;
}

/** Handlers with the same packages share one copy. */
function folderCopies(root: string) {
  const copies = new Map<string, Promise<{ folder: string; size: PackageSize }>>();
  return (folders: CallbackPackage["folders"]) => {
    const id = JSON.stringify(folders);
    const folder = path.join(root, `callback-${copies.size + 1}`);
    const copy = copies.get(id) ?? copyFolders(folder, folders).then((size) => ({ folder, size }));
    copies.set(id, copy);
    return copy;
  };
}

async function writeEntry(folder: string, name: string, text: string): Promise<string> {
  await mkdir(folder, { recursive: true });
  const entry = path.join(folder, name);
  await writeFile(entry, text);
  return entry;
}

/**
 * Unpacks every handler in every variant.
 *
 * @param root an empty folder
 */
export async function unpackAll(root: string, handlers: ProgramHandler[]): Promise<Unpacked[]> {
  const copyOf = folderCopies(root);
  const unpacked: Unpacked[] = [];
  for (const { name, bundle, callback } of handlers) {
    const oneFile: [Variant, string][] = [
      ["ours", bundle],
      ["runtime-sdk", await bundleWithoutSdk(callback.text)],
      ["empty", EMPTY],
    ];
    for (const [variant, text] of oneFile) {
      const folder = path.join(root, variant, name);
      const entry = await writeEntry(folder, "index.js", text);
      unpacked.push({ handler: name, variant, entry, ...(await packageSize(folder)) });
    }
    const copy = await copyOf(callback.folders);
    // Node.js finds the shared `node_modules` from here, as in the package.
    const folder = path.join(copy.folder, "handlers", name);
    const entry = await writeEntry(folder, "__index.js", callback.text);
    const size = together(copy.size, await packageSize(folder));
    unpacked.push({ handler: name, variant: "callback", entry, ...size });
  }
  await esbuild.stop();
  return unpacked;
}
