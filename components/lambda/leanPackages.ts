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

/** Where a callback captures a client, Pulumi names its CommonJS build, which has other files. */
const ANY_CLIENT = /\/@aws-sdk\/client-[^/]+\/dist-es\//;
const S3_CLIENT = /\/@aws-sdk\/client-s3\/dist-es\//;
const DYNAMODB_CLIENT = /\/@aws-sdk\/client-dynamodb\/dist-es\//;

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

/** The same exports, all of which throw. */
function withoutWebStreams(text: string): string {
  const names = [...text.matchAll(/^export (?:const|(?:async )?function) (\w+)/gm)];
  return names
    .map(([, name]) => `export const ${name} = () => { throw new Error("No web streams."); };`)
    .join("\n");
}

/** No look at the global `ReadableStream`, with which Node loads its web streams. */
const CHECKSUM_STREAM = `
import { ChecksumStream } from "./ChecksumStream";
export const createChecksumStream = (init) => new ChecksumStream(init);
`;

const STREAMING_PAYLOAD = `
import { Readable } from "node:stream";
export const isStreamingPayload = (request) => request?.body instanceof Readable;
`;

/** Takes what is random from node:crypto: Node loads WebCrypto with the first look at it. */
const NATIVE_UUID = `
import { randomUUID } from "node:crypto";
export const bindV4 = () => () => randomUUID();
`;

const NATIVE_RANDOM_BYTES = `
import { randomFillSync } from "node:crypto";
const bytes = new Uint8Array(16);
export default () => randomFillSync(bytes);
`;

function withoutWebCrypto(text: string): string {
  const lean = text
    .replace("const _getRandomValues = getRandomValues;", "")
    .replace("bindV4(_getRandomValues)", "bindV4()");
  if (lean.includes("_getRandomValues") || lean === text) {
    throw new Error("Identifiers are no longer made with getRandomValues.");
  }
  return lean;
}

/** Loads node:zlib with the first checksum: only some requests have one. */
const LAZY_CRC32 = `
export class Crc32Node {
  digestLength = 4;
  value = 0;
  update(data) {
    this.value = require("node:zlib").crc32(data, this.value);
  }
  digestSync() {
    return this.value >>> 0;
  }
  async digest() {
    const out = new Uint8Array(4);
    new DataView(out.buffer).setUint32(0, this.digestSync(), false);
    return out;
  }
  reset() {
    this.value = 0;
  }
}
`;

/** Modules of util-stream for web streams and blobs, which Lambdas neither send nor receive. */
const WEB_STREAM_MODULES = [
  "getAwsChunkedEncodingStream",
  "headStream",
  "sdk-stream-mixin",
  "splitStream",
  "stream-collector",
];

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
  ...WEB_STREAM_MODULES.map((name) => ({
    file: new RegExp(`/@smithy/core/dist-es/submodules/serde/util-stream/${name}\\.browser\\.js$`),
    neededBy: ANY_CLIENT,
    lean: withoutWebStreams,
  })),
  {
    file: /\/@smithy\/core\/dist-es\/submodules\/serde\/util-stream\/stream-type-check\.js$/,
    neededBy: ANY_CLIENT,
    lean: instead(
      "export const isReadableStream = () => false; export const isBlob = () => false;",
    ),
  },
  {
    file: /\/@smithy\/core\/dist-es\/submodules\/serde\/.*\/createChecksumStream\.js$/,
    neededBy: ANY_CLIENT,
    lean: instead(CHECKSUM_STREAM),
  },
  {
    file: /\/@smithy\/core\/dist-es\/submodules\/retry\/.*\/isStreamingPayload\.js$/,
    neededBy: ANY_CLIENT,
    lean: instead(STREAMING_PAYLOAD),
  },
  {
    file: /\/@smithy\/core\/dist-es\/submodules\/serde\/uuid\/v4\.js$/,
    neededBy: ANY_CLIENT,
    lean: instead(NATIVE_UUID),
  },
  {
    file: /\/@smithy\/core\/dist-es\/submodules\/serde\/index\.js$/,
    neededBy: ANY_CLIENT,
    lean: withoutWebCrypto,
  },
  {
    file: /\/uuid\/dist-node\/rng\.js$/,
    neededBy: /\/uuid\/dist-node\/v7\.js$/,
    lean: instead(NATIVE_RANDOM_BYTES),
  },
  {
    file: /\/@smithy\/core\/dist-es\/submodules\/checksum\/crc32\/Crc32Node\.js$/,
    neededBy: S3_CLIENT,
    lean: instead(LAZY_CRC32),
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

/** A pattern of paths with `/`, as esbuild's metafile has them, for paths of this machine, too. */
export function withAnySeparator(pattern: RegExp): RegExp {
  return new RegExp(pattern.source.replaceAll("\\/", "[\\\\/]"));
}

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
        build.onLoad({ filter: withAnySeparator(file) }, async ({ path: name }) => ({
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
