import { expect } from "chai";
import fc from "fast-check";
import { fileNameFor } from "../../events/fileName";
import { anyText } from "./arbitraries";

const JPEG = "image/jpeg";

describe("fileNameFor", () => {
  it("returns a name that is valid in file systems, keys and headers, for any input", () => {
    fc.assert(
      fc.property(fc.option(anyText, { nil: undefined }), anyText, (given, contentType) => {
        const name = fileNameFor(given, contentType);

        expect(name).to.not.match(/[/\\]|\p{Cc}/u);
        expect(name).to.not.be.oneOf(["", ".", ".."]);
        expect(name.isWellFormed()).to.equal(true);
        expect(Buffer.byteLength(name)).to.be.within(1, 255);
      }),
    );
  });

  it("does not change a valid name", () => {
    fc.assert(
      fc.property(anyText, (given) => {
        const name = fileNameFor(given, JPEG);
        // A shortened name may end in a space, which only a second call would remove.
        fc.pre(Buffer.byteLength(name) < 240);
        expect(fileNameFor(name, "text/plain")).to.equal(name);
      }),
    );
  });

  const kept: Record<string, [given: string, name: string]> = {
    "a plain name": ["cat.jpg", "cat.jpg"],
    "letters of all scripts": ["Füße 写真 😀.jpg", "Füße 写真 😀.jpg"],
    "punctuation that keys and headers must encode": [`a+b %20 "c" ?#&.jpg`, `a+b %20 "c" ?#&.jpg`],
    "a name of dots and more": ["...", "..."],
    "a hidden file's name": [".profile", ".profile"],
    "the last segment of a path": ["/home/me/cat.jpg", "cat.jpg"],
    "the last segment of a Windows path": ["C:\\Users\\me\\cat.jpg", "cat.jpg"],
    "nothing of a way out of the folder": ["../../etc/passwd", "passwd"],
    "a name without its control characters": ["c\0a\nt\u0085.jpg\r", "cat.jpg"],
    "a name without the blanks around it": ["  cat.jpg\t", "cat.jpg"],
    "a mark for a lone surrogate": ["a\ud800b.jpg", "a\ufffdb.jpg"],
  };
  for (const [what, [given, name]] of Object.entries(kept)) {
    it(`keeps ${what}`, () => {
      expect(fileNameFor(given, "text/plain")).to.equal(name);
    });
  }

  for (const given of [undefined, "", " ", ".", "..", "folder/", "a\\..", "\0", ".\n."]) {
    it(`replaces ${JSON.stringify(given)}`, () => {
      expect(fileNameFor(given, JPEG)).to.equal("file.jpg");
    });
  }

  const defaults = {
    "image/jpeg": "file.jpg",
    "IMAGE/PNG; q=1": "file.png",
    "application/pdf": "file.pdf",
    "text/plain;charset=utf-8": "file.txt",
    "application/x-unknown": "file",
    constructor: "file",
    "": "file",
  };
  for (const [contentType, name] of Object.entries(defaults)) {
    it(`names a nameless ${contentType || "file without a type"} ${name}`, () => {
      expect(fileNameFor(undefined, contentType)).to.equal(name);
    });
  }

  it("keeps a name of exactly 255 bytes", () => {
    const name = `${"n".repeat(251)}.jpg`;
    expect(fileNameFor(name, JPEG)).to.equal(name);
  });

  it("shortens a longer name before its extension", () => {
    expect(fileNameFor(`${"n".repeat(252)}.jpg`, JPEG)).to.equal(`${"n".repeat(251)}.jpg`);
  });

  it("never splits a multi-byte character", () => {
    const name = fileNameFor(`${"😀".repeat(100)}.jpg`, JPEG);
    expect(name).to.equal(`${"😀".repeat(62)}.jpg`);
  });

  it("does not treat a long suffix as an extension", () => {
    expect(fileNameFor(`a.${"x".repeat(300)}`, JPEG)).to.equal(`a.${"x".repeat(253)}`);
  });
});
