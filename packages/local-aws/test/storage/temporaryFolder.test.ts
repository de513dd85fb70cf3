import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { expect } from "chai";
import { makeTemporaryFolder, removeOrphans } from "../../storage/temporaryFolder";

describe("the folder of temporary files", () => {
  const { TMPDIR } = process.env;
  let temporary: string;
  beforeEach(() => {
    temporary = mkdtempSync(join(tmpdir(), "temporary-folder-"));
    process.env.TMPDIR = temporary;
  });
  afterEach(() => {
    rmSync(temporary, { recursive: true, force: true });
    if (TMPDIR === undefined) {
      delete process.env.TMPDIR;
    } else {
      process.env.TMPDIR = TMPDIR;
    }
  });

  /** A folder with a file in it, with the name that another process would have given it. */
  function folderOf(pid: number, change: (name: string) => string = (name) => name): string {
    const own = makeTemporaryFolder();
    rmSync(own, { recursive: true });
    const folder = join(temporary, change(basename(own).replace(`-${process.pid}-`, `-${pid}-`)));
    mkdirSync(folder);
    writeFileSync(join(folder, "file"), "");
    return folder;
  }

  async function endedProcess(): Promise<number> {
    const child = spawn(process.execPath, ["--version"], { stdio: "ignore" });
    await once(child, "exit");
    return child.pid ?? 0;
  }

  it("is its owner's alone", () => {
    expect(statSync(makeTemporaryFolder()).mode & 0o777).to.equal(0o700);
  });

  it("of a process that has ended is removed, and no other", async () => {
    const ended = folderOf(await endedProcess());
    const own = makeTemporaryFolder();
    const live = folderOf(process.ppid);
    const kept = [
      own,
      // Of another container: its process ids are other ones.
      folderOf(await endedProcess(), (name) =>
        name.replace(/^local-aws-.{8}/, "local-aws-00000000"),
      ),
      folderOf(1, () => "local-aws-tools"),
    ];
    if (process.platform !== "linux") {
      kept.push(live);
    }

    await removeOrphans();

    expect(existsSync(ended)).to.equal(false);
    expect(kept.filter((folder) => !existsSync(folder))).to.deep.equal([]);
  });

  it("is removed where another process has got the id since", async function () {
    if (process.platform !== "linux") {
      // Only Linux tells when a process started.
      return;
    }
    const reused = folderOf(process.pid, (name) => name.replace(/-(\d+)-([^-]*)$/, "-1-$2"));

    await removeOrphans();

    expect(existsSync(reused)).to.equal(false);
  });

  it("is refused with a remedy where there is none", () => {
    process.env.TMPDIR = join(temporary, "missing");

    expect(() => makeTemporaryFolder()).to.throw(/missing, cannot be written to: .*Set TMPDIR/);
  });
});
