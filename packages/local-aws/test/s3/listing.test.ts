import { expect } from "chai";
import fc from "fast-check";
import { type ListingOptions, listPage } from "../../s3/listing";

describe("a listing", () => {
  function walk(keys: string[], options: ListingOptions): string[][] {
    const objects = keys.map((key) => ({ key }));
    const pages: string[][] = [];
    let startAfter: string | undefined;
    for (;;) {
      const page = listPage(objects, { ...options, startAfter });
      const names = [...page.objects.map(({ key }) => key), ...page.commonPrefixes];
      pages.push(names);
      if (!page.isTruncated) {
        return pages;
      }
      startAfter = names.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))).at(-1);
    }
  }

  it("has each key once, in the order of its UTF-8 bytes, however long the pages are", () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.string({ unit: "grapheme", minLength: 1 })),
        fc.integer({ min: 1, max: 5 }),
        (keys, maxKeys) => {
          const expected = keys.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
          expect(walk(keys, { maxKeys }).flat()).to.deep.equal(expected);
        },
      ),
    );
  });

  it("gathers keys under the delimiter, and counts each common prefix once", () => {
    const keys = ["a/1", "a/2", "b", "c/1", "c/2/3"];

    expect(walk(keys, { delimiter: "/", maxKeys: 2 })).to.deep.equal([["b", "a/"], ["c/"]]);
    expect(walk(keys, { delimiter: "/", prefix: "c/" })).to.deep.equal([["c/1", "c/2/"]]);
  });
});
