import { accessSync, constants } from "node:fs";
import * as path from "node:path";
import { type Browser, chromium } from "playwright-core";

const NAMES = ["chromium", "chromium-browser", "google-chrome"];

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** The path of Chromium: that of the variable CHROMIUM, or else the first one on the PATH. */
function chromiumPath(): string {
  const { CHROMIUM, PATH = "" } = process.env;
  const candidates = PATH.split(path.delimiter).flatMap((folder) =>
    NAMES.map((name) => path.join(folder, name)),
  );
  const found = CHROMIUM ?? candidates.find(isProgram);
  if (found === undefined) {
    throw new Error(
      "There is no Chromium on the PATH. Install it with bash test/browser/install (Debian), " +
        "or name its program in the variable CHROMIUM.",
    );
  }
  return found;
}

/**
 * Starts Chromium, without a window.
 *
 * @param proxyUrl all requests go by this proxy, those to the machine itself, too
 */
export function launchChromium(proxyUrl: string): Promise<Browser> {
  return chromium.launch({
    executablePath: chromiumPath(),
    // Without loopback's exception, the proxy would get nothing.
    proxy: { server: proxyUrl, bypass: "<-loopback>" },
    // Chromium's own sandbox needs rights that containers lack; the pages are the project's own.
    args: ["--no-sandbox", "--disable-background-networking", "--disable-component-update"],
  });
}
