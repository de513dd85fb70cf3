import { readFileSync } from "node:fs";
import { createRequire, SourceMap } from "node:module";
import * as path from "node:path";
import { pathToFileURL } from "node:url";
import { decode, encode, type SourceMapSegment } from "@jridgewell/sourcemap-codec";
import type { Origin } from "../components/lambda/bundleCache";
import { PROGRAM_DIR } from "./programDir";

/** esbuild's name for the serialized callback. */
const SERIALIZED = /^callback:\d+\/text\.js$/;

/** A captured function, as Pulumi and `bundle.ts` write it: its own text stands after `return`. */
const FUNCTION = /\n\nreturn ([\s\S]*?);\n\n {4}\}\n {2}\}\)(?:\(\))?\.apply\(/g;

/** The head of a function's text: Pulumi makes a comment of the name. */
const HEAD = /^(?:async )?(?:function ?\*? ?)?\/\*(\w+)\*\//;

const requireModule = createRequire(__filename);

const { transpile, sourceMapOf } = requireModule("../tooling/transpiler.js") as {
  transpile: (text: string, file: string) => string;
  sourceMapOf: (file: string) => string | undefined;
};

/** A module of the program, as it was compiled and captured. */
interface Compiled {
  /** Relative to the program's folder, with `/`. */
  name: string;
  code: string;
  /** Offset of each line's first character. */
  lines: number[];
  map: SourceMap;
}

/** A captured function: where it stands in the serialized text, and where in its module. */
interface Captured {
  start: number;
  end: number;
  module: Compiled;
  /** Offset of its text in the module. */
  offset: number;
}

/** Makes source maps of bundles. */
export interface SourceMaps {
  /**
   * The source map of a bundle, as JSON, from the positions of captured functions to those in the
   * program's own files. Other positions, such as those of packages, have no source.
   */
  of(origin: Origin): string;
}

function lineStarts(text: string): number[] {
  return [0, ...[...text.matchAll(/\n/g)].map(({ index }) => index + 1)];
}

/** The index of the last entry that is not above the value. */
function lastUpTo(sorted: number[], value: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] ?? 0) <= value) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low - 1;
}

function compiledModule(file: string): Compiled[] {
  const code = transpile(readFileSync(file, "utf8"), file);
  const map = sourceMapOf(file);
  if (map === undefined) {
    return [];
  }
  const name = path.relative(PROGRAM_DIR, file).replaceAll(path.sep, "/");
  return [{ name, code, lines: lineStarts(code), map: new SourceMap(JSON.parse(map) as never) }];
}

/** Finds a captured function by its text, which Pulumi leaves as it was, save for the name. */
function locate(
  text: string,
  modules: Compiled[],
): Pick<Captured, "module" | "offset"> | undefined {
  const [head = "", name = ""] = HEAD.exec(text) ?? [];
  const rest = text.slice(head.length);
  let found: Pick<Captured, "module" | "offset"> | undefined;
  for (const module of modules) {
    let at = module.code.indexOf(rest);
    while (at >= 0) {
      const candidate = { module, offset: at - head.length };
      // The same parameters and body may belong to several functions.
      if (module.code.startsWith(name, at - name.length)) {
        return candidate;
      }
      found ??= candidate;
      at = module.code.indexOf(rest, at + 1);
    }
  }
  return found;
}

function capturedFunctions(serialized: string, modules: Compiled[]): Captured[] {
  return [...serialized.matchAll(FUNCTION)].flatMap((match) => {
    const [, text = ""] = match;
    const location = locate(text, modules);
    const start = match.index + "\n\nreturn ".length;
    return location ? [{ start, end: start + text.length, ...location }] : [];
  });
}

/** The line and column, from 0, in the program's file of an offset in its compiled module. */
function originalPosition({ map, lines }: Compiled, offset: number): [number, number] | undefined {
  const line = lastUpTo(lines, offset);
  const entry = map.findEntry(line, offset - (lines[line] ?? 0));
  return "originalLine" in entry ? [entry.originalLine, entry.originalColumn] : undefined;
}

/** @param files absolute paths of the modules that callbacks were captured from */
export function openSourceMaps(files: string[]): SourceMaps {
  const modules = files.flatMap(compiledModule);
  return {
    of({ map, serialized }) {
      const { sources, names, mappings } = JSON.parse(map) as Record<
        "sources" | "names",
        string[]
      > & {
        mappings: string;
      };
      const serializedIndex = sources.findIndex((source) => SERIALIZED.test(source));
      const captured = capturedFunctions(serialized, modules);
      const starts = captured.map(({ start }) => start);
      const lines = lineStarts(serialized);
      const usedSources: string[] = [];
      const indexOf = (name: string) => {
        const at = usedSources.indexOf(name);
        return at >= 0 ? at : usedSources.push(name) - 1;
      };

      const segmentOf = (segment: SourceMapSegment): SourceMapSegment => {
        const [column, source, line = 0, sourceColumn = 0, name] = segment;
        const offset = (lines[line] ?? 0) + sourceColumn;
        const found = source === serializedIndex && captured[lastUpTo(starts, offset)];
        if (!found || offset >= found.end) {
          return [column];
        }
        const position = originalPosition(found.module, found.offset + offset - found.start);
        if (!position) {
          return [column];
        }
        const place: SourceMapSegment = [column, indexOf(found.module.name), ...position];
        // The debugger shows a variable by the name that it had before minification.
        return name === undefined ? place : [...place, name];
      };

      const composed = decode(mappings).map((segments) =>
        segments
          .map(segmentOf)
          // Of neighbours without a source, the first says it for all.
          .filter((segment, at, all) => segment.length > 1 || all[at - 1]?.length !== 1),
      );
      return JSON.stringify({
        version: 3,
        sourceRoot: pathToFileURL(PROGRAM_DIR + path.sep).href,
        sources: usedSources,
        names,
        mappings: encode(composed),
      });
    },
  };
}
