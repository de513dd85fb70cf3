import { expect } from "chai";
import { childrenOf, childText, element, parseXml, textOf } from "../xml";

describe("the XML reader", () => {
  it("decodes named and numbered references, and CDATA", () => {
    const references =
      "&#34;&#x22;&quot;&#39;&apos;&#252;&#xFC;&#128512;&lt;&gt;&amp;<![CDATA[<&#34;]]>";

    expect(parseXml(`<a>${references}</a>`).text).to.equal('"""\'\'üü😀<>&<&#34;');
  });

  it("keeps white space, and carriage returns that are written as references", () => {
    expect(parseXml("<a> \t\n&#13;&#10;&#xD;\r\n </a>").text).to.equal(" \t\n\r\n\r\n ");
  });

  it("knows elements by name, whatever their attributes, prefix and declaration", () => {
    const document = parseXml(
      '<?xml version="1.0" encoding="UTF-8"?>\n<!-- a > b --><s:Delete xmlns:s="urn:s" at="&lt;Key>">' +
        '<s:Object x="1"><Key>a</Key></s:Object><Object\n><Key >b</Key ></Object><Empty/></s:Delete>',
    );

    expect(document.name).to.equal("Delete");
    expect(childrenOf(document, "Object").map((each) => childText(each, "Key"))).to.deep.equal([
      "a",
      "b",
    ]);
    expect(childText(document, "Empty")).to.equal("");
    expect(childText(document, "Key")).to.equal(undefined);
  });

  it("reads any text that the writer wrote, but what XML 1.0 has no form for", () => {
    const text = " <a href='x' id=\"y\">&amp;\r\n\t日本😀\u0085\u2028 ";

    expect(parseXml(element("a", text)).text).to.equal(text);
    expect(() => parseXml(element("a", "\u0001"))).to.throw();
  });

  const refused: [what: string, document: string | Buffer][] = [
    ["nothing", ""],
    ["text", "a"],
    ["JSON", '{"Key":"a"}'],
    ["an unclosed element", "<a><b></a>"],
    ["two roots", "<a/><b/>"],
    ["an unknown entity", "<a>&nbsp;</a>"],
    ["a reference without its end", "<a>&amp b</a>"],
    ["a DOCTYPE", "<!DOCTYPE a><a/>"],
    ["an entity of its own", '<!DOCTYPE a [<!ENTITY e "x">]><a>&e;</a>'],
    ["control characters", "<a>\u0001</a>"],
    ["a reference to a control character", "<a>&#1;</a>"],
    ["a reference to no character", "<a>&#xD800;</a>"],
    ["bytes that are not UTF-8", Buffer.from([0x3c, 0x61, 0x3e, 0xfc, 0x3c, 0x2f, 0x61, 0x3e])],
    ["deeply nested elements", "<a>".repeat(100) + "</a>".repeat(100)],
  ];
  for (const [what, document] of refused) {
    it(`refuses ${what}`, () => {
      expect(() => parseXml(document)).to.throw(Error);
      expect(textOf(document, "a")).to.equal(undefined);
    });
  }

  // Quadratic, each of these would take minutes.
  const hostile: [what: string, document: string][] = [
    ["unclosed elements", `<Delete>${"<Object>".repeat(200_000)}`],
    ["unclosed siblings", `<Delete>${"<Object><Key>k</Key></Object><Object>".repeat(200_000)}`],
    ["line breaks", `<a>${"\r\n".repeat(200_000)}</a>`],
    ["references", `<a>${"&#39;".repeat(200_000)}</a>`],
    ["ampersands", `<a>${"&".repeat(200_000)}</a>`],
    ["comments", `<a>${"<!---->".repeat(100_000)}</a>`],
    ["CDATA", `<a>${"<![CDATA[a]]>".repeat(200_000)}</a>`],
    ["entities", `<!DOCTYPE a [${'<!ENTITY a "&a;&a;">'.repeat(200_000)}]><a>&a;</a>`],
    ["elements", `<a>${"<b/>".repeat(200_000)}</a>`],
  ];
  it("reads megabytes of hostile input to their end or their error", () => {
    for (const [what, document] of hostile) {
      const length = (() => {
        try {
          return parseXml(document).text.length;
        } catch {
          return 0;
        }
      })();
      expect(length, what).to.be.lessThanOrEqual(1_000_000);
    }
  });
});
