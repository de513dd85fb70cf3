import { expect } from "chai";
import { AwsError } from "../../../awsError";
import { checkPostPolicy } from "../../../s3/forms/postPolicy";

const NOW = new Date("2026-01-01T00:00:00Z");
const EXPIRATION = "2026-01-01T00:00:01Z";

/** The message of the refusal of a form with this policy; undefined where it holds. */
function judge(policy: unknown, fields: Record<string, string> = {}): string | undefined {
  const text = typeof policy === "string" ? policy : JSON.stringify(policy);
  const named = { key: "k", policy: Buffer.from(text).toString("base64"), ...fields };
  const form = { key: "k", fields: new Map(Object.entries(named)), file: Buffer.from("content") };
  try {
    checkPostPolicy(form, "b", NOW);
    return undefined;
  } catch (error) {
    if (!(error instanceof AwsError)) {
      throw error;
    }
    return `${error.code}: ${error.message}`;
  }
}

const holding = (...conditions: unknown[]) => ({
  expiration: EXPIRATION,
  conditions: [{ bucket: "b" }, ["eq", "$key", "k"], ...conditions],
});

describe("a form's policy document", () => {
  it("holds until it expires", () => {
    expect(judge(holding())).to.equal(undefined);
    expect(judge({ ...holding(), expiration: NOW.toISOString() })).to.include("Policy expired.");
  });

  it("accepts sizes as text, operators in any case, and an empty prefix for any value", () => {
    const conditions = [
      ["content-length-range", "7", "7"],
      ["Starts-With", "$ACL", ""],
    ];
    expect(judge(holding(...conditions), { acl: "private" })).to.equal(undefined);
    expect(judge(holding(...conditions), { acl: "" })).to.equal(undefined);
  });

  it("applies to the bucket the form is sent to, whatever the form's own field", () => {
    const other = { expiration: EXPIRATION, conditions: [{ bucket: "c" }, { key: "k" }] };
    expect(judge(other, { bucket: "c" })).to.include('["eq", "$bucket", "c"]');
  });

  it("must name the key and the bucket", () => {
    const nothing = { expiration: EXPIRATION, conditions: [] };
    expect(judge(nothing)).to.include("Extra input fields: key, bucket");
  });

  const invalid: [what: string, policy: unknown, why: string][] = [
    ["no JSON", "expiration", "Invalid JSON."],
    ["no object", [], "Invalid JSON."],
    ["no expiration", { conditions: [] }, "Policy missing expiration."],
    ["no conditions", { expiration: EXPIRATION }, "Policy missing conditions."],
    ["a time that is none", { expiration: "tomorrow", conditions: [] }, "'tomorrow'"],
    ["a time without a zone", { expiration: "2999-01-01T00:00:00", conditions: [] }, "expiration"],
    ["a condition with two fields", holding({ acl: "a", key: "k" }), "exactly one property"],
    ["a condition without a field", holding({}), "exactly one property"],
    ["a number for a text", holding({ acl: 1 }), "must be a string"],
    ["a text for a condition", holding("bucket"), "list or an object"],
    ["a list without its value", holding(["eq", "$key"]), "eq condition"],
    ["a list with too much", holding(["eq", "$key", "k", "l"]), "too many"],
    ["an unknown operator", holding(["ends-with", "$key", "k"]), 'operator "ends-with"'],
    ["a range without an end", holding(["content-length-range", 0]), "content-length-range"],
    ["a range below zero", holding(["content-length-range", -1, 9]), "content-length-range"],
  ];
  for (const [what, policy, why] of invalid) {
    it(`with ${what} is invalid`, () => {
      expect(judge(policy))
        .to.match(/^InvalidPolicyDocument: Invalid Policy: /)
        .and.include(why);
    });
  }
});
