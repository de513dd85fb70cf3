import type { APIGatewayProxyEvent } from "aws-lambda";
import { expect } from "chai";
import { completionOf, newMultipartOf, partNumberOf } from "../../../runtime/multipart/requests";

function request(body: unknown): APIGatewayProxyEvent {
  return { body: JSON.stringify(body), isBase64Encoded: false } as APIGatewayProxyEvent;
}

describe("newMultipartOf", () => {
  it("reads what @uppy/aws-s3 sends, without Uppy's own metadata", () => {
    const body = {
      filename: "a.png",
      type: "image/png",
      metadata: { relativePath: null, name: "a.png", type: "image/png", caption: "cat" },
    };
    expect(newMultipartOf(request(body))).to.deep.equal({
      fileName: "a.png",
      contentType: "image/png",
      size: undefined,
      lastModified: undefined,
      metadata: { caption: "cat" },
    });
  });

  it("takes numbers as texts, too", () => {
    for (const metadata of [
      { size: 5, last_modified: 1763000000000 },
      { size: "5", last_modified: "1763000000000" },
    ]) {
      const read = newMultipartOf(request({ metadata }));
      expect(read).to.include({ size: 5, lastModified: "1763000000000" });
    }
  });

  it("takes what is empty or null as not given", () => {
    const metadata = { size: null, last_modified: null };
    for (const body of [{}, { filename: "", type: null, metadata }, { metadata: null }]) {
      expect(newMultipartOf(request(body))).to.deep.equal({
        fileName: undefined,
        contentType: undefined,
        size: undefined,
        lastModified: undefined,
        metadata: {},
      });
    }
  });
});

describe("completionOf", () => {
  it("takes ETags with and without quotes, numbers as texts, and parts as they are listed", () => {
    const parts = [
      { PartNumber: 1, ETag: '"ab"', Size: 5 },
      { PartNumber: "2", ETag: "cd" },
    ];
    expect(completionOf(request({ parts })).parts).to.deep.equal([
      { PartNumber: 1, ETag: "ab" },
      { PartNumber: 2, ETag: "cd" },
    ]);
  });

  it("takes 10,000 parts, and no more", () => {
    const named = (count: number) =>
      request({
        parts: Array.from({ length: count }, (_, index) => ({ PartNumber: index + 1, ETag: "ab" })),
      });
    expect(completionOf(named(10_000)).parts).to.have.length(10_000);
    expect(() => completionOf(named(10_001))).to.throw("a list of 1 to 10000 entries");
  });

  for (const part of [null, 5, "1", [], { PartNumber: 1 }, { PartNumber: 1, ETag: "a<b" }]) {
    it(`refuses the part ${JSON.stringify(part)}, and names its place`, () => {
      const parts = [{ PartNumber: 1, ETag: "ab" }, part];
      expect(() => completionOf(request({ parts }))).to.throw('Entry 2 of "parts"');
    });
  }
});

describe("partNumberOf", () => {
  it("takes 1 to 10,000", () => {
    expect(["1", "10000"].map(partNumberOf)).to.deep.equal([1, 10_000]);
    for (const text of ["", "0", "-1", "1.5", "1e3", "10001", "0x1", "١", "__proto__"]) {
      expect(() => partNumberOf(text), text).to.throw("no part number");
    }
  });
});
