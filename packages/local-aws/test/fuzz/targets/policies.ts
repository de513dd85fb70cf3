import assert from "node:assert/strict";
import {
  checkPolicy,
  evaluate,
  type PolicyDocument,
  type PolicyQuestion,
} from "../../../iam/policy";
import type { Target } from "../fuzz";
import { mutateJson, mutateText } from "../mutate";

const POLICIES: PolicyDocument[] = [
  {
    Version: "2012-10-17",
    Statement: [
      {
        Sid: "Read",
        Effect: "Allow",
        Action: ["s3:GetObject", "s3:List*"],
        Resource: "arn:aws:s3:::bucket/*",
        Condition: { StringLike: { "s3:prefix": ["a/*", "${aws:username}/?"] } },
      },
      { Effect: "Deny", NotAction: "dynamodb:*", NotResource: ["arn:aws:dynamodb:*:*:table/x"] },
    ],
  },
  {
    Version: "2012-10-17",
    Statement: {
      Effect: "Allow",
      Principal: {
        AWS: ["000000000000", "arn:aws:iam::000000000000:role/r"],
        Service: "s3.amazonaws.com",
      },
      Action: "sqs:SendMessage",
      Resource: "*",
      Condition: {
        ArnLike: { "aws:SourceArn": "arn:aws:sns:*:*:topic" },
        "ForAnyValue:StringEqualsIfExists": { "aws:TagKeys": ["a"] },
        NumericLessThan: { "s3:max-keys": "10" },
        IpAddress: { "aws:SourceIp": "10.0.0.0/8" },
        DateLessThan: { "aws:CurrentTime": "2030-01-01T00:00:00Z" },
        Null: { "s3:if-none-match": "false" },
        Bool: { "aws:SecureTransport": true },
        BinaryEquals: { k: "AAECAw==" },
      },
    },
  },
];

const QUESTION: Omit<PolicyQuestion, "identityPolicies"> = {
  principalArn: "arn:aws:sts::000000000000:assumed-role/r/session",
  action: "s3:GetObject",
  resource: "arn:aws:s3:::bucket/a/b",
  context: {
    "s3:prefix": "a/b",
    "aws:username": "u",
    "aws:SourceIp": "10.1.2.3",
    "aws:TagKeys": ["a"],
  },
};

const VOCABULARY = {
  names: [
    ...["Version", "Statement", "Effect", "Action", "NotAction", "Resource", "NotResource", "Sid"],
    ...["Principal", "NotPrincipal", "Condition", "AWS", "Service", "StringLike", "ArnEquals"],
    ...[
      "ForAllValues:StringNotLike",
      "NumericEqualsIfExists",
      "s3:prefix",
      "__proto__",
      "toString",
    ],
  ],
  texts: [
    ...[
      "Allow",
      "Deny",
      "*",
      "s3:*",
      "a*b*c*d*e*f",
      "arn:aws:s3:::bucket/*",
      "arn:*:*:*:*:*",
      "${",
    ],
    ...[
      "${aws:username}",
      "${aws:username, 'x'}",
      "${*}",
      "2012-10-17",
      "2008-10-17",
      "1e3",
      "::1/0",
    ],
  ],
};

const DENY: PolicyDocument = {
  Version: "2012-10-17",
  Statement: { Effect: "Deny", Action: "*", Resource: "*" },
};

/** Policies and requests: a policy is refused or decides, and a deny of everything decides always. */
export const policies: Target = {
  name: "policies",
  make(random) {
    const policy = mutateJson(random, random.pick(POLICIES), VOCABULARY) as PolicyDocument;
    const asksChanged = random.chance(0.3);
    const question = Object.fromEntries(
      Object.entries(QUESTION).map(([name, value]) => [
        name,
        asksChanged && typeof value === "string"
          ? mutateText(random, value, VOCABULARY.texts)
          : value,
      ]),
    ) as unknown as typeof QUESTION;
    return {
      input: { policy, question },
      run() {
        checkPolicy(policy);
        evaluate({ ...question, identityPolicies: [], resourcePolicy: policy });
        const denied = evaluate({ ...question, identityPolicies: [policy, DENY] });
        assert.equal(denied.allowed, false, "A deny of everything did not win.");
        evaluate({ ...question, identityPolicies: [policy] });
      },
    };
  },
  isRefusal: (error) => error instanceof Error && isClear(error),
};

/** Not an accident, such as reading a property of undefined. */
function isClear({ constructor, cause }: Error): boolean {
  return (
    constructor === Error && (cause === undefined || (cause instanceof Error && isClear(cause)))
  );
}
