import { expect } from "chai";
import fc from "fast-check";
import {
  checkMetadata,
  decodedValue,
  metadataOfObject,
  storedMetadata,
} from "../../events/metadata";
import { metadata as anyMetadata } from "./arbitraries";

const many = (entries: number, value = "text") =>
  Object.fromEntries(Array.from({ length: entries }, (_, index) => [`name-${index}`, value]));

describe("metadata", () => {
  it("is taken as it is, without the blanks around its values", () => {
    const given = { customer: " Müller & Söhne\t", "order-no": "4711" };
    expect(checkMetadata(given)).to.deep.equal({
      metadata: { customer: "Müller & Söhne", "order-no": "4711" },
    });
    expect(checkMetadata({})).to.deep.equal({ metadata: {} });
    expect(checkMetadata(many(10, "x".repeat(190)))).to.have.property("metadata");
    expect(checkMetadata({ a: "😀".repeat(200) })).to.have.property("metadata");
  });

  const refused: [what: string, given: unknown, reason: string][] = [
    ["a text", "customer=4711", "an object of texts"],
    ["null", null, "an object of texts"],
    ["a list", ["4711"], "an object of texts"],
    ["a number", { order: 4711 }, '"order" has to be a text'],
    ["an upper-case name", { orderNo: "1" }, '"orderNo" is no name'],
    ["a name with a letter outside of ASCII", { größe: "1" }, '"größe" is no name'],
    ["a name that begins with a hyphen", { "-a": "1" }, '"-a" is no name'],
    ["an empty name", { "": "1" }, '"" is no name'],
    ["a long name", { ["a".repeat(33)]: "1" }, "is no name"],
    ["the prototype's name", JSON.parse('{"__proto__":"1"}'), '"__proto__" is no name'],
    ["a blank value", { a: " " }, '"a" is empty'],
    ["a long value", { a: "😀".repeat(201) }, '"a" has 201 characters'],
    ["a line break", { a: "1\n2" }, "cannot be printed"],
    ["a line separator", { a: "1\u20282" }, "cannot be printed"],
    ["half a character", { a: "\ud800" }, "cannot be printed"],
    ["too many entries", many(11), "11 entries"],
    ["too many bytes", many(10, "ü".repeat(150)), "bytes"],
  ];
  for (const [what, given, reason] of refused) {
    it(`is refused with a reason: ${what}`, () => {
      expect(checkMetadata(given).refusal).to.include(reason);
    });
  }

  it("is stored with an object in ASCII, and read back from it", () => {
    fc.assert(
      fc.property(anyMetadata, (given) => {
        const { metadata = {} } = checkMetadata(given);
        const stored = storedMetadata(metadata);
        for (const value of Object.values(stored)) {
          expect(value).to.match(/^[ -~]+$/);
        }
        expect(metadataOfObject(stored) ?? {}).to.deep.equal(metadata);
      }),
    );
    const word = { a: "=?UTF-8?B?w7w=?=" };
    expect(metadataOfObject(storedMetadata(word))).to.deep.equal(word);
  });

  it("of an object that others wrote is what fits the limits", () => {
    expect(metadataOfObject(undefined)).to.equal(undefined);
    expect(metadataOfObject({ "S3CMD.attrs": "1" })).to.equal(undefined);
    expect(metadataOfObject({ b: "x".repeat(201), c: "", a: "1" })).to.deep.equal({ a: "1" });
    expect(Object.keys(metadataOfObject(many(12)) ?? {})).to.have.length(10);
  });

  it("is read from the encoded words that S3 and other clients send", () => {
    expect(decodedValue("=?UTF-8?B?w7w=?=")).to.equal("ü");
    expect(decodedValue("=?utf-8?q?M=C3=BCller_=3F?= & =?ISO-8859-1?Q?S=F6hne?=")).to.equal(
      "Müller ? & Söhne",
    );
    expect(decodedValue("=?UTF-8?B?w7w=?= =?UTF-8?B?w7w=?=")).to.equal("üü");
    expect(decodedValue("=?KOI8-R?B?w7w=?=")).to.equal("=?KOI8-R?B?w7w=?=");
  });
});
