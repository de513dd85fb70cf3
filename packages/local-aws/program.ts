import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import * as path from "node:path";
import { parse as parseYaml } from "yaml";
import { StartError } from "./startError";

/** The stack whose settings a run takes. */
export const STACK = "dev";

const requireModule = createRequire(__filename);

interface ProjectFile {
  name: string;
  config?: Record<string, unknown>;
}

interface StackFile {
  config?: Record<string, unknown>;
}

/** @throws StartError for a folder without Pulumi.yaml */
function readProject(programDir: string): ProjectFile {
  const file = path.join(programDir, "Pulumi.yaml");
  if (!existsSync(file)) {
    throw new StartError(`There is no Pulumi program in ${programDir}: Pulumi.yaml is missing.`);
  }
  return parseYaml(readFileSync(file, "utf8")) as ProjectFile;
}

/** The stack's own settings; none, once `pulumi stack rm` has deleted its file. */
function readStack(programDir: string): StackFile {
  const file = path.join(programDir, `Pulumi.${STACK}.yaml`);
  return existsSync(file)
    ? ((parseYaml(readFileSync(file, "utf8")) as StackFile | null) ?? {})
    : {};
}

/**
 * The project's name, from Pulumi.yaml.
 *
 * @throws StartError for a folder without Pulumi.yaml
 */
export function projectName(programDir: string): string {
  return readProject(programDir).name;
}

/**
 * The settings of Pulumi.dev.yaml, overridden by the given ones.
 *
 * @param settings by name, with or without a namespace; the default namespace is the project
 * @returns by full name, such as `aws:region`
 * @throws StartError for a setting that Pulumi.yaml does not declare, or a folder without Pulumi.yaml
 */
export function stackConfig(
  programDir: string,
  settings: Record<string, string>,
): Record<string, string> {
  const { name: project, config: declared = {} } = readProject(programDir);
  for (const name of Object.keys(settings)) {
    if (!name.includes(":") && !Object.hasOwn(declared, name)) {
      throw new StartError(
        `There is no setting "${name}"; there are ${Object.keys(declared).join(", ")}.`,
        "config",
      );
    }
  }
  const config: Record<string, string> = { "aws:region": "us-east-1" };
  for (const [name, value] of Object.entries({ ...readStack(programDir).config, ...settings })) {
    const fullName = name.includes(":") ? name : `${project}:${name}`;
    config[fullName] = typeof value === "string" ? value : JSON.stringify(value);
  }
  return config;
}

/** Whether a file is part of the program: packages and this package register no resources. */
function isProgramModule(file: string, programDir: string): boolean {
  const isInside = (folder: string) => file.startsWith(folder + path.sep);
  const isHere = isInside(__dirname) && !programDir.startsWith(__dirname + path.sep);
  return isInside(programDir) && !file.includes(`${path.sep}node_modules${path.sep}`) && !isHere;
}

/**
 * Removes a program's modules from Node's cache, so that its next load registers its resources
 * again.
 *
 * @param modules names in the program's folder: files, or folders with all that is in them
 * @default every loaded file of the folder, except node_modules and this package
 */
export function forgetModules(programDir: string, modules?: string[]): void {
  const named = modules?.map((name) => path.join(programDir, name));
  for (const file of Object.keys(requireModule.cache)) {
    const forgets = named
      ? named.some((module) => file === module || file.startsWith(module + path.sep))
      : isProgramModule(file, programDir);
    if (forgets) {
      // The cache is a plain object, and deleting is the documented way to load a module again.
      // eslint-disable-next-line @typescript-eslint/no-dynamic-delete
      delete requireModule.cache[file];
    }
  }
}
