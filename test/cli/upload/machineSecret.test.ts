import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { expect } from "chai";
import { PROGRAM_DIR } from "../../../start/programDir";

const SCRIPT = `
  const { machineSecret } = require("./cli/upload/machineSecret.ts");
  process.stdout.write(JSON.stringify([machineSecret(), machineSecret()]));
`;

/** Two secrets of a process of its own, and what it printed beside. */
function secretsWith(settings: string): { secrets: string[]; stderr: string } {
  const { stdout, stderr } = spawnSync(
    process.execPath,
    ["-r", "./tooling/register.js", "-e", SCRIPT],
    {
      cwd: PROGRAM_DIR,
      env: { ...process.env, XDG_CONFIG_HOME: settings },
      encoding: "utf8",
    },
  );
  return { secrets: JSON.parse(stdout) as string[], stderr };
}

describe("The secret of the machine", () => {
  const folder = mkdtempSync(path.join(tmpdir(), "machine-secret-"));

  after(() => {
    rmSync(folder, { recursive: true });
  });

  it("is the same in every command, and leaves one file", () => {
    const first = secretsWith(folder);
    expect(first.stderr).to.equal("");
    expect(first.secrets[0]).to.match(/^[0-9a-f]{64}$/);
    expect(secretsWith(folder).secrets).to.deep.equal(first.secrets);
    expect(readdirSync(path.join(folder, "s3-uploader"))).to.deep.equal(["secret"]);
  });

  it("is said once to be lost with the command, where no file can be kept", () => {
    const file = path.join(folder, "a-file");
    writeFileSync(file, "");

    const { secrets, stderr } = secretsWith(file);

    expect(secrets[0]).to.equal(secrets[1]);
    expect(stderr.trim().split("\n")).to.have.length(1);
    expect(stderr).to.match(/cannot be kept in .*a-file.*\((ENOTDIR|EEXIST)\)/);
  });
});
