import { mkdir, realpath, rm, writeFile } from "node:fs/promises";
import { dirname, isAbsolute, join, relative } from "node:path";
import { AwsError } from "../awsError";

/**
 * Unpacks a deployment package into a folder that holds nothing else afterwards.
 *
 * @param files file name, with `/` between folders → content
 * @returns the folder's real path, which Node also uses for the modules in it
 */
export async function unpack(
  files: Record<string, string | Buffer>,
  folder: string,
): Promise<string> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  for (const [name, content] of Object.entries(files)) {
    const path = join(folder, name);
    const inside = relative(folder, path);
    if (inside.startsWith("..") || isAbsolute(inside)) {
      throw new AwsError(
        "InvalidParameterValueException",
        400,
        `Could not unzip uploaded file: "${name}" lies outside of the package.`,
      );
    }
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, content);
  }
  return realpath(folder);
}
