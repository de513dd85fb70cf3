import { createHash, randomBytes } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import * as path from "node:path";
import { assertEqual } from "./suite";

/** Above every client's threshold for multipart uploads, and no multiple of a part's size. */
export const LARGE_BYTES = 60 * 1024 * 1024 + 123;

/** Names that a file can have, and that some client or server would change on the way. */
export const ODD_NAMES = [
  "with space.txt",
  " leading and trailing ",
  "plus+sign.txt",
  "100%.txt",
  "percent%20code%2Fd.txt",
  "a&b.txt",
  "it's.txt",
  'double"quote.txt',
  "<tag>&amp;.txt",
  "\u00fc composed.txt",
  "u\u0308 decomposed.txt",
  "\u{1f600} emoji.txt",
  "\u65e5\u672c\u8a9e.txt",
  "hash#question?.txt",
  "semi;colon=equals@at,comma$.txt",
  "(brackets)[square]{curly}.txt",
  "~tilde!star*^`|.txt",
  "back\\slash.txt",
  "...dots",
];

/** Names with characters that XML 1.0 cannot hold or changes; some clients refuse them. */
export const CONTROL_NAMES = ["new\nline.txt", "carriage\rreturn.txt", "tab\tstop.txt"];

/** Keys that are no path of a file: as objects only. */
export const ODD_KEYS = [
  ...ODD_NAMES,
  ...CONTROL_NAMES,
  "double//slash.txt",
  "/leading slash.txt",
  "folder/",
  "folder/ü/+ %.txt",
  "bell\u0007.txt",
];

/** Keys with parts that URL libraries resolve before they send them. */
export const DOTTED_KEYS = ["up/../down.txt", "here/./there.txt", "../above.txt"];

/** Writes a file of random bytes. @returns its path */
export function writeRandom(file: string, bytes: number): string {
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, randomBytes(bytes));
  return file;
}

/** Writes 200 files in ten folders, the odd names among them. @returns the folder */
export function writeTree(folder: string, names = [...ODD_NAMES, ...CONTROL_NAMES]): string {
  const FILES = 200;
  for (let number = 0; number < FILES; number += 1) {
    const name = names[number] ?? `file ${number}.bin`;
    // Empty ones as well; together about 2 MB.
    writeRandom(path.join(folder, `folder ${number % 10}`, name), (number % 40) * 513);
  }
  return folder;
}

export function sha256Of(file: string): string {
  return createHash("sha256").update(readFileSync(file)).digest("hex");
}

/** The files below a folder with their contents' hashes, sorted. */
export function hashesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => statSync(path.join(folder, name)).isFile())
    .map((name) => `${name} ${sha256Of(path.join(folder, name))}`)
    .sort();
}

/** @throws Error unless both folders have the same files with the same contents */
export function assertSameFiles(actual: string, expected: string): void {
  const [found, wanted] = [hashesIn(actual), hashesIn(expected)];
  assertEqual(
    {
      lacking: wanted.filter((each) => !found.includes(each)),
      besides: found.filter((each) => !wanted.includes(each)),
    },
    { lacking: [], besides: [] },
    "the files of both folders",
  );
}
