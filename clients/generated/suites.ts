import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import * as path from "node:path";
import { build } from "esbuild";
import { PROGRAM_DIR } from "../../start/programDir";
import { findCommand, runCommand } from "../command";
import { type Checks, type Outcome, type Suite } from "../suite";
import { lacksVersion } from "../suites/programs";
import { CACHE } from "../world";
import { writeDescription, writeInput } from "./input";

const SOURCES = path.join(PROGRAM_DIR, "clients", "generated");

/** Where `clients/generated/install` puts the generators. */
const TOOLS = path.join(CACHE, "generated");

/** Downloading and compiling on a slow machine. */
const BUILD_MS = 600_000;

/**
 * What openapi-generator warns of in any description of OpenAPI 3.1, and, for TypeScript, at any map:
 * it asks for the name of a schema that has none.
 */
const ALWAYS = [/OpenAPI 3\.1 support is still in beta/, /Failed to get the schema name: null$/];

/** Runs a generator or a compiler. @throws Error with its warnings, if it has any */
async function withoutWarning(command: string, args: string[], cwd: string): Promise<void> {
  // A generator of Python's formats with a program of its own folder.
  const PATH = [path.dirname(command), process.env.PATH].join(path.delimiter);
  const env = { ...process.env, PATH, NO_COLOR: "1" };
  const { stdout, stderr } = await runCommand(command, args, { env, cwd, timeoutMs: BUILD_MS });
  const lines = `${stdout}\n${stderr}`.split("\n").filter((line) => /warn/i.test(line));
  const warnings = lines.filter((line) => !ALWAYS.some((known) => known.test(line)));
  if (warnings.length > 0) {
    throw new Error(warnings.join("\n"));
  }
}

interface Program {
  command: string;
  args: string[];
  env?: NodeJS.ProcessEnv;
}

interface Generated {
  name: string;
  missing: () => string | undefined;
  /** Generates a client of the description. */
  generate: (description: string, folder: string) => Promise<void>;
  /** Compiles the client with the program that uses it. */
  compile: (folder: string) => Promise<Program>;
}

/** @returns a suite that generates, compiles, and makes the round */
function suiteOf({ name, missing, generate, compile }: Generated): Suite {
  return {
    name,
    missing,
    async run({ world, check, record }: Checks) {
      // Below the tools' node_modules, whose packages generated code imports.
      const folder = path.join(TOOLS, "npm", "work", name);
      rmSync(folder, { recursive: true, force: true });
      mkdirSync(folder, { recursive: true });
      let program: Program | undefined;
      await check("is generated without a warning", async () => {
        await generate(await writeDescription(world, folder), folder);
      });
      await check("compiles without a warning", async () => {
        program = await compile(folder);
      });
      if (program === undefined) {
        return;
      }
      const input = await writeInput(world, folder);
      await runCommand(program.command, [...program.args, input], {
        env: { ...world.env, ...program.env },
        timeoutMs: BUILD_MS,
        onLine: (line) => {
          record(JSON.parse(line) as Outcome);
        },
      });
    },
  };
}

function toolOf(name: string): string {
  return path.join(TOOLS, "npm", "node_modules", ".bin", name);
}

function lacksNpm(): string | undefined {
  return existsSync(toolOf("tsc")) ? undefined : "not installed: clients/generated/install";
}

/** @param program of clients/generated/typescript */
async function compileTypeScript(program: string, folder: string): Promise<Program> {
  for (const file of ["round.ts", "tsconfig.json", `${program}.ts`]) {
    cpSync(path.join(SOURCES, "typescript", file), path.join(folder, file));
  }
  await withoutWarning(toolOf("tsc"), ["-p", "."], folder);
  const outfile = path.join(folder, "round.cjs");
  const entry = path.join(folder, `${program}.ts`);
  await build({
    entryPoints: [entry],
    outfile,
    bundle: true,
    platform: "node",
    logLevel: "silent",
  });
  return { command: process.execPath, args: [outfile] };
}

const openapiFetch = suiteOf({
  name: "openapi-typescript",
  missing: lacksNpm,
  generate: (description, folder) =>
    withoutWarning(toolOf("openapi-typescript"), [description, "-o", "generated/api.d.ts"], folder),
  compile: (folder) => compileTypeScript("openapiFetch", folder),
});

const heyApi = suiteOf({
  name: "hey-api",
  missing: lacksNpm,
  generate: (description, folder) =>
    withoutWarning(toolOf("openapi-ts"), ["-i", description, "-o", "generated"], folder),
  compile: (folder) => compileTypeScript("heyApi", folder),
});

/** Orval writes URLs into its functions: those of the description. */
const ORVAL = `module.exports = { api: {
  input: "openapi.json",
  output: {
    target: "generated/api.ts",
    client: "fetch",
    baseUrl: { getBaseUrlFromSpecification: true },
  },
} };`;

const orval = suiteOf({
  name: "orval",
  missing: lacksNpm,
  generate: (_, folder) => {
    writeFileSync(path.join(folder, "orval.config.cjs"), ORVAL);
    return withoutWarning(toolOf("orval"), ["--config", "orval.config.cjs"], folder);
  },
  compile: (folder) => compileTypeScript("orval", folder),
});

const python = suiteOf({
  name: "openapi-python-client",
  missing: () =>
    existsSync(path.join(TOOLS, "venv", "installed.txt"))
      ? undefined
      : "not installed: clients/generated/install",
  generate: (description, folder) =>
    withoutWarning(
      path.join(TOOLS, "venv", "bin", "openapi-python-client"),
      [
        ["generate", "--path", description, "--meta", "none"],
        ["--config", path.join(SOURCES, "python", "config.yml")],
        ["--output-path", path.join(folder, "generated")],
      ].flat(),
      folder,
    ),
  compile: async (folder) => {
    const command = path.join(TOOLS, "venv", "bin", "python");
    const program = path.join(SOURCES, "python", "round.py");
    await withoutWarning(command, ["-W", "error", "-m", "compileall", "-q", "generated"], folder);
    return { command, args: ["-W", "error", program], env: { PYTHONPATH: folder } };
  },
});

const go = suiteOf({
  name: "oapi-codegen",
  // From this version on, Go downloads the one that go.mod names.
  missing: () => lacksVersion("go", ["version"], /go1\.(\d+)/, 21),
  generate: async (description, folder) => {
    cpSync(path.join(SOURCES, "go"), folder, { recursive: true });
    mkdirSync(path.join(folder, "api"));
    const options = ["-generate", "types,client", "-package", "api", "-o", "api/api.go"];
    // Downloaded apart, so that what follows prints warnings only.
    await runCommand("go", ["mod", "download"], {
      env: process.env,
      cwd: folder,
      timeoutMs: BUILD_MS,
    });
    await withoutWarning("go", ["tool", "oapi-codegen", ...options, description], folder);
  },
  compile: async (folder) => {
    await withoutWarning("go", ["vet", "./..."], folder);
    await withoutWarning("go", ["build", "-o", "round", "."], folder);
    return { command: path.join(folder, "round"), args: [] };
  },
});

function lacksJava(): string | undefined {
  return (
    lacksVersion("javac", ["--version"], /(\d+)/, 17) ??
    (findCommand("mvn") ? undefined : "mvn is not installed")
  );
}

/** Has Maven download what a file of clients/generated/java names. @returns the class path */
async function classPathOf(file: string): Promise<string> {
  const output = path.join(TOOLS, `${file}.classpath`);
  const pom = path.join(SOURCES, "java", file);
  const goal = ["dependency:build-classpath", `-Dmdep.outputFile=${output}`];
  await runCommand("mvn", ["-q", "-B", "-f", pom, ...goal], {
    env: process.env,
    timeoutMs: BUILD_MS,
  });
  return readFileSync(output, "utf8").trim();
}

/** Models and operations, without their documentation and tests. */
const CODE_ONLY =
  "apis,models,supportingFiles,apiDocs=false,modelDocs=false,apiTests=false,modelTests=false";

async function openapiGenerator(generator: string, description: string, folder: string) {
  const options = ["-i", description, "-g", generator, "-o", "generated"];
  const main = [
    "-cp",
    await classPathOf("generator.xml"),
    "org.openapitools.codegen.OpenAPIGenerator",
  ];
  await withoutWarning(
    "java",
    [...main, "generate", ...options, "--global-property", CODE_ONLY],
    folder,
  );
}

function javaFilesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".java"))
    .map((name) => path.join(folder, name));
}

const java = suiteOf({
  name: "openapi-generator-java",
  missing: lacksJava,
  generate: (description, folder) => openapiGenerator("java", description, folder),
  compile: async (folder) => {
    const sources = javaFilesIn(path.join(folder, "generated", "src", "main"));
    const program = path.join(SOURCES, "java", "Round.java");
    const classPath = await classPathOf("pom.xml");
    await withoutWarning(
      "javac",
      ["-d", "classes", "-encoding", "UTF-8", "-cp", classPath, ...sources, program],
      folder,
    );
    const all = [path.join(folder, "classes"), classPath].join(path.delimiter);
    return { command: "java", args: ["-cp", all, "Round"] };
  },
});

const typescriptFetch = suiteOf({
  name: "openapi-generator-typescript",
  missing: () => lacksJava() ?? lacksNpm(),
  generate: (description, folder) => openapiGenerator("typescript-fetch", description, folder),
  compile: (folder) => compileTypeScript("typescriptFetch", folder),
});

export const SUITES: Suite[] = [openapiFetch, heyApi, orval, python, go, java, typescriptFetch];
