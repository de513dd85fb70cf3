import assert from "node:assert/strict";
import { AwsError } from "../../../awsError";
import { readCompletedParts, readDelete } from "../../../s3/documents";
import { element, parseXml, textOf } from "../../../xml";
import type { Target } from "../fuzz";
import { mutateBytes, mutateText } from "../mutate";

const DOCUMENTS = [
  '<?xml version="1.0" encoding="UTF-8"?>\n<Delete xmlns="http://s3.amazonaws.com/doc/2006-03-01/">' +
    "<Object><Key>it&apos;s &#252; &#x1F600; &amp; more</Key></Object><Quiet>true</Quiet></Delete>",
  "<Delete><Object><Key><![CDATA[a<b>]]></Key><VersionId>null</VersionId></Object><!-- no --></Delete>",
  "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>&#34;abc&#34;</ETag>" +
    "<ChecksumCRC32>AAAAAA==</ChecksumCRC32></Part></CompleteMultipartUpload>",
  '<s3:a xmlns:s3="x" b="c&quot;">text<?pi data?><s3:d/></s3:a>',
].map((text) => Buffer.from(text));

const TOKENS = [
  ...["<Object>", "</Object>", "<Key>", "</Key>", "<a>", "</a>", "<a/>", "<a b='", "<!--", "-->"],
  ...["<![CDATA[", "]]>", "<?xml", "?>", "&#0;", "&#7;", "&#55296;", "&#x110000;", "&#", "&amp"],
  ...["&lol;", "&#99999999999999999999;", "<!DOCTYPE a [<!ENTITY b 'c'>]>", "xmlns=", ":", "::"],
];

/** Bodies in XML. */
export const xml: Target = {
  name: "xml",
  make(random) {
    const document = mutateBytes(random, random.pick(DOCUMENTS), TOKENS);
    const text = mutateText(random, "a \u00fc\r\n&<>\"'", ["\r", "]]>", "&#13;"]);
    return {
      input: document.toString("latin1"),
      run() {
        if (isXmlText(text)) {
          assert.equal(parseXml(element("a", text)).text, text);
        }
        textOf(document, "Key");
        for (const read of [readDelete, readCompletedParts]) {
          try {
            read(document);
          } catch (error) {
            if (!(error instanceof AwsError)) {
              throw error;
            }
          }
        }
        parseXml(document);
      },
    };
  },
  // saxes throws plain errors, and the decoder of UTF-8 a TypeError of its own.
  isRefusal: (error) =>
    error instanceof Error &&
    (error.constructor === Error ||
      ("code" in error && error.code === "ERR_ENCODING_INVALID_ENCODED_DATA")),
};

/** Whether XML 1.0 can hold all characters of the text. */
function isXmlText(text: string): boolean {
  return text.isWellFormed() && !/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/.test(text);
}
