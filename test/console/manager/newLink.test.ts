import { expect } from "chai";
import { newLinkOf } from "../../../console/manager/links/newLink";

function formOf(fields: Record<string, string>): FormData {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) {
    form.set(name, value);
  }
  return form;
}

describe("the console's form of a new link", () => {
  it("asks for what was filled in, and for nothing else", () => {
    const empty = { note: " ", max_files: "", megabytes: "", content_types: "", metadata: "\n" };
    const link = newLinkOf(formOf({ ...empty, expires_in: "3600" }));
    expect(JSON.parse(JSON.stringify(link))).to.deep.equal({ expires_in: 3600 });
  });

  it("reads units, lists and lines", () => {
    const link = newLinkOf(
      formOf({
        expires_in: "86400",
        note: " Party ",
        max_files: "3",
        megabytes: "1.5",
        content_types: "image/*, text/csv",
        metadata: "customer: 47: 11\n\norder=x=y",
      }),
    );
    expect(link).to.deep.equal({
      expires_in: 86_400,
      note: "Party",
      max_files: 3,
      max_bytes: 1_500_000,
      content_types: ["image/*", "text/csv"],
      metadata: { customer: "47: 11", order: "x=y" },
    });
  });
});
