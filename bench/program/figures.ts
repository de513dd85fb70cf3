/** How a callback becomes a package: by the program's bundling, or as a plain CallbackFunction does. */
export type Packing = "bundle" | "codePaths";

/** Milliseconds of one start. */
export interface ProgramTimes {
  /** From the start of the process to the first line of this module: Node.js and the compiler. */
  bootMs: number;
  /** TypeScript to JavaScript. */
  compileMs: number;
  /** Reading and running modules, without the modules that they import, by package. */
  importMs: Record<string, number>;
  /** Serialization of all callbacks, without the imports and compiling within it. */
  serializeMs: number;
  /** From the start of the process to the end of the serialization. */
  serializedAtMs: number;
  /** From there to the end of the last package, without the imports and compiling within it. */
  packMs: number;
  /** From the start of the process until every resource is registered. */
  totalMs: number;
}

/** Ways to start: with or without a compile cache, and with either packing. */
export const VARIANTS = ["warm", "cold", "callback"] as const;

export type ProgramVariant = (typeof VARIANTS)[number];
