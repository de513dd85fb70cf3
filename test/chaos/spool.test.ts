import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { expect } from "chai";
import { Spool } from "../../chaos/observe/spool";

describe("a list in a file", () => {
  const folder = mkdtempSync(path.join(tmpdir(), "s3-uploader-spool-"));
  after(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  it("gives what was pushed, again and again, also after more is pushed", () => {
    const spool = new Spool<{ id: number; text: string }>(path.join(folder, "list"));
    const values = Array.from({ length: 5000 }, (_, id) => ({
      id,
      text: `写真 😀\n${"x".repeat(id % 200)}`,
    }));
    values.slice(0, 4000).forEach((value) => {
      spool.push(value);
    });
    expect([...spool]).to.deep.equal(values.slice(0, 4000));
    values.slice(4000).forEach((value) => {
      spool.push(value);
    });

    expect(JSON.stringify([...spool])).to.equal(JSON.stringify(values));
    expect(spool.length).to.equal(5000);
    spool.close();
  });
});
