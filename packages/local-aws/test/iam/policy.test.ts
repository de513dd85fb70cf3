import { expect } from "chai";
import {
  checkPolicy,
  evaluate,
  type PolicyDocument,
  type PolicyQuestion,
  type Statement,
} from "../../iam/policy";

const ROLE = "arn:aws:iam::123456789012:role/process";
const TABLE = "arn:aws:dynamodb:eu-central-1:123456789012:table/events";
const FUNCTION = "arn:aws:lambda:eu-central-1:123456789012:function:record";

function policy(...statements: Partial<Statement>[]): PolicyDocument {
  return {
    Version: "2012-10-17",
    Statement: statements.map((statement) => ({ Effect: "Allow", ...statement })),
  };
}

function isAllowed(
  statements: Partial<Statement> | Partial<Statement>[],
  question: Partial<PolicyQuestion> = {},
): boolean {
  return evaluate({
    identityPolicies: [policy(...[statements].flat())],
    principalArn: ROLE,
    action: "dynamodb:PutItem",
    resource: TABLE,
    ...question,
  }).allowed;
}

const everything = { Action: "*", Resource: "*" };

describe("evaluate", () => {
  it("allows nothing by default, and names the missing permission", () => {
    expect(
      evaluate({ identityPolicies: [], principalArn: ROLE, action: "s3:GetObject", resource: "*" }),
    ).to.deep.equal({
      allowed: false,
      reason: "because no identity-based policy allows the s3:GetObject action",
    });
  });

  it("matches actions in any case, with wildcards", () => {
    for (const Action of ["dynamodb:PutItem", "DynamoDB:putitem", "dynamodb:Put*", "*", "d*:*m"]) {
      expect(isAllowed({ Action, Resource: TABLE }), Action).to.equal(true);
    }
    for (const Action of ["dynamodb:Put", "dynamodb:PutItem?", "s3:*", "dynamodb.PutItem"]) {
      expect(isAllowed({ Action, Resource: TABLE }), Action).to.equal(false);
    }
    expect(isAllowed({ Action: ["s3:*", "dynamodb:PutItem"], Resource: TABLE })).to.equal(true);
  });

  it("matches resources exactly or with wildcards, in their own case", () => {
    for (const Resource of [
      TABLE,
      `${TABLE.slice(0, -1)}?`,
      "*",
      "arn:aws:dynamodb:*",
      `${TABLE}*`,
    ]) {
      expect(isAllowed({ Action: "*", Resource }), Resource).to.equal(true);
    }
    for (const Resource of [
      `${TABLE}/index/*`,
      TABLE.toUpperCase(),
      "arn:*:table/events",
      "arn:aws:dynamodb",
      "table",
    ]) {
      expect(isAllowed({ Action: "*", Resource }), Resource).to.equal(false);
    }
    const object = { resource: "arn:aws:s3:::b/a/b:c\nd" };
    expect(isAllowed({ Action: "*", Resource: "arn:aws:s3:::b/*" }, object)).to.equal(true);
    expect(isAllowed({ Action: "*", Resource: "arn:aws:s3:::b" }, object)).to.equal(false);
  });

  it("understands NotAction and NotResource", () => {
    expect(isAllowed({ NotAction: "s3:*", Resource: "*" })).to.equal(true);
    expect(isAllowed({ NotAction: "dynamodb:*", Resource: "*" })).to.equal(false);
    expect(isAllowed({ Action: "*", NotResource: TABLE })).to.equal(false);
    expect(isAllowed({ Action: "*", NotResource: `${TABLE}/index/*` })).to.equal(true);
  });

  it("gives an explicit deny precedence, wherever it is", () => {
    const deny = { Effect: "Deny" as const, Action: "dynamodb:PutItem", Resource: "*" };

    const byIdentity = evaluate({
      identityPolicies: [policy(everything), policy(deny)],
      principalArn: ROLE,
      action: "dynamodb:PutItem",
      resource: TABLE,
    });
    const byResource = evaluate({
      identityPolicies: [policy(everything)],
      resourcePolicy: policy({ ...deny, Principal: "*" }),
      principalArn: ROLE,
      action: "dynamodb:PutItem",
      resource: TABLE,
    });

    expect(byIdentity).to.deep.equal({
      allowed: false,
      reason: "with an explicit deny in an identity-based policy",
    });
    expect(byResource).to.deep.equal({
      allowed: false,
      reason: "with an explicit deny in a resource-based policy",
    });
  });

  it("inserts policy variables into resources", () => {
    const home = "arn:aws:s3:::b/${aws:username}/*";
    const asks = (statement: Partial<Statement>, user?: string): boolean =>
      isAllowed(
        { Action: "*", ...statement },
        {
          resource: "arn:aws:s3:::b/ann/x",
          context: user === undefined ? {} : { "aws:username": user },
        },
      );

    expect(asks({ Resource: home }, "ann")).to.equal(true);
    expect(asks({ Resource: home }, "bob")).to.equal(false);
    expect(asks({ Resource: home })).to.equal(false);
    expect(asks({ NotResource: home }, "bob")).to.equal(true);
    expect(asks({ NotResource: home })).to.equal(false);
  });

  it("takes variables for text before the version 2012-10-17", () => {
    const Statement = { Effect: "Allow" as const, Action: "*", Resource: "arn:aws:s3:::${a}" };
    const decide = (resource: string): boolean =>
      evaluate({
        identityPolicies: [{ Statement }],
        principalArn: ROLE,
        action: "s3:ListBucket",
        resource,
        context: { a: "b" },
      }).allowed;

    expect(decide("arn:aws:s3:::${a}")).to.equal(true);
    expect(decide("arn:aws:s3:::b")).to.equal(false);
  });

  it("matches hostile patterns without trying every way to divide a text", () => {
    const text = `arn:aws:s3:::${"a".repeat(100_000)}`;
    for (const stars of ["a*".repeat(500), "a?*".repeat(500)]) {
      const Resource = `arn:aws:s3:::${stars}b`;

      expect(isAllowed({ Action: "*", Resource }, { resource: text })).to.equal(false);
      expect(isAllowed({ Action: "*", Resource }, { resource: `${text}b` })).to.equal(true);
    }
  });

  describe("with a resource policy", () => {
    const asks = (Principal: Statement["Principal"], principalArn = ROLE): boolean =>
      isAllowed([], {
        principalArn,
        resourcePolicy: policy({ ...everything, Principal }),
      });

    it("allows the principals it names", () => {
      expect(asks("*")).to.equal(true);
      expect(asks({ AWS: "*" })).to.equal(true);
      expect(asks({ AWS: [ROLE] })).to.equal(true);
      expect(asks({ AWS: `${ROLE}2` })).to.equal(false);
      expect(asks({ Service: "s3.amazonaws.com" })).to.equal(false);
      expect(asks(undefined)).to.equal(false);
    });

    it("treats a role's session as the role", () => {
      const session = "arn:aws:sts::123456789012:assumed-role/process/process-1";

      expect(asks({ AWS: ROLE }, session)).to.equal(true);
      expect(asks({ AWS: session }, session)).to.equal(true);
      expect(asks({ AWS: ROLE.replace("process", "other") }, session)).to.equal(false);
    });

    it("leaves the decision to the identity where it names the account, except for a deny", () => {
      for (const AWS of ["123456789012", "arn:aws:iam::123456789012:root"]) {
        const denying = policy({ ...everything, Effect: "Deny", Principal: { AWS } });

        expect(asks({ AWS })).to.equal(false);
        expect(isAllowed(everything, { resourcePolicy: denying })).to.equal(false);
      }
    });

    it("understands NotPrincipal", () => {
      const denyOthers = policy({ ...everything, Effect: "Deny", NotPrincipal: { AWS: ROLE } });
      const other = { resourcePolicy: denyOthers, principalArn: `${ROLE}2` };

      expect(isAllowed(everything, { resourcePolicy: denyOthers })).to.equal(true);
      expect(isAllowed(everything, other)).to.equal(false);
    });

    it("decides whether a service may invoke a function", () => {
      const permission = policy({
        Principal: { Service: "s3.amazonaws.com" },
        Action: "lambda:InvokeFunction",
        Resource: FUNCTION,
        Condition: {
          ArnLike: { "AWS:SourceArn": "arn:aws:s3:::uploads" },
          StringEquals: { "AWS:SourceAccount": "123456789012" },
        },
      });
      const invoke = (principalArn: string, bucket: string, account: string): unknown =>
        evaluate({
          identityPolicies: [],
          resourcePolicy: permission,
          principalArn,
          action: "lambda:InvokeFunction",
          resource: FUNCTION,
          context: { "aws:SourceArn": `arn:aws:s3:::${bucket}`, "aws:SourceAccount": account },
        });
      const denied = {
        allowed: false,
        reason: "because no resource-based policy allows the lambda:InvokeFunction action",
      };

      expect(invoke("s3.amazonaws.com", "uploads", "123456789012")).to.deep.equal({
        allowed: true,
      });
      expect(invoke("sns.amazonaws.com", "uploads", "123456789012")).to.deep.equal(denied);
      expect(invoke("s3.amazonaws.com", "other", "123456789012")).to.deep.equal(denied);
      expect(invoke("s3.amazonaws.com", "uploads", "210987654321")).to.deep.equal(denied);
    });
  });

  describe("with conditions", () => {
    const fits = (
      operator: string,
      values: string | string[] | number | boolean,
      found?: string | string[],
    ): boolean =>
      isAllowed(
        { ...everything, Condition: { [operator]: { "My:Key": values } } },
        { context: found === undefined ? {} : { "mY:kEY": found } },
      );

    const cases: [
      operator: string,
      values: string | string[] | number | boolean,
      fitting: string | string[],
      other: string | string[],
      absent: boolean,
    ][] = [
      ["StringEquals", ["a", "b"], "b", "B", false],
      ["StringNotEquals", ["a", "b"], "c", "b", true],
      ["StringEqualsIgnoreCase", "a", "A", "b", false],
      ["StringNotEqualsIgnoreCase", "a", "b", "A", true],
      ["StringLike", "up?oads/*", "uploads/x/y", "other/x", false],
      ["StringNotLike", "uploads/*", "other/x", "uploads/x", true],
      ["ArnEquals", "arn:aws:s3:::b*", "arn:aws:s3:::bucket", "arn:aws:sns:::bucket", false],
      [
        "ArnLike",
        "arn:aws:execute-api:*:*:x/*/POST/*",
        "arn:aws:execute-api:r:1:x/s/POST/u",
        "arn:aws:execute-api:r:1:x/s/GET/u",
        false,
      ],
      ["ArnNotLike", "arn:aws:s3:::b*", "arn:aws:s3:::c", "arn:aws:s3:::b", true],
      ["ArnNotEquals", "arn:aws:s3:::b", "arn:aws:s3:::c", "arn:aws:s3:::b", true],
      ["ArnLikeIfExists", "arn:aws:s3:::b?", "arn:aws:s3:::bc", "arn:aws:s3:::b", true],
      ["ArnEquals", "arn:aws:sns:*:1:*", "arn:aws:sns:r:1:a:b", "arn:aws:sns:r:s:1:a", false],
      ["Bool", true, "true", "false", false],
      ["BinaryEquals", "AQI=", "AQI=", "AQM=", false],
      ["DateEquals", "2026-01-31", "2026-01-31T01:00:00+01:00", "2026-02-01", false],
      ["DateNotEquals", "2026", "2026-01-02", "2026-01-01T00:00:00Z", true],
      ["DateLessThan", "2026-01-31T12:00:00Z", "1769860799", "1769860800", false],
      ["DateLessThanEquals", "1769860800", "2026-01-31T12:00:00Z", "2026-01-31T12:00:01Z", false],
      ["DateGreaterThan", "2026-01", "2026-01-01T00:00:00.001Z", "2026-01-01", false],
      ["DateGreaterThanEquals", "2026-01-01", "2026-01-01", "2025-12-31T23:59:59Z", false],
      ["IpAddress", ["203.0.113.0/24", "2001:DB8::/32"], "2001:db8:0:1::5", "203.0.114.1", false],
      ["IpAddress", "203.0.113.7", "203.0.113.7", "203.0.113.8", false],
      ["IpAddress", "0.0.0.0/0", "10.0.0.1", "::ffff:10.0.0.1", false],
      ["NotIpAddress", "203.0.113.0/24", "203.0.114.1", "203.0.113.255", true],
      ["NumericEquals", 10, "10.0", "11", false],
      ["NumericNotEquals", 10, "11", "10", true],
      ["NumericLessThan", 10, "9", "10", false],
      ["NumericLessThanEquals", 10, "10", "11", false],
      ["NumericGreaterThan", "10", "11", "10", false],
      ["NumericGreaterThanEquals", "10", "10", "9", false],
      ["ForAnyValue:StringEquals", ["a", "b"], ["x", "a"], ["x", "y"], false],
      ["ForAllValues:StringLike", ["a*", "b"], ["ab", "b"], ["ab", "x"], true],
      ["StringEqualsIfExists", "a", "a", "b", true],
      ["ForAnyValue:StringEqualsIfExists", "a", ["a"], ["b"], true],
      ["ForAnyValue:StringNotEquals", ["a", "b"], ["a", "x"], ["a", "b"], false],
      ["ForAllValues:StringNotLike", ["a*", "b"], ["x", "y"], ["ab", "x"], true],
      ["ForAnyValue:ArnLike", "arn:aws:s3:::b*", ["x", "arn:aws:s3:::b"], ["x"], false],
      ["forallvalues:stringequalsifexists", "a", ["a", "a"], ["a", "b"], true],
      ["NumericLessThanIfExists", 10, "9", "x", true],
    ];
    for (const [operator, values, fitting, other, absent] of cases) {
      it(`understands ${operator} with ${JSON.stringify(values)}`, () => {
        expect(fits(operator, values, fitting), "fitting").to.equal(true);
        expect(fits(operator, values, other), "other").to.equal(false);
        expect(fits(operator, values), "absent").to.equal(absent);
      });
    }

    it("needs every one of several found values to differ, for a negated operator", () => {
      expect(fits("StringNotEquals", "a", ["b", "c"])).to.equal(true);
      expect(fits("StringNotEquals", "a", ["b", "a"])).to.equal(false);
    });

    it("compares ARNs in six parts: for others, neither an operator nor its negation holds", () => {
      for (const pattern of ["*", "arn:aws:s3*", "arn:*", "arn:aws:s3:::", "?"]) {
        for (const operator of ["ArnLike", "ArnEquals", "ArnNotLike", "ArnNotEquals"]) {
          const found = pattern.endsWith(":") ? "bucket" : "arn:aws:s3:::bucket";
          expect(fits(operator, pattern, found), `${operator} ${pattern}`).to.equal(false);
        }
      }
      expect(fits("ArnLike", "arn:*:*:*:*:*", "arn:aws:s3:::bucket")).to.equal(true);
      expect(fits("ArnNotLike", ["*", "arn:aws:s3:::b"], "arn:aws:s3:::c")).to.equal(false);
    });

    it("inserts policy variables, whose values have no wildcards", () => {
      const found = (operator: string, value: string, key: string, user?: string): boolean =>
        isAllowed(
          { ...everything, Condition: { [operator]: { key: value } } },
          { context: { key, ...(user === undefined ? {} : { "aws:UserName": user }) } },
        );

      expect(found("StringLike", "home/${aws:username}/*", "home/ann/x", "ann")).to.equal(true);
      expect(found("StringLike", "home/${aws:username}/*", "home/ann/x", "*")).to.equal(false);
      expect(found("StringEquals", "${AWS:username}", "ann", "ann")).to.equal(true);
      expect(found("StringEquals", "${aws:username, 'nobody'}", "nobody")).to.equal(true);
      expect(found("StringLike", "a${*}b${?}c${$}d", "a*b?c$d")).to.equal(true);
      expect(found("StringLike", "a${*}b", "axb")).to.equal(false);
      expect(found("StringEquals", "a*", "ab")).to.equal(false);
      expect(
        found("ArnLike", "arn:aws:s3:::${aws:username}/*", "arn:aws:s3:::b:c/d", "b:c"),
      ).to.equal(true);
      for (const operator of ["StringEquals", "StringNotEquals", "StringNotLike"]) {
        expect(found(operator, "${aws:username}", "ann"), operator).to.equal(false);
      }
    });

    it("understands Null", () => {
      expect(fits("Null", "true")).to.equal(true);
      expect(fits("Null", "true", "x")).to.equal(false);
      expect(fits("Null", false, "x")).to.equal(true);
      expect(fits("Null", "false")).to.equal(false);
    });

    it("needs all of several conditions", () => {
      const Condition = { StringEquals: { a: "1", b: "2" }, Bool: { c: "true" } };
      const rule = { ...everything, Condition };

      expect(isAllowed(rule, { context: { a: "1", b: "2", c: "true" } })).to.equal(true);
      expect(isAllowed(rule, { context: { a: "1", b: "2", c: "false" } })).to.equal(false);
      expect(isAllowed(rule, { context: { a: "1", b: "3", c: "true" } })).to.equal(false);
    });
  });
});

describe("checkPolicy", () => {
  const broken: [what: string, statement: unknown, message: RegExp][] = [
    ["an operator", { Condition: { StringMatches: { a: "b" } } }, /"StringMatches" is not/],
    [
      "a policy variable before the resource's part",
      { Resource: "arn:aws:s3:${aws:RequestedRegion}::b" },
      /policy variable/,
    ],
    ["an address", { Condition: { IpAddress: { a: "10.0.0.0/33" } } }, /neither an IP address/],
    ["a date", { Condition: { DateLessThan: { a: "tomorrow" } } }, /"tomorrow" is not a date/],
    ["binary data", { Condition: { BinaryEquals: { a: "ü" } } }, /"ü" is not base64/],
    ["a kind of principal", { Principal: { CanonicalUser: "79a5" } }, /CanonicalUser/],
    ["an effect", { Effect: "allow" }, /Effect must be/],
    ["a statement without a resource", { Resource: undefined }, /neither Resource nor NotResource/],
    ["a number", { Condition: { NumericEquals: { a: "x" } } }, /"x" is not a number/],
    ["an action that is no text", { Action: [{}] }, /Action must be a text or a list of texts/],
    ["a condition that is no object", { Condition: [] }, /Condition must be an object/],
    [
      "a value that is no text",
      { Condition: { Bool: { a: null } } },
      /the condition key a must have a text, a number, a boolean or a list of them/,
    ],
    ["a principal that is no text", { Principal: { AWS: 1 } }, /AWS must be a text/],
    ["a principal without a kind", { Principal: "a" }, /a principal must be an object/],
  ];
  for (const [what, statement, message] of broken) {
    it(`does not ignore ${what} that it does not understand`, () => {
      const statements = [everything, { Sid: "Odd", ...everything, ...(statement as Statement) }];

      expect(() => {
        checkPolicy(policy(...statements));
      }).to.throw(message);
      expect(() => {
        checkPolicy(policy(...statements));
      }).to.throw(/statement "Odd"/);
      expect(() => isAllowed(statements)).to.throw(message);
    });
  }

  for (const document of [null, [], "text", {}, { Version: "2012-10-17" }]) {
    it(`refuses ${JSON.stringify(document)}, which has no statements`, () => {
      expect(() => {
        checkPolicy(document);
      }).to.throw(/no object with a Statement/);
    });
  }

  it("refuses a statement that is no object, by its number", () => {
    expect(() => {
      checkPolicy({ Statement: [{ Effect: "Allow", ...everything }, null] });
    }).to.throw(/statement 2 cannot be evaluated: a statement must be an object/);
  });

  // In quadratic time, it would take longer than a test may.
  it("reads beginnings of policy variables in linear time", () => {
    checkPolicy(policy({ ...everything, Condition: { StringLike: { a: "${".repeat(200_000) } } }));
  });
});
