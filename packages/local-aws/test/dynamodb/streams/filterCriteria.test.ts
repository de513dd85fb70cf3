import { expect } from "chai";
import { matches, parseFilters } from "../../../dynamodb/streams/filterCriteria";

describe("filter criteria", () => {
  const record = {
    eventName: "MODIFY",
    dynamodb: {
      ApproximateCreationDateTime: 1000,
      NewImage: {
        event_status: { S: "uploaded" },
        size: { N: "30" },
        note: { NULL: true },
        tags: { SS: ["red", "green"] },
        parts: { L: [{ S: "one" }, { S: "two" }] },
        empty: { S: "" },
      },
      nothing: null,
    },
  };
  const passes = (...patterns: unknown[]): boolean =>
    matches({ filters: patterns.map((p) => ({ pattern: JSON.stringify(p) })) }, record);
  const status = (...rules: unknown[]) => ({
    dynamodb: { NewImage: { event_status: { S: rules } } },
  });
  const field = (name: string, rules: unknown) => ({ dynamodb: { NewImage: { [name]: rules } } });

  const cases: [what: string, pattern: unknown, expected: boolean][] = [
    ["one of the values", status("created", "uploaded"), true],
    ["none of the values", status("created"), false],
    ["case matters", status("Uploaded"), false],
    ["all fields must match", { eventName: ["INSERT"], ...status("uploaded") }, false],
    ["a field that is not there", field("other", { S: ["x"] }), false],
    ["prefix", status({ prefix: "up" }), true],
    ["no such prefix", status({ prefix: "load" }), false],
    ["suffix", status({ suffix: "loaded" }), true],
    ["no such suffix", status({ suffix: "up" }), false],
    ["equals-ignore-case", status({ "equals-ignore-case": "UPLOADED" }), true],
    ["a rule or a value", status({ prefix: "x" }, "uploaded"), true],
    ["anything-but another", status({ "anything-but": ["failed", "created"] }), true],
    ["anything-but itself", status({ "anything-but": "uploaded" }), false],
    ["anything-but a prefix", status({ "anything-but": { prefix: "up" } }), false],
    ["anything-but another prefix", status({ "anything-but": { prefix: "x" } }), true],
    ["anything-but needs a field", field("other", { S: [{ "anything-but": "x" }] }), false],
    ["exists", status({ exists: true }), true],
    ["exists, though it does not", field("other", { S: [{ exists: true }] }), false],
    ["exists not", field("other", { S: [{ exists: false }] }), true],
    ["exists not, though it does", status({ exists: false }), false],
    ["exists is for leaves only", { dynamodb: { NewImage: [{ exists: true }] } }, false],
    ["null", { dynamodb: { nothing: [null] } }, true],
    ["null is not an empty text", field("empty", { S: [null] }), false],
    ["empty text", field("empty", { S: [""] }), true],
    ["true", field("note", { NULL: [true] }), true],
    ["an element of a set", field("tags", { SS: ["green"] }), true],
    ["no element of a set", field("tags", { SS: ["blue"] }), false],
    ["an element of a list", field("parts", { L: { S: ["two"] } }), true],
    ["numeric =", { dynamodb: { ApproximateCreationDateTime: [{ numeric: ["=", 1000] }] } }, true],
    [
      "numeric range",
      { dynamodb: { ApproximateCreationDateTime: [{ numeric: [">", 0, "<=", 1000] }] } },
      true,
    ],
    [
      "numeric range without it",
      { dynamodb: { ApproximateCreationDateTime: [{ numeric: [">", 0, "<", 1000] }] } },
      false,
    ],
    [
      "numeric never matches a DynamoDB number",
      field("size", { N: [{ numeric: ["=", 30] }] }),
      false,
    ],
    ["a DynamoDB number as text", field("size", { N: ["30"] }), true],
    ["$or", { $or: [{ eventName: ["INSERT"] }, status("uploaded")] }, true],
    ["$or without a match", { $or: [{ eventName: ["INSERT"] }, status("failed")] }, false],
    [
      "$or beside a field",
      { eventName: ["INSERT"], $or: [status("uploaded"), status("x")] },
      false,
    ],
  ];
  for (const [what, pattern, expected] of cases) {
    it(`${expected ? "passes" : "drops"}: ${what}`, () => {
      expect(passes(pattern)).to.equal(expected);
    });
  }

  it("passes records that any of several filters passes, and all without a filter", () => {
    expect(passes(status("failed"), status("uploaded"))).to.equal(true);
    expect(passes(status("failed"), status("created"))).to.equal(false);
    expect(passes()).to.equal(true);
  });

  const invalid: [pattern: string, problem: RegExp][] = [
    ["{", /is not JSON/],
    ["[]", /must be an object/],
    ['{"eventName": "INSERT"}', /at "eventName": use an array of values, such as \["INSERT"\]/],
    ['{"eventName": []}', /at least one value/],
    ['{"dynamodb": {}}', /at "dynamodb": .*at least one field/],
    ['{"a": [["x"]]}', /must not hold another/],
    ['{"a": [{"wildcard": "x*"}]}', /no operator "wildcard"/],
    ['{"a": [{"prefix": 1}]}', /"prefix" needs a text/],
    ['{"a": [{"exists": "yes"}]}', /"exists" needs true or false/],
    ['{"a": [{"numeric": ["~", 1]}]}', /"numeric" needs pairs/],
    ['{"a": [{"numeric": [">"]}]}', /"numeric" needs pairs/],
    ['{"a": [{"anything-but": {"wildcard": "x"}}]}', /"anything-but" needs/],
    ['{"a": [{"prefix": "x", "suffix": "y"}]}', /one operator/],
    ['{"a": [{}]}', /no operator ""/],
    ['{"$or": [{"a": ["x"]}]}', /at least two/],
  ];
  for (const [pattern, problem] of invalid) {
    it(`refuses ${pattern}`, () => {
      expect(() => parseFilters({ filters: [{ pattern }] })).to.throw(problem);
    });
  }

  it("refuses more filters than Lambda allows", () => {
    const filters = Array.from({ length: 11 }, () => ({ pattern: '{"a":["b"]}' }));

    expect(() => parseFilters({ filters })).to.throw("10 at most");
  });
});
