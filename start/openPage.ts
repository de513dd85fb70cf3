import { spawn } from "node:child_process";

/** The system's program that opens a URL in the browser, and its arguments. */
function openerOf(url: string): [program: string, ...args: string[]] {
  switch (process.platform) {
    case "darwin":
      return ["open", url];
    case "win32":
      return ["rundll32", "url.dll,FileProtocolHandler", url];
    default:
      return ["xdg-open", url];
  }
}

/**
 * Opens a page in the user's browser.
 *
 * @param onFailure called with a message where that is not possible
 */
export function openPage(url: string, onFailure: (message: string) => void): void {
  const [program, ...args] = openerOf(url);
  const opener = spawn(program, args, { stdio: "ignore", detached: true });
  const fail = (reason: string) => {
    onFailure(`${url} was not opened: ${reason}. Open it in a browser.`);
  };
  opener.on("error", (error) => {
    fail(error.message);
  });
  opener.on("exit", (code) => {
    if (code) {
      fail(`${program} ended with code ${code}`);
    }
  });
  // The browser outlives the run.
  opener.unref();
}
