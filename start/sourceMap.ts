import { readFileSync } from "node:fs";
import { createRequire, SourceMap } from "node:module";
import * as path from "node:path";
import { pathToFileURL } from "node:url";
import { decode, encode, type SourceMapSegment } from "@jridgewell/sourcemap-codec";
import type { CapturedFunction, Origin } from "../components/lambda/bundleCache";
import { PROGRAM_DIR } from "./programDir";

/** esbuild's name for a callback's module. */
const CALLBACK_MODULE = /^callback:\d+\.js$/;

/** The head of a function's text: Pulumi makes a comment of the name. */
const HEAD = /^(?:async )?(?:function ?\*? ?)?\/\*([^*]+)\*\//;

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

/** Where a captured function is from. */
interface Place {
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

/** The index of the last entry whose number is not above the value. */
function lastUpTo<Entry>(sorted: Entry[], value: number, numberOf: (entry: Entry) => number) {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (numberOf(sorted[middle] as Entry) <= value) {
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
function placeOf(text: string, modules: Compiled[]): Place | undefined {
  const [head = "", name = ""] = HEAD.exec(text) ?? [];
  const rest = text.slice(head.length);
  let found: Place | undefined;
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

/** The offset in a function's text of what is at an offset of the callback's module. */
function offsetIn({ pieces }: CapturedFunction, offset: number): number {
  const index = lastUpTo(pieces, offset, ({ at }) => at);
  const piece = pieces[Math.max(0, index)];
  return piece ? piece.from + Math.max(0, offset - piece.at) : 0;
}

/** The line and column, from 0, in the program's file of an offset in its compiled module. */
function originalPosition({ map, lines }: Compiled, offset: number): [number, number] | undefined {
  const line = lastUpTo(lines, offset, (start) => start);
  const entry = map.findEntry(line, offset - (lines[line] ?? 0));
  return "originalLine" in entry ? [entry.originalLine, entry.originalColumn] : undefined;
}

/** @param files absolute paths of the modules that callbacks were captured from */
export function openSourceMaps(files: string[]): SourceMaps {
  const modules = files.flatMap(compiledModule);
  return {
    of({ map, callback: { text, functions } }) {
      const { sources, names, mappings } = JSON.parse(map) as Record<
        "sources" | "names",
        string[]
      > & {
        mappings: string;
      };
      const moduleIndex = sources.findIndex((source) => CALLBACK_MODULE.test(source));
      const places = functions.map(({ code }) => placeOf(code, modules));
      const lines = lineStarts(text);
      const usedSources: string[] = [];
      const indexOf = (name: string) => {
        const at = usedSources.indexOf(name);
        return at >= 0 ? at : usedSources.push(name) - 1;
      };

      const segmentOf = (segment: SourceMapSegment): SourceMapSegment => {
        const [column, source, line = 0, sourceColumn = 0, name] = segment;
        const offset = (lines[line] ?? 0) + sourceColumn;
        const index = lastUpTo(functions, offset, ({ start }) => start);
        const [fn, place] = [functions[index], places[index]];
        if (source !== moduleIndex || !fn || !place || offset >= fn.end) {
          return [column];
        }
        const position = originalPosition(place.module, place.offset + offsetIn(fn, offset));
        if (!position) {
          return [column];
        }
        const mapped: SourceMapSegment = [column, indexOf(place.module.name), ...position];
        // The debugger shows a variable by the name that it had before minification.
        return name === undefined ? mapped : [...mapped, name];
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
