import { resourcePattern } from "./arnPattern";
import { compileCondition, type Condition } from "./condition";
import { compilePattern, type Context, type Reading, type Test } from "./pattern";

/** An IAM policy, as `JSON.parse` gives it. */
export interface PolicyDocument {
  Version?: string;
  Statement: Statement | Statement[];
}

/** One statement of an IAM policy. */
export interface Statement {
  Sid?: string;
  Effect: "Allow" | "Deny";
  Action?: OneOrMany<string>;
  NotAction?: OneOrMany<string>;
  Resource?: OneOrMany<string>;
  NotResource?: OneOrMany<string>;
  /** Only in resource policies. */
  Principal?: PrincipalElement;
  NotPrincipal?: PrincipalElement;
  /** Operator → context key → the values, of which one must fit. */
  Condition?: Record<string, Record<string, OneOrMany<string | number | boolean>>>;
}

/** Everyone, or the named principals. */
export type PrincipalElement = "*" | { AWS?: OneOrMany<string>; Service?: OneOrMany<string> };

type OneOrMany<T> = T | T[];

/** A question to the policies: may this principal do this? */
export interface PolicyQuestion {
  /** The principal's own policies; a service (`s3.amazonaws.com`) has none. */
  identityPolicies: PolicyDocument[];
  /** The policy of the resource itself, such as a function's permissions. */
  resourcePolicy?: PolicyDocument;
  /** The ARN of a user, a role or a role's session, or a service's principal name. */
  principalArn: string;
  /** `service:Operation` */
  action: string;
  resource: string;
  /** The condition context: key names in any case. */
  context?: Record<string, string | string[]>;
}

/** `reason` completes IAM's sentence "… is not authorized to perform: … on resource: …". */
export type Verdict = { allowed: true } | { allowed: false; reason: string };

/**
 * Decides as IAM does for a principal and a resource of one account: an explicit deny wins, then an
 * allow in the identity's policies or in the resource's policy is enough; without one the answer is
 * no. A resource policy that names the account (its id or root) leaves the decision to the
 * identity's policies, and so allows nothing by itself.
 *
 * @throws Error for a policy with parts that are not supported: see {@link checkPolicy}
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
 */
export function evaluate(question: PolicyQuestion): Verdict {
  const { identityPolicies, resourcePolicy, action } = question;
  const identity = identityPolicies.flatMap(compile);
  const resource = resourcePolicy ? compile(resourcePolicy) : [];
  const asked: Asked = {
    principals: [question.principalArn, ...roleOfSession(question.principalArn)],
    action: action.toLowerCase(),
    resource: question.resource,
    context: contextOf(question.context ?? {}),
  };

  const applies = (rule: Rule): boolean => ruleApplies(rule, asked);
  if (identity.some((rule) => rule.effect === "Deny" && applies(rule))) {
    return { allowed: false, reason: "with an explicit deny in an identity-based policy" };
  }
  if (resource.some((rule) => rule.effect === "Deny" && applies(rule))) {
    return { allowed: false, reason: "with an explicit deny in a resource-based policy" };
  }
  const isAllowed =
    identity.some((rule) => rule.effect === "Allow" && applies(rule)) ||
    resource.some(
      (rule) =>
        rule.effect === "Allow" && applies(rule) && rule.principal?.grants(asked.principals),
    );
  if (isAllowed) {
    return { allowed: true };
  }
  const kind = question.principalArn.startsWith("arn:") ? "identity-based" : "resource-based";
  return { allowed: false, reason: `because no ${kind} policy allows the ${action} action` };
}

/**
 * Reads a whole policy, so that all of it is known to be supported before it is relied on.
 *
 * @param policy any value: a document comes from JSON, and its type is unchecked
 * @throws Error naming the part that is malformed, or valid on AWS but not supported locally: kinds
 *   of principal other than AWS and Service
 */
export function checkPolicy(policy: unknown): void {
  compile(policy as PolicyDocument);
}

/** A compiled statement. */
interface Rule {
  effect: "Allow" | "Deny";
  /** Takes lower case. */
  action: (action: string, context: Context) => boolean;
  resource: (resource: string, context: Context) => boolean;
  /** Undefined in an identity's policy, which has an implicit principal. */
  principal: PrincipalTest | undefined;
  conditions: Condition[];
}

/** Both take all names of one caller. */
interface PrincipalTest {
  includes: (names: string[]) => boolean;
  /** False where the caller is included only with its whole account. */
  grants: (names: string[]) => boolean;
}

interface Asked {
  principals: string[];
  /** In lower case. */
  action: string;
  resource: string;
  context: Context;
}

/** The context, made when a condition needs it: most statements have none. */
function contextOf(given: Record<string, string | string[]>): Context {
  let values: Map<string, string[]> | undefined;
  return (key) => {
    values ??= new Map(
      Object.entries(given).map(([name, value]) => [name.toLowerCase(), listOf(value)]),
    );
    return values.get(key);
  };
}

const compiled = new WeakMap<PolicyDocument, Rule[]>();

function compile(policy: PolicyDocument): Rule[] {
  const known = compiled.get(policy);
  if (known) {
    return known;
  }
  if (!isObject(policy) || !("Statement" in policy)) {
    throw new Error(`The policy cannot be evaluated: it is no object with a Statement`);
  }
  const reading = { variables: policy.Version === "2012-10-17" };
  const rules = listOf(policy.Statement).map((statement: unknown, index) =>
    compileStatement(statement, index, reading),
  );
  compiled.set(policy, rules);
  return rules;
}

function compileStatement(given: unknown, index: number, reading: Reading): Rule {
  const sid = isObject(given) && typeof given.Sid === "string" ? given.Sid : "";
  const where = sid === "" ? `statement ${index + 1}` : `statement "${sid}"`;
  try {
    const statement = objectIn("a statement", given) as unknown as Statement;
    if (!["Allow", "Deny"].includes(statement.Effect)) {
      throw new Error(`Effect must be "Allow" or "Deny", not ${JSON.stringify(statement.Effect)}`);
    }
    return {
      effect: statement.Effect,
      action: oneOf("Action", statement.Action, statement.NotAction, (pattern) =>
        compilePattern(pattern.toLowerCase(), { variables: false, wildcards: true }),
      ),
      resource: oneOf("Resource", statement.Resource, statement.NotResource, (pattern) =>
        resourcePattern(pattern, reading),
      ),
      principal: compilePrincipal(statement),
      conditions: Object.entries(objectIn("Condition", statement.Condition ?? {})).flatMap(
        ([operator, tests]) =>
          Object.entries(objectIn(operator, tests)).map(([key, values]) =>
            compileCondition(operator, key, valuesIn(key, values), reading),
          ),
      ),
    };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new Error(`The policy's ${where} cannot be evaluated: ${message}`, { cause: error });
  }
}

function ruleApplies(rule: Rule, asked: Asked): boolean {
  return (
    rule.action(asked.action, asked.context) &&
    rule.resource(asked.resource, asked.context) &&
    (rule.principal?.includes(asked.principals) ?? true) &&
    rule.conditions.every((condition) => condition(asked.context))
  );
}

function compilePrincipal({ Principal, NotPrincipal }: Statement): PrincipalTest | undefined {
  if (NotPrincipal !== undefined) {
    const excluded = principalNames(NotPrincipal);
    const includes = (asked: string[]): boolean =>
      !asked.some((name) => matchesPrincipal(excluded, name));
    return { includes, grants: includes };
  }
  if (Principal === undefined) {
    return undefined;
  }
  const named = principalNames(Principal);
  return {
    includes: (asked) => asked.some((name) => matchesPrincipal(named, name)),
    grants: (asked) => named.includes("*") || asked.some((name) => named.includes(name)),
  };
}

function principalNames(element: PrincipalElement): string[] {
  if (element === "*") {
    return ["*"];
  }
  const { AWS = [], Service = [], ...others } = objectIn("a principal", element);
  const other = Object.keys(others)[0];
  if (other) {
    throw new Error(`a principal of the kind ${other} is not supported on one machine`);
  }
  return [...textsIn("AWS", AWS), ...textsIn("Service", Service)];
}

function matchesPrincipal(names: string[], name: string): boolean {
  const account = /^arn:[^:]*:(?:iam|sts)::(\d+):/.exec(name)?.[1];
  return names.some(
    (named) =>
      named === "*" ||
      named === name ||
      (account !== undefined &&
        (named === account || /^arn:[^:]*:iam::(\d+):root$/.exec(named)?.[1] === account)),
  );
}

/** Policies name the role; its callers are the role's sessions. */
function roleOfSession(arn: string): string[] {
  const session = /^arn:([^:]*):sts::(\d+):assumed-role\/([^/]+)\//.exec(arn);
  if (!session) {
    return [];
  }
  const [, partition = "", account = "", role = ""] = session;
  return [`arn:${partition}:iam::${account}:role/${role}`];
}

/** Undefined for a pattern with a variable that has no value: the statement does not apply then. */
function oneOf(
  element: string,
  positive: OneOrMany<string> | undefined,
  negative: OneOrMany<string> | undefined,
  pattern: (pattern: string) => Test,
): (text: string, context: Context) => boolean {
  const values = positive ?? negative;
  if (values === undefined) {
    throw new Error(`it has neither ${element} nor Not${element}`);
  }
  const tests = textsIn(element, values).map(pattern);
  return positive === undefined
    ? (text, context) => tests.every((test) => test(text, context) === false)
    : (text, context) => tests.some((test) => test(text, context));
}

function listOf<T>(value: OneOrMany<T>): T[] {
  return Array.isArray(value) ? value : [value];
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** @throws Error for another value */
function objectIn(what: string, value: unknown): Record<string, unknown> {
  if (!isObject(value)) {
    throw new Error(`${what} must be an object`);
  }
  return value;
}

/** A text, or each of a list. @throws Error for another value */
function textsIn(what: string, value: unknown): string[] {
  const isText = (each: unknown): each is string => typeof each === "string";
  const values: unknown[] = listOf(value);
  if (!values.every(isText)) {
    throw new Error(`${what} must be a text or a list of texts`);
  }
  return values;
}

/** The values of a condition, which may also be numbers and booleans. @throws Error for another value */
function valuesIn(key: string, value: unknown): string[] {
  const values: unknown[] = listOf(value);
  if (values.some((each) => !["string", "number", "boolean"].includes(typeof each))) {
    throw new Error(
      `the condition key ${key} must have a text, a number, a boolean or a list of them`,
    );
  }
  return values.map(String);
}
