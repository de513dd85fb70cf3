import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { StartError } from "../../startError";
import { openDataFolder } from "../../storage/dataFolder";

describe("the data folder", () => {
  let parent: string;
  beforeEach(() => (parent = mkdtempSync(join(tmpdir(), "data-folder-"))));
  afterEach(() => {
    rmSync(parent, { recursive: true, force: true });
  });

  const modeOf = (path: string) => statSync(path).mode & 0o777;

  it("is made with all above it, for its owner alone, and nothing is left in it", () => {
    const folder = openDataFolder(join(parent, "new", "folder"));

    expect(folder).to.equal(join(parent, "new", "folder"));
    expect([modeOf(folder), modeOf(join(parent, "new"))]).to.deep.equal([0o700, 0o700]);
    expect(readdirSync(folder)).to.deep.equal([]);
  });

  it("of an earlier version is closed to others, with all that is in it", () => {
    const file = join(parent, "dynamodb", "CURRENT");
    mkdirSync(join(parent, "dynamodb"));
    writeFileSync(file, "");
    chmodSync(file, 0o644);
    chmodSync(join(parent, "dynamodb"), 0o755);
    chmodSync(parent, 0o755);

    openDataFolder(parent);

    expect([parent, join(parent, "dynamodb"), file].map(modeOf)).to.deep.equal([
      0o700, 0o700, 0o600,
    ]);
  });

  it("that holds somebody's other files keeps its mode", () => {
    writeFileSync(join(parent, "notes.txt"), "");
    chmodSync(parent, 0o755);

    openDataFolder(parent);

    expect(modeOf(parent)).to.equal(0o755);
  });

  it("that cannot be made or written to is refused at once", () => {
    writeFileSync(join(parent, "file"), "");
    const others =
      process.platform === "linux" ? ["/proc/x", "/proc/self", "/sys/x", "/dev/null/x"] : [];
    for (const folder of ["", join(parent, "file"), join(parent, "file", "x"), ...others]) {
      expect(() => openDataFolder(folder), folder)
        .to.throw(StartError)
        .with.property("option", "dataDir");
    }
  });
});
