import { expect } from "chai";
import fc from "fast-check";
import {
  compareKeys,
  createKeyOrder,
  type KeyPage,
  type PageOptions,
} from "../../../s3/store/keyOrder";
import {
  continuationToken,
  encodeName,
  readListingRequest,
} from "../../../s3/store/listingRequest";
import { errorCode } from "./fixtures";

const byBytes = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b));

/** All pages, each name in order. */
function walk(page: (options: PageOptions) => KeyPage, options: PageOptions): string[][] {
  const pages: string[][] = [];
  let after: string | undefined;
  do {
    const { keys, commonPrefixes, isTruncated, next } = page({ ...options, after });
    expect(isTruncated).to.equal(next !== undefined);
    pages.push([...keys, ...commonPrefixes].sort(byBytes));
    after = next;
  } while (after !== undefined);
  return pages;
}

/** What the pages of a listing contain, the slow way. */
function expectedNames(keys: readonly string[], prefix: string, delimiter: string): string[] {
  const names = keys
    .filter((key) => key.startsWith(prefix))
    .map((key) => {
      const end = delimiter ? key.indexOf(delimiter, prefix.length) : -1;
      return end < 0 ? key : key.slice(0, end + delimiter.length);
    });
  return [...new Set(names)].sort(byBytes);
}

describe("the order of keys", () => {
  it("is that of their UTF-8 bytes", () => {
    const key = fc.string({ unit: "binary" });
    fc.assert(
      fc.property(key, key, key, (start, a, b) => {
        const [left, right] = [start + a, start + b];
        expect(Math.sign(compareKeys(left, right))).to.equal(byBytes(left, right));
      }),
    );
    expect(compareKeys("\u{1f600}", "\uffff")).to.be.greaterThan(0);
  });

  it("has each name once, however keys came and went and however long the pages are", () => {
    const key = fc.string({
      unit: fc.constantFrom("a", "b", "/", "é", "😀", "\uffff"),
      minLength: 1,
    });
    fc.assert(
      fc.property(
        fc.uniqueArray(key, { maxLength: 30 }),
        fc.array(fc.tuple(fc.boolean(), key), { maxLength: 30 }),
        fc.record({
          prefix: fc.constantFrom("", "a", "a/", "é"),
          delimiter: fc.constantFrom("", "/", "ab"),
          maxKeys: fc.integer({ min: 1, max: 5 }),
        }),
        (initial, changes, options) => {
          const keys = new Set(initial);
          const order = createKeyOrder(() => keys);
          order.page();
          for (const [adds, each] of changes) {
            if (adds) {
              keys.add(each);
              order.add(each);
            } else {
              keys.delete(each);
              order.remove(each);
            }
          }
          const pages = walk((each) => order.page(each), options);
          expect(pages.flat()).to.deep.equal(
            expectedNames([...keys], options.prefix, options.delimiter),
          );
          for (const page of pages.slice(0, -1)) {
            expect(page).to.have.lengthOf(options.maxKeys);
          }
        },
      ),
    );
  });

  it("gathers keys under the delimiter", () => {
    const order = createKeyOrder(() => ["a/1", "a/2", "b", "c/1", "c/2/3"]);
    expect(order.page({ delimiter: "/" })).to.deep.equal({
      keys: ["b"],
      commonPrefixes: ["a/", "c/"],
      isTruncated: false,
    });
    expect(order.page({ delimiter: "/", prefix: "c/", maxKeys: 1 })).to.deep.equal({
      keys: ["c/1"],
      commonPrefixes: [],
      isTruncated: true,
      next: "c/1",
    });
    expect(order.page({ maxKeys: 0 }).isTruncated).to.equal(false);
    expect(order.page({ after: "b" }).keys).to.deep.equal(["c/1", "c/2/3"]);
    expect(order.page({ prefix: "a", after: "b" }).keys).to.deep.equal([]);
  });

  it("gathers keys under the delimiter, and counts each common prefix once", () => {
    const order = createKeyOrder(() => ["a/1", "a/2", "b", "c/1", "c/2/3"]);
    const page = (options: PageOptions) => order.page(options);

    expect(walk(page, { delimiter: "/", maxKeys: 2 })).to.deep.equal([["a/", "b"], ["c/"]]);
    expect(walk(page, { delimiter: "/", prefix: "c/" })).to.deep.equal([["c/1", "c/2/"]]);
  });

  it("costs a page, not a bucket", () => {
    const keys = Array.from({ length: 100_000 }, (_, at) => `${at % 10}/${at}`);
    const order = createKeyOrder(() => keys);
    const time = (run: () => unknown) => {
      const start = performance.now();
      run();
      return performance.now() - start;
    };
    const sorting = time(() => order.page());
    const rounds = 100;
    const listing = time(() => {
      for (let round = 0; round < rounds; round++) {
        order.add(`${round}/new`);
        order.page({ delimiter: "/" });
        order.page({ prefix: "5/", after: "5/50005", maxKeys: 100 });
        order.remove(`${round}/new`);
      }
    });
    expect(listing / rounds).to.be.lessThan(sorting / 5);
  });
});

describe("a listing's query", () => {
  const code = (query: Record<string, string>) => errorCode(() => readListingRequest(query));

  it("has defaults", () => {
    expect(readListingRequest({})).to.deep.equal({
      version: 1,
      page: { prefix: "", delimiter: "", maxKeys: 1000, after: "" },
      encode: false,
      fetchOwner: true,
    });
  });

  it("names owners in V1, and in V2 where the reader asks for it", () => {
    const second = { "list-type": "2" };
    expect(readListingRequest({}).fetchOwner).to.equal(true);
    expect(readListingRequest(second).fetchOwner).to.equal(false);
    expect(readListingRequest({ ...second, "fetch-owner": "true" }).fetchOwner).to.equal(true);
  });

  it("starts after a marker, a key or a token", () => {
    expect(readListingRequest({ marker: "a" }).page.after).to.equal("a");
    const second = { "list-type": "2", "start-after": "a", marker: "x" };
    expect(readListingRequest(second)).to.deep.include({ version: 2 });
    expect(readListingRequest(second).page.after).to.equal("a");
    const token = continuationToken("ü/😀");
    const third = { ...second, "continuation-token": token };
    expect(readListingRequest(third).page.after).to.equal("ü/😀");
  });

  it("limits the number of keys", async () => {
    const read = (value: string) => readListingRequest({ "max-keys": value }).page.maxKeys;
    expect(["0", "7", "5000", ""].map(read)).to.deep.equal([0, 7, 1000, 1000]);
    for (const value of ["-1", "x", "1.5", "2147483648"]) {
      expect(await code({ "max-keys": value })).to.equal("InvalidArgument");
    }
  });

  it("refuses unknown tokens and encodings", async () => {
    for (const token of ["", "%", "a b"]) {
      expect(await code({ "list-type": "2", "continuation-token": token })).to.equal(
        "InvalidArgument",
      );
    }
    expect(await code({ "encoding-type": "base64" })).to.equal("InvalidArgument");
    expect(readListingRequest({ "encoding-type": "url" }).encode).to.equal(true);
    expect(encodeName("a b/ü\n+%(1)")).to.equal("a%20b/%C3%BC%0A%2B%25%281%29");
  });
});
