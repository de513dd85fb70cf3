import { expect } from "chai";
import { checkContentType } from "../../events/contentType";

describe("checkContentType", () => {
  const accepted: [declared: string | undefined, contentType: string, mediaType: string][] = [
    ["image/jpeg", "image/jpeg", "image/jpeg"],
    [" Text/Plain; charset=utf-8 ", "text/plain; charset=utf-8", "text/plain"],
    ['text/plain;charset;a=b; A=c;=;d="x,;y"', 'text/plain; a=b; d="x,;y"', "text/plain"],
    ['image/png;a="\t";b="\\\t";c="d e"', 'image/png; c="d e"', "image/png"],
    [undefined, "application/octet-stream", "application/octet-stream"],
    [" ", "application/octet-stream", "application/octet-stream"],
  ];
  for (const [declared, contentType, mediaType] of accepted) {
    it(`accepts ${JSON.stringify(declared)}`, () => {
      expect(checkContentType(declared, ["*/*"])).to.deep.equal({ contentType, mediaType });
    });
  }

  const unknown: [declared: string | undefined, fileName: string, contentType: string][] = [
    ["application/x-www-form-urlencoded", "a.b.JPG", "image/jpeg"],
    [undefined, "notes.md", "text/markdown"],
    ["application/x-www-form-urlencoded", "jpg", "application/octet-stream"],
    ["*/*", "a.jpg", "image/jpeg"],
    [" */*; charset=utf-8", "a", "application/octet-stream"],
    ["", "a.constructor", "application/octet-stream"],
    ["application/octet-stream", "a.jpg", "application/octet-stream"],
  ];
  for (const [declared, fileName, contentType] of unknown) {
    it(`takes ${String(declared)} of ${fileName} for ${contentType}`, () => {
      expect(checkContentType(declared, ["*/*"], fileName)).to.include({ contentType });
    });
  }

  const refused: [declared: string, refusal: string][] = [
    ["image", "malformed"],
    ["image/jpeg; name=ü", "malformed"],
    [`text/${"a".repeat(128)}`, "malformed"],
    [`${"a".repeat(128)}/plain`, "malformed"],
    ["text/plain;,image/png", "malformed"],
    ["text/plain, image/png", "malformed"],
    ['text/plain; a="b, image/png', "malformed"],
    ["multipart/form-data; boundary=x", "form"],
    ["image/jpeg", "not allowed"],
  ];
  for (const [declared, refusal] of refused) {
    it(`refuses ${declared} as ${refusal}`, () => {
      expect(checkContentType(declared, ["text/*"])).to.include({ refusal });
    });
  }
});
