import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { expect } from "chai";
import { openPage } from "../../start/openPage";
import { eventually } from "../../testing/eventually";

const URL = "http://127.0.0.1:4510/_api/abc/stage/console";

describe("--open", function () {
  let folder: string;
  const { PATH } = process.env;

  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), "open-"));
    process.env.PATH = folder;
  });

  afterEach(() => {
    process.env.PATH = PATH;
    rmSync(folder, { recursive: true });
  });

  /** Puts a script in place of the system's program. */
  function putOpener(script: string): void {
    for (const name of ["xdg-open", "open"]) {
      writeFileSync(path.join(folder, name), `#!/bin/sh\n${script}\n`);
      chmodSync(path.join(folder, name), 0o755);
    }
  }

  it("gives the URL to the system's program", async () => {
    const opened = path.join(folder, "opened");
    putOpener(`echo "$1" > "${opened}.part" && /bin/mv "${opened}.part" "${opened}"`);
    openPage(URL, (message) => expect.fail(message));
    await eventually(() => existsSync(opened) || undefined);
    expect(readFileSync(opened, "utf8")).to.equal(`${URL}\n`);
  });

  it("says so where there is none, or it fails", async () => {
    const missing = await new Promise<string>((resolve) => {
      openPage(URL, resolve);
    });
    putOpener("exit 3");
    const failed = await new Promise<string>((resolve) => {
      openPage(URL, resolve);
    });
    expect(missing).to.match(/stage\/console was not opened: .*ENOENT.*Open it in a browser\./);
    expect(failed).to.include("was not opened: ").and.to.include("ended with code 3");
  });
});
