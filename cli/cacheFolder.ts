import { homedir } from "node:os";
import * as path from "node:path";

/** The user's folder for what may be lost, by each system's convention. */
function cacheOf(environment: NodeJS.ProcessEnv, platform: NodeJS.Platform): string {
  const { XDG_CACHE_HOME: xdg = "", LOCALAPPDATA: local = "" } = environment;
  // The XDG specification ignores relative paths.
  if (path.isAbsolute(xdg)) {
    return xdg;
  }
  switch (platform) {
    case "win32":
      return local === "" ? path.join(homedir(), "AppData", "Local") : local;
    case "darwin":
      return path.join(homedir(), "Library", "Caches");
    default:
      return path.join(homedir(), ".cache");
  }
}

/**
 * A folder of this program for what can be made again, or may be lost.
 *
 * @param name of the folder, such as `uploads`
 */
export function cacheFolder(
  name: string,
  environment = process.env,
  platform = process.platform,
): string {
  return path.join(cacheOf(environment, platform), "s3-uploader", name);
}
