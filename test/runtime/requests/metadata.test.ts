import type { APIGatewayProxyEvent } from "aws-lambda";
import { expect } from "chai";
import {
  acceptMetadata,
  fingerprintOf,
  metadataOfHeaders,
} from "../../../runtime/requests/metadata";

const requestWith = (multiValueHeaders: Record<string, string[]> | null) =>
  ({ multiValueHeaders }) as APIGatewayProxyEvent;

describe("the metadata of a request", () => {
  it("is in its headers: in UTF-8 as curl sends it, as text, or as an encoded word", () => {
    const bytes = Buffer.from("Müller").toString("latin1");
    const request = requestWith({
      "X-Amz-Meta-Customer": [bytes],
      "x-amz-meta-city": ["日本"],
      "x-amz-meta-street": ["=?UTF-8?B?w7w=?="],
      "content-type": ["text/plain"],
    });
    expect(metadataOfHeaders(request)).to.deep.equal({
      customer: "Müller",
      city: "日本",
      street: "ü",
    });
  });

  it("is none where nothing is said", () => {
    expect(metadataOfHeaders(requestWith(null))).to.equal(undefined);
    expect(metadataOfHeaders(requestWith({ accept: ["*/*"] }))).to.equal(undefined);
    expect(acceptMetadata(undefined)).to.equal(undefined);
    expect(acceptMetadata({})).to.equal(undefined);
  });

  it("is refused with 400 where it is no metadata", () => {
    const refused = { statusCode: 400, code: "invalid_metadata" };
    expect(() => acceptMetadata({ a: 1 }))
      .to.throw('"a" has to be a text')
      .that.includes(refused);
    expect(() => metadataOfHeaders(requestWith({ "x-amz-meta-": ["1"] })))
      .to.throw()
      .that.includes(refused);
    const repeated: Record<string, string[]>[] = [
      { "x-amz-meta-a": ["1", "2"] },
      { "x-amz-meta-a": ["1"], "X-Amz-Meta-A": ["1"] },
    ];
    for (const twice of repeated) {
      expect(() => metadataOfHeaders(requestWith(twice)))
        .to.throw("x-amz-meta-a has to be given once")
        .that.includes(refused);
    }
  });

  it("tells requests apart, but not by its order; without it, as before there was any", () => {
    expect(fingerprintOf(undefined)).to.deep.equal([]);
    expect(fingerprintOf({ a: "1", b: "2" })).to.deep.equal(fingerprintOf({ b: "2", a: "1" }));
    expect(fingerprintOf({ a: "1" })).not.to.deep.equal(fingerprintOf({ a: "2" }));
  });
});
