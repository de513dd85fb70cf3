import { AwsError } from "../../awsError";
import { bytesOf } from "../body/digests";
import type { PostForm } from "./postForm";

/** A condition of a policy; `field` as it is written there, with its `$`. */
type Condition =
  | { operator: "eq" | "starts-with"; field: string; value: string }
  | { operator: "content-length-range"; min: number; max: number };

interface PostPolicy {
  expiration: Date;
  conditions: Condition[];
}

// The signature and the signed policy itself cannot be among the conditions.
const FREE_FIELDS = new Set(["x-amz-signature", "awsaccesskeyid", "policy"]);

/**
 * Checks a form against its policy, whose signature is verified already.
 *
 * @param bucket the one the form was sent to; a field of this name does not count
 * @throws AwsError InvalidPolicyDocument, EntityTooLarge or EntityTooSmall 400, AccessDenied 403
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-HTTPPOSTConstructPolicy.html
 */
export function checkPostPolicy(form: PostForm, bucket: string, now: Date): void {
  const { expiration, conditions } = parsePolicy(form.fields.get("policy") ?? "");
  if (now.getTime() >= expiration.getTime()) {
    throw violation("Policy expired.");
  }

  const fields = new Map([...form.fields, ["bucket", bucket]]);
  const named = new Set<string>();
  for (const condition of conditions) {
    if (condition.operator === "content-length-range") {
      continue;
    }
    const { operator, field, value } = condition;
    const name = field.replace(/^\$/, "").toLowerCase();
    named.add(name);
    if (!field.startsWith("$") || !holds(operator, name, fields.get(name), value)) {
      const written = [operator, field, value].map((part) => JSON.stringify(part)).join(", ");
      throw violation(`Policy Condition failed: [${written}]`);
    }
  }
  const extra = [...fields.keys()].filter((name) => !named.has(name) && !isFree(name));
  if (extra.length > 0) {
    throw violation(`Extra input fields: ${extra.join(", ")}`);
  }
  for (const condition of conditions) {
    checkSize(condition, bytesOf(form.file));
  }
}

function isFree(name: string): boolean {
  return FREE_FIELDS.has(name) || name.startsWith("x-ignore-");
}

/** A missing field fits no condition, not even an empty prefix. */
function holds(
  operator: "eq" | "starts-with",
  name: string,
  found: string | undefined,
  wanted: string,
): boolean {
  if (found === undefined || operator === "eq") {
    return found === wanted;
  }
  // Of a list of types, each must fit.
  const values = name === "content-type" ? found.split(/\s*,\s*/) : [found];
  return values.every((value) => value.startsWith(wanted));
}

function checkSize(condition: Condition, size: number): void {
  if (condition.operator !== "content-length-range") {
    return;
  }
  const { min, max } = condition;
  if (size > max) {
    throw new AwsError(
      "EntityTooLarge",
      400,
      "Your proposed upload exceeds the maximum allowed size",
      { ProposedSize: `${size}`, MaxSizeAllowed: `${max}` },
    );
  }
  if (size < min) {
    throw new AwsError(
      "EntityTooSmall",
      400,
      "Your proposed upload is smaller than the minimum allowed size",
      { ProposedSize: `${size}`, MinSizeAllowed: `${min}` },
    );
  }
}

function violation(what: string): AwsError {
  return new AwsError("AccessDenied", 403, `Invalid according to Policy: ${what}`);
}

function parsePolicy(encoded: string): PostPolicy {
  const document = jsonOf(encoded);
  if (!isRecord(document)) {
    throw invalid("Invalid JSON.");
  }
  const { expiration, conditions } = document;
  if (typeof expiration !== "string") {
    throw invalid("Policy missing expiration.");
  }
  if (!Array.isArray(conditions)) {
    throw invalid("Policy missing conditions.");
  }
  return {
    expiration: expirationOf(expiration),
    conditions: (conditions as unknown[]).map(parseCondition),
  };
}

function jsonOf(encoded: string): unknown {
  try {
    return JSON.parse(Buffer.from(encoded, "base64").toString("utf8"));
  } catch {
    // S3 does not name the place either.
    throw invalid("Invalid JSON.");
  }
}

function expirationOf(text: string): Date {
  const date = new Date(text);
  if (/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/.test(text) && !Number.isNaN(date.getTime())) {
    return date;
  }
  throw invalid(`Invalid 'expiration' value: '${text}'`);
}

function parseCondition(condition: unknown): Condition {
  if (Array.isArray(condition)) {
    return parseListCondition(condition as unknown[]);
  }
  if (!isRecord(condition)) {
    throw invalid("Invalid condition: it must be a list or an object.");
  }
  const [[name, value] = [], ...others] = Object.entries(condition);
  if (name === undefined || others.length > 0) {
    throw invalid(
      "Invalid Simple-Condition: Simple-Conditions must have exactly one property specified.",
    );
  }
  if (typeof value !== "string") {
    throw invalid("Invalid Simple-Condition: value must be a string.");
  }
  return { operator: "eq", field: `$${name}`, value };
}

function parseListCondition([operation, first, second, ...others]: unknown[]): Condition {
  const operator = typeof operation === "string" ? operation.toLowerCase() : "";
  if (others.length > 0) {
    throw invalid(`Invalid ${operator} condition: it has too many parts.`);
  }
  if (operator === "content-length-range") {
    const [min, max] = [sizeOf(first), sizeOf(second)];
    if (min === undefined || max === undefined) {
      throw invalid("Invalid content-length-range: it takes two sizes in bytes.");
    }
    return { operator, min, max };
  }
  if (operator !== "eq" && operator !== "starts-with") {
    throw invalid(`Invalid condition: there is no operator ${JSON.stringify(operation)}.`);
  }
  if (typeof first !== "string" || typeof second !== "string") {
    throw invalid(`Invalid ${operator} condition: it takes a field's name and a text.`);
  }
  return { operator, field: first, value: second };
}

/** Sizes may be numbers or their digits. */
function sizeOf(value: unknown): number | undefined {
  if (typeof value !== "number" && typeof value !== "string") {
    return undefined;
  }
  return /^\d+$/.test(String(value)) ? Number(value) : undefined;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function invalid(why: string): AwsError {
  return new AwsError("InvalidPolicyDocument", 400, `Invalid Policy: ${why}`);
}
