import { readFile } from "node:fs/promises";
import * as path from "node:path";
import type * as esbuild from "esbuild";

/** A package's file that bundles get in a leaner form, without code that no Lambda uses. */
export interface LeanFile {
  /** The file's path. */
  file: RegExp;
  /** Paths of packages that load the file. */
  neededBy: RegExp;
  /** Makes the leaner text, with imports as in the file. Throws when it finds nothing to remove. */
  lean: (text: string) => string;
}

const ANY_CLIENT = /\/@aws-sdk\/client-[^/]+\//;
const S3_CLIENT = /\/@aws-sdk\/client-s3\//;
const DYNAMODB_CLIENT = /\/@aws-sdk\/client-dynamodb\//;

/** Another module with the same exports; esbuild refuses an import that it lacks. */
function instead(text: string): LeanFile["lean"] {
  return () => text;
}

/** A class whose native counterpart is always used on this version of Node. */
function withoutClass(name: string): LeanFile["lean"] {
  return instead(
    `export class ${name} { constructor() { throw new Error("${name} is not in this bundle."); } }`,
  );
}

/** The part of a `package.json` that the SDK sends to AWS. */
function justVersion(text: string): string {
  const { version } = JSON.parse(text) as { version: string };
  return JSON.stringify({ version });
}

const STRING_CONSTANT = /^const (\w+) = ("[^"\\\n]*");$/gm;

/**
 * Writes the keys of the SDK's schemas as literals. A computed key may have side effects, so that
 * esbuild would keep the schemas of all operations, and not only those in use.
 */
function literalKeys(text: string): string {
  const literals = new Map<string, string>();
  for (const [, name = "", literal = ""] of text.matchAll(STRING_CONSTANT)) {
    literals.set(name, literal);
  }
  const lean = text.replace(/\[(\w+)\]: /g, (key, name: string) => {
    const literal = literals.get(name);
    return literal === undefined ? key : `${literal}: `;
  });
  if (lean === text) {
    throw new Error("The schemas are no longer written with computed keys.");
  }
  return lean;
}

/** Lets esbuild drop lists that are not used. */
function pureSets(text: string): string {
  const lean = text.replace(/^(export const \w+ = )(new Set\(\w+\);)$/gm, "$1/* @__PURE__ */ $2");
  if (lean === text) {
    throw new Error("The lists of types are no longer kept in sets.");
  }
  return lean;
}

/**
 * Reads the SDK's settings from environment variables, or else takes the default. The SDK's own
 * loader also reads files of the home folder, which a Lambda does not have. As there, an invalid
 * variable counts as not set.
 */
const SETTINGS_FROM_ENVIRONMENT = `
import { memoize } from "../property-provider/memoize";
const fromEnvironment = (select, options) => {
  try {
    return select(process.env, options);
  } catch {
    return undefined;
  }
};
export const loadConfig = (
  { environmentVariableSelector: select, default: fallback },
  { signingName, logger } = {},
) =>
  memoize(async () => {
    const value = fromEnvironment(select, { signingName, logger });
    return value ?? (typeof fallback === "function" ? fallback() : fallback);
  });
`;

/** Event streams are for operations such as SelectObjectContent and Kinesis' subscriptions. */
const NO_EVENT_STREAMS = `
export const eventStreamSerdeProvider = () => undefined;
export const resolveEventStreamSerdeConfig = (config) => config;
export class EventStreamSerde {
  constructor() {
    throw new Error("Event streams are not in this bundle.");
  }
}
`;

/** Signs for one region; only S3's multi-region access points need several. */
const SIGNER_FOR_ONE_REGION = `
import { SignatureV4SignWithCredentials } from "./SignatureV4SignWithCredentials";
export class SignatureV4MultiRegion extends SignatureV4SignWithCredentials {
  static sigv4aDependency() {
    return "none";
  }
}
`;

/** All files that are replaced. A build fails when one of them is missing. */
export const LEAN_FILES: LeanFile[] = [
  {
    // A Lambda always has its credentials in its environment. The SDK's default also tries a dozen
    // other sources, whose clients are a quarter of a bundle.
    file: /\/@aws-sdk\/credential-provider-node\/dist-es\/index\.js$/,
    neededBy: ANY_CLIENT,
    lean: instead('export { fromEnv as defaultProvider } from "@aws-sdk/credential-provider-env";'),
  },
  {
    file: /\/@smithy\/core\/dist-es\/submodules\/config\/node-config-provider\/configLoader\.js$/,
    neededBy: ANY_CLIENT,
    lean: instead(SETTINGS_FROM_ENVIRONMENT),
  },
  {
    // Calls a machine's metadata service, which Lambda lacks; its AWS_REGION is always set.
    file: /\/@smithy\/core\/dist-es\/.*\/getInstanceMetadataRegion\.js$/,
    neededBy: ANY_CLIENT,
    lean: instead("export const getInstanceMetadataRegion = async () => undefined;"),
  },
  {
    // Loaded by a dynamic import, of which esbuild keeps all that it reaches.
    file: /\/@smithy\/core\/dist-es\/submodules\/event-streams\/index\.js$/,
    neededBy: ANY_CLIENT,
    lean: instead(NO_EVENT_STREAMS),
  },
  {
    file: /\/@aws-sdk\/client-[^/]+\/dist-es\/schemas\/schemas_0\.js$/,
    neededBy: ANY_CLIENT,
    lean: literalKeys,
  },
  {
    file: /\/@aws-sdk\/client-[^/]+\/package\.json$/,
    neededBy: ANY_CLIENT,
    lean: justVersion,
  },
  {
    file: /\/@smithy\/core\/dist-es\/submodules\/checksum\/sha256\/Sha256Js\.js$/,
    neededBy: ANY_CLIENT,
    lean: withoutClass("Sha256Js"),
  },
  {
    file: /\/@smithy\/core\/dist-es\/submodules\/checksum\/md5\/Md5Js\.js$/,
    neededBy: S3_CLIENT,
    lean: withoutClass("Md5Js"),
  },
  {
    file: /\/@smithy\/core\/dist-es\/submodules\/checksum\/crc32\/Crc32Js\.js$/,
    neededBy: S3_CLIENT,
    lean: withoutClass("Crc32Js"),
  },
  {
    file: /\/@aws-sdk\/checksums\/dist-es\/submodules\/sha\/sha1\/Sha1Js\.js$/,
    neededBy: S3_CLIENT,
    lean: withoutClass("Sha1Js"),
  },
  {
    file: /\/@aws-sdk\/signature-v4-multi-region\/dist-es\/SignatureV4MultiRegion\.js$/,
    neededBy: S3_CLIENT,
    lean: instead(SIGNER_FOR_ONE_REGION),
  },
  {
    // No operation of DynamoDB discovers its endpoint any more, but each client has a cache for it.
    file: /\/@aws-sdk\/middleware-endpoint-discovery\/dist-es\/resolveEndpointDiscoveryConfig\.js$/,
    neededBy: DYNAMODB_CLIENT,
    lean: instead("export const resolveEndpointDiscoveryConfig = (config) => config;"),
  },
  {
    file: /\/file-type\/source\/index\.js$/,
    neededBy: /\/file-type\//,
    lean: pureSets,
  },
  {
    // Output for terminals; DEBUG is not set on a Lambda.
    file: /\/debug\/src\/index\.js$/,
    neededBy: /\/@tokenizer\/inflate\//,
    lean: instead("export default () => () => {};"),
  },
];

function absentFiles(loaded: string[], files: LeanFile[]): esbuild.PartialMessage[] {
  return files
    .filter(({ file, neededBy }) => {
      const isNeeded = loaded.some((name) => neededBy.test(name));
      return isNeeded && !loaded.some((name) => file.test(name));
    })
    .map(({ file }) => ({
      text:
        `Nothing loads ${file.source.replace(/\\|\$$/g, "")} any more, which ` +
        "components/lambda/leanPackages.ts replaces: bring its list up to date.",
    }));
}

/**
 * The plugin that replaces files of packages by leaner ones. It needs esbuild's `metafile`.
 *
 * The build fails when one of the files is missing, as after an update of its package: otherwise
 * the bundles would grow unnoticed.
 */
export function leanPackages(files: LeanFile[] = LEAN_FILES): esbuild.Plugin {
  return {
    name: "lean-packages",
    setup(build) {
      for (const { file, lean } of files) {
        build.onLoad({ filter: file }, async ({ path: name }) => ({
          contents: lean(await readFile(name, "utf8")),
          loader: name.endsWith(".json") ? "json" : "js",
          resolveDir: path.dirname(name),
        }));
      }
      build.onEnd(({ metafile }) => ({
        errors: absentFiles(Object.keys(metafile?.inputs ?? {}), files),
      }));
    },
  };
}
