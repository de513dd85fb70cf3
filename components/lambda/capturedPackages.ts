import { builtinModules, createRequire } from "node:module";
import * as path from "node:path";
import type { SerializedText } from "./serializedText";

const requireModule = createRequire(__filename);

const IN_PACKAGES = `${path.sep}node_modules${path.sep}`;

/** As Pulumi has loaded them; what is left out warns when it is loaded, and Pulumi leaves it out. */
const BUILT_IN = builtinModules.filter(
  (name) => !name.startsWith("_") && !["punycode", "sys", "wasi"].includes(name),
);

const REQUIRED = /\brequire\("([^"]+)"\)/g;

/** Tells whether a serialized text has all captured packages. */
export interface CapturedPackages {
  /** To be called with each captured value. */
  note: (value: unknown) => void;
  /**
   * Whether the text has less of them: of two that have the same name in two files, Pulumi writes the
   * first, and uses it for both.
   */
  areMixedIn(text: SerializedText): boolean;
}

export function capturedPackages(): CapturedPackages {
  const known = new Set<unknown>(BUILT_IN.map((name) => requireModule(name) as unknown));
  for (const [file, loaded] of Object.entries(requireModule.cache)) {
    const exported = loaded?.exports as { deploymentOnlyModule?: boolean } | undefined;
    // Pulumi's own are captured as values.
    if (file.includes(IN_PACKAGES) && exported?.deploymentOnlyModule !== true) {
      known.add(exported);
    }
  }
  const found = new Set<unknown>();
  return {
    note(value) {
      // `import * as` makes an object of a module that is none of ECMAScript, for each file another.
      const module =
        typeof value === "object" && value !== null && !known.has(value)
          ? (Object.getOwnPropertyDescriptor(value, "default")?.value as unknown)
          : value;
      if (known.has(module)) {
        found.add(module);
      }
    },
    areMixedIn({ functions, values, packages }) {
      const specifiers = new Set(packages.values());
      const captures = [...functions.values()].flatMap((fn) => [...fn.captures.values()]);
      for (const expression of [...captures, ...[...values.values()].flat()]) {
        for (const [, specifier = ""] of expression.matchAll(REQUIRED)) {
          specifiers.add(specifier);
        }
      }
      return specifiers.size < found.size;
    },
  };
}
