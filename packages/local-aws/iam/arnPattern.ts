import { compilePattern, type Reading, type Test } from "./pattern";

const PARTS = 6;

/**
 * Compiles the ARN of a statement's Resource. ARNs are compared by their six parts, so that a
 * wildcard in one part does not reach into the next; only a wildcard at the end of the pattern
 * matches all that follows.
 *
 * @throws Error for a variable before the resource's part
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
 */
export function resourcePattern(pattern: string, reading: Reading): Test {
  const tests = compileParts(pattern, reading);
  const isOpen = pattern.endsWith("*");
  return (arn, context) => {
    const parts = arnParts(arn);
    if (isOpen && tests.length < parts.length) {
      parts.length = tests.length;
    }
    return parts.length === tests.length && allMatch(tests, parts, context);
  };
}

/**
 * Compiles the ARN of a condition, which always has all six parts: `*` alone is no ARN, and neither
 * `ArnLike` nor `ArnNotLike` holds for it, just as for a value of the request that is no ARN.
 *
 * @throws Error for a variable before the resource's part
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html#Conditions_ARN
 */
export function conditionArn(pattern: string, reading: Reading): Test {
  const tests = compileParts(pattern, reading);
  return (arn, context) => {
    const parts = arnParts(arn);
    return tests.length === PARTS && parts.length === PARTS
      ? allMatch(tests, parts, context)
      : undefined;
  };
}

function compileParts(pattern: string, reading: Reading): Test[] {
  const parts = arnParts(pattern);
  if (reading.variables && parts.slice(0, PARTS - 1).some((part) => part.includes("${"))) {
    throw new Error(
      `the policy variable in "${pattern}" is before the resource's part of the ARN, which is the sixth`,
    );
  }
  return parts.map((part) => compilePattern(part, { ...reading, wildcards: true }));
}

function allMatch(
  tests: readonly Test[],
  parts: readonly string[],
  context: Parameters<Test>[1],
): boolean | undefined {
  let result: boolean | undefined = true;
  for (const [index, test] of tests.entries()) {
    const matches = test(parts[index] ?? "", context);
    if (matches === undefined) {
      return undefined;
    }
    result &&= matches;
  }
  return result;
}

function arnParts(arn: string): string[] {
  const parts = arn.split(":");
  return parts.length <= PARTS
    ? parts
    : [...parts.slice(0, PARTS - 1), parts.slice(PARTS - 1).join(":")];
}
