import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import * as path from "node:path";
import { expect } from "chai";
import { lockFile } from "../../../cli/upload/multipart/fileLock";

describe("the lock of an upload", () => {
  let folder: string;
  let file: string;

  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), "file-lock-"));
    file = path.join(folder, "lock");
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  const refuseToWait = () => Promise.reject(new Error("It waits."));

  it("is held by one at a time, and waited for", async () => {
    const waiting: (number | undefined)[] = [];
    const release = await lockFile(file, refuseToWait, () => undefined);

    const second = await lockFile(
      file,
      () => {
        release();
        return Promise.resolve();
      },
      (pid) => waiting.push(pid),
    );

    expect(waiting).to.deep.equal([process.pid]);
    expect(existsSync(file)).to.equal(true);
    second();
    expect(existsSync(file)).to.equal(false);
  });

  it("is taken over from a process that was killed", async () => {
    const { pid } = spawnSync(process.execPath, ["--version"]);
    writeFileSync(file, JSON.stringify({ pid, host: hostname(), id: "killed" }));

    const release = await lockFile(file, refuseToWait, () => undefined);

    release();
  });

  it("is taken over where its holder, on another machine, gives no sign of life", async () => {
    const foreign = JSON.stringify({ pid: process.pid, host: "elsewhere", id: "foreign" });
    writeFileSync(file, foreign);
    const waits = await lockFile(file, refuseToWait, () => undefined).catch(String);
    const minuteAgo = new Date(Date.now() - 60_000);
    utimesSync(file, minuteAgo, minuteAgo);

    const release = await lockFile(file, refuseToWait, () => undefined);

    expect(waits).to.equal("Error: It waits.");
    release();
  });

  it("is not given back by one from whom it was taken", async () => {
    const release = await lockFile(file, refuseToWait, () => undefined);
    writeFileSync(file, JSON.stringify({ id: "another" }));

    release();

    expect(existsSync(file)).to.equal(true);
  });
});
