import { homedir } from "node:os";
import * as path from "node:path";
import { expect } from "chai";
import { cacheFolder } from "../../cli/cacheFolder";

describe("a folder for what may be lost", () => {
  const cases: [NodeJS.Platform, NodeJS.ProcessEnv, string][] = [
    ["linux", { XDG_CACHE_HOME: "/cache" }, "/cache"],
    ["darwin", { XDG_CACHE_HOME: "/cache" }, "/cache"],
    ["linux", { XDG_CACHE_HOME: "" }, path.join(homedir(), ".cache")],
    ["linux", { XDG_CACHE_HOME: "relative" }, path.join(homedir(), ".cache")],
    ["darwin", {}, path.join(homedir(), "Library", "Caches")],
    ["win32", { LOCALAPPDATA: "C:\\Local" }, "C:\\Local"],
  ];
  for (const [platform, environment, folder] of cases) {
    it(`is in ${folder} on ${platform} with ${JSON.stringify(environment)}`, () => {
      expect(cacheFolder("uploads", environment, platform)).to.equal(
        path.join(folder, "s3-uploader", "uploads"),
      );
    });
  }
});
