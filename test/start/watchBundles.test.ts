import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { expect } from "chai";
import { watchedBundles } from "../../start/watchBundles";

describe("The bundles of npm start -- --watch", () => {
  it("are made again for a file that was saved while it was bundled, and keep no source maps of others", async () => {
    const folder = mkdtempSync(path.join(tmpdir(), "watch-bundles-"));
    const file = path.join(folder, "handler.ts");
    writeFileSync(file, "first");
    const packing = {
      serialize: () => Promise.resolve({ text: "", modules: [], folder }),
      bundle: () => Promise.reject(new Error("--watch has a bundler of its own.")),
      openBundler: () => () => {
        const text = readFileSync(file, "utf8");
        writeFileSync(file, "second, which is saved after the bundler has read the first");
        return Promise.resolve({ text, inputs: [file], sourceMap: `map of ${text}` });
      },
    };
    const bundles = watchedBundles(file);
    const evaluated = async () => {
      const text = await bundles.textOf("process", () => undefined, packing);
      // The next evaluation reads the program anew.
      await new Promise((resolve) => setImmediate(resolve));
      return text;
    };

    expect(await evaluated()).to.equal("first");
    expect(bundles.sourceMapOf("first")).to.equal("map of first");
    const second = await evaluated();
    expect(second).to.match(/^second/);
    expect(bundles.sourceMapOf(second)).to.equal(`map of ${second}`);
    expect(bundles.sourceMapOf("first"), "which no Lambda runs any more").to.equal(undefined);
    rmSync(folder, { recursive: true });
  });
});
