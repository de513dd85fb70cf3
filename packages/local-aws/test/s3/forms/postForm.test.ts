import { expect } from "chai";
import { AwsError } from "../../../awsError";
import { readPostForm } from "../../../s3/forms/postForm";

const TYPE = "multipart/form-data; boundary=B";

function part(name: string, value: string, rest = ""): string {
  return `--B\r\nContent-Disposition: form-data; name="${name}"${rest}\r\n\r\n${value}\r\n`;
}

/** The code and the message of the refusal of a body. */
function refused(body: string, type: string | undefined = TYPE): string {
  try {
    readPostForm(type, { body: Buffer.from(body) });
  } catch (error) {
    if (error instanceof AwsError) {
      return `${error.status} ${error.code}: ${error.message}`;
    }
    throw error;
  }
  throw new Error("The form was accepted");
}

const KEY = part("key", "k");
const FILE = part("file", "x");

describe("readPostForm", () => {
  it("gives the file as a view on the body, whatever bytes it has", () => {
    const file = "\r\n-B\r\n--A\r\n\r\n--b--\u0000é";
    const body = Buffer.from(`preamble\r\n${KEY}${part("File", file)}--B--\r\n`);

    const form = readPostForm('multipart/form-data; charset=utf-8; boundary="B"', { body });

    expect((form.file as Buffer).toString()).to.equal(file);
    expect((form.file as Buffer).buffer).to.equal(body.buffer);
  });

  it("accepts empty values, line breaks, and parts with more headers", () => {
    const typed = part("file", "", '; filename=""\r\nContent-Type: text/plain');
    const body = `${KEY}${part("X-Amz-Meta-A", "one\r\ntwo")}${part("acl", "")}${typed}--B--`;

    const { fields, file, key } = readPostForm(TYPE, { body: Buffer.from(body) });

    expect(Object.fromEntries(fields)).to.deep.equal({
      key,
      "x-amz-meta-a": "one\r\ntwo",
      acl: "",
    });
    expect(file).to.have.length(0);
  });

  const refusals: [what: string, body: string, why: string, type?: string][] = [
    ["no form", "key=k", "412 PreconditionFailed", "application/x-www-form-urlencoded"],
    [
      "no boundary in the type",
      `${KEY}${FILE}--B--`,
      "400 MalformedPOSTRequest",
      "multipart/form-data",
    ],
    ["no part", "", "400 MalformedPOSTRequest"],
    ["no end", `${KEY}${FILE}`.trimEnd(), "400 MalformedPOSTRequest"],
    [
      "a part without a name",
      `--B\r\nContent-Type: a/b\r\n\r\nx\r\n--B--`,
      "400 MalformedPOSTRequest",
    ],
    ["no file", `${KEY}--B--`, "400 InvalidArgument: POST requires exactly one file upload"],
    ["no key", `${FILE}--B--`, "400 InvalidArgument: Bucket POST must contain a field named 'key'"],
    [
      "a key behind the file",
      `${FILE}${KEY}--B--`,
      "400 InvalidArgument: Bucket POST must contain",
    ],
    ["an empty key", `${part("key", "")}${FILE}--B--`, "400 InvalidArgument: User key"],
    [
      "a key twice",
      `${KEY}${part("KEY", "l")}${FILE}--B--`,
      "400 InvalidArgument: The field 'key'",
    ],
    [
      "a key that is too long",
      `${part("key", "ü".repeat(513))}${FILE}--B--`,
      "400 KeyTooLongError",
    ],
    [
      "fields that are too large",
      `${KEY}${part("x-ignore-a", "x".repeat(20_480))}${FILE}--B--`,
      "400 MaxPostPreDataLengthExceededError",
    ],
  ];
  for (const [what, body, why, type] of refusals) {
    it(`refuses a form with ${what}`, () => {
      expect(refused(body, type)).to.include(why);
    });
  }
});
