import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import { expect } from "chai";
import { pageFiles, type PageName } from "../../components/lambda/pages";

/** All that a browser ever loads, gzipped. */
const MAX_SCRIPT_BYTES = 60_000;

interface BuiltPage {
  html: string;
  scriptHashes: string[];
  styleHash: string;
  scripts: Record<string, string>;
}

async function built(name: PageName): Promise<BuiltPage> {
  return JSON.parse((await pageFiles(name))[`${name}.page.json`] ?? "") as BuiltPage;
}

const hashOf = (text: string) => `sha256-${createHash("sha256").update(text).digest("base64")}`;

describe("The pages", () => {
  let pages: Record<PageName, BuiltPage>;

  before(async () => {
    pages = { link: await built("link"), console: await built("console") };
  });

  it(`have at most ${MAX_SCRIPT_BYTES / 1000} kB of JavaScript in all, gzipped`, () => {
    const scripts = { ...pages.link.scripts, ...pages.console.scripts };
    const sizes = Object.values(scripts).map((text) => gzipSync(text).length);

    expect(sizes.reduce((sum, size) => sum + size)).to.be.at.most(MAX_SCRIPT_BYTES);
  });

  it("load only scripts and styles whose hashes their policy has", () => {
    for (const { html, scriptHashes, styleHash, scripts } of Object.values(pages)) {
      const integrities = [...html.matchAll(/ integrity="([^"]+)"/g)].map(([, hash]) => hash);
      const [, style = ""] = /<style>([^]*?)<\/style>/.exec(html) ?? [];

      expect(integrities).to.deep.equal(Object.values(scripts).map(hashOf));
      expect(scriptHashes).to.deep.equal(integrities);
      expect(html.match(/<script/g)).to.have.length(integrities.length);
      expect(styleHash).to.equal(hashOf(style));
    }
  });

  it("import only what has a script element of its own, and is loaded before", () => {
    for (const { scripts } of Object.values(pages)) {
      const names = Object.keys(scripts);
      const imports = Object.values(scripts).map((text) =>
        [...text.matchAll(/\bfrom"\.\/([^"]+)"|\bimport"\.\/([^"]+)"/g)].map(
          ([, from, only]) => from ?? only,
        ),
      );

      imports.forEach((files, index) => {
        expect(names.slice(0, index)).to.include.members(files);
      });
    }
  });

  it("are built to the same bytes each time", async () => {
    expect(await built("link")).to.deep.equal(pages.link);
    expect(await built("console")).to.deep.equal(pages.console);
  });
});
