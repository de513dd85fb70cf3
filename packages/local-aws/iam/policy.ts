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
 * @throws Error naming the part that is malformed, or valid on AWS but not supported locally: policy
 *   variables, unknown condition operators, other kinds of principal
 */
export function checkPolicy(policy: PolicyDocument): void {
  compile(policy);
}

/** A compiled statement. */
interface Rule {
  effect: "Allow" | "Deny";
  /** Takes lower case. */
  action: (action: string) => boolean;
  resource: (resource: string) => boolean;
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
  context: () => Context;
}

/** Values by key, in lower case. */
type Context = Map<string, string[]>;

type Condition = (context: Context) => boolean;

/** The context, made when a condition needs it: most statements have none. */
function contextOf(given: Record<string, string | string[]>): () => Context {
  let context: Context | undefined;
  return () =>
    (context ??= new Map(
      Object.entries(given).map(([key, value]) => [key.toLowerCase(), listOf(value)]),
    ));
}

const compiled = new WeakMap<PolicyDocument, Rule[]>();

function compile(policy: PolicyDocument): Rule[] {
  const known = compiled.get(policy);
  if (known) {
    return known;
  }
  const rules = listOf(policy.Statement).map(compileStatement);
  compiled.set(policy, rules);
  return rules;
}

function compileStatement(statement: Statement, index: number): Rule {
  const where = statement.Sid ? `statement "${statement.Sid}"` : `statement ${index + 1}`;
  try {
    // The document comes from JSON: its type is unchecked.
    if (!["Allow", "Deny"].includes(statement.Effect)) {
      throw new Error(`Effect must be "Allow" or "Deny", not ${JSON.stringify(statement.Effect)}`);
    }
    return {
      effect: statement.Effect,
      action: oneOf("Action", statement.Action, statement.NotAction, actionPattern),
      resource: oneOf("Resource", statement.Resource, statement.NotResource, arnPattern),
      principal: compilePrincipal(statement),
      conditions: Object.entries(statement.Condition ?? {}).flatMap(([operator, tests]) =>
        Object.entries(tests).map(([key, values]) =>
          compileCondition(operator, key, listOf(values).map(String)),
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
    rule.action(asked.action) &&
    rule.resource(asked.resource) &&
    (rule.principal?.includes(asked.principals) ?? true) &&
    rule.conditions.every((condition) => condition(asked.context()))
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
  const { AWS = [], Service = [], ...others } = element;
  const other = Object.keys(others)[0];
  if (other) {
    throw new Error(`a principal of the kind ${other} is not supported on one machine`);
  }
  return [...listOf(AWS), ...listOf(Service)];
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

function oneOf(
  element: string,
  positive: OneOrMany<string> | undefined,
  negative: OneOrMany<string> | undefined,
  pattern: (pattern: string) => (text: string) => boolean,
): (text: string) => boolean {
  const values = positive ?? negative;
  if (values === undefined) {
    throw new Error(`it has neither ${element} nor Not${element}`);
  }
  const patterns = listOf(values).map(pattern);
  return (text) => patterns.some((matches) => matches(text)) === (positive !== undefined);
}

/** @returns tests an action in lower case */
function actionPattern(pattern: string): (action: string) => boolean {
  const expression = wildcard(pattern.toLowerCase());
  return (action) => expression.test(action);
}

/**
 * ARNs are compared by their six parts, so that a wildcard in one part does not reach into the
 * next; only a wildcard at the end of the pattern matches all that follows.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
 */
function arnPattern(pattern: string): (arn: string) => boolean {
  const expressions = arnParts(pattern).map(wildcard);
  const isOpen = pattern.endsWith("*");
  return (arn) => {
    const parts = arnParts(arn);
    if (isOpen && expressions.length < parts.length) {
      parts.length = expressions.length;
    }
    return (
      parts.length === expressions.length &&
      expressions.every((expression, index) => expression.test(parts[index] ?? ""))
    );
  };
}

function arnParts(arn: string): string[] {
  const parts = arn.split(":");
  return parts.length <= 6 ? parts : [...parts.slice(0, 5), parts.slice(5).join(":")];
}

function wildcard(pattern: string): RegExp {
  refuseVariables(pattern);
  const source = pattern
    .replaceAll(/[.+^${}()|[\]\\]/g, "\\$&")
    .replaceAll("*", ".*")
    .replaceAll("?", ".");
  return new RegExp(`^${source}$`, "s");
}

/** Whether a value of the context fits a value of the policy. */
type Comparison = (wanted: string) => (found: string) => boolean;

const equals: Comparison = (wanted) => {
  refuseVariables(wanted);
  return (found) => found === wanted;
};
const equalsIgnoreCase: Comparison = (wanted) => {
  refuseVariables(wanted);
  const lower = wanted.toLowerCase();
  return (found) => found.toLowerCase() === lower;
};
const like: Comparison = (wanted) => {
  const expression = wildcard(wanted);
  return (found) => expression.test(found);
};
const numeric =
  (holds: (found: number, wanted: number) => boolean): Comparison =>
  (wanted) => {
    const limit = Number(wanted);
    if (Number.isNaN(limit)) {
      throw new Error(`"${wanted}" is not a number`);
    }
    return (found) => holds(Number(found), limit);
  };
const equalNumbers = numeric((found, wanted) => found === wanted);

const OPERATORS: Partial<Record<string, { compare: Comparison; negated?: true }>> = {
  StringEquals: { compare: equals },
  StringNotEquals: { compare: equals, negated: true },
  StringEqualsIgnoreCase: { compare: equalsIgnoreCase },
  StringNotEqualsIgnoreCase: { compare: equalsIgnoreCase, negated: true },
  StringLike: { compare: like },
  StringNotLike: { compare: like, negated: true },
  ArnEquals: { compare: arnPattern },
  ArnLike: { compare: arnPattern },
  ArnNotEquals: { compare: arnPattern, negated: true },
  ArnNotLike: { compare: arnPattern, negated: true },
  Bool: { compare: equalsIgnoreCase },
  NumericEquals: { compare: equalNumbers },
  NumericNotEquals: { compare: equalNumbers, negated: true },
  NumericLessThan: { compare: numeric((found, wanted) => found < wanted) },
  NumericLessThanEquals: { compare: numeric((found, wanted) => found <= wanted) },
  NumericGreaterThan: { compare: numeric((found, wanted) => found > wanted) },
  NumericGreaterThanEquals: { compare: numeric((found, wanted) => found >= wanted) },
};

function compileCondition(written: string, key: string, values: string[]): Condition {
  const name = key.toLowerCase();
  if (written === "Null") {
    return (context) => values.some((value) => (value === "true") === !context.has(name));
  }

  const [, quantifier, base = "", ifExists] =
    /^(?:(ForAllValues|ForAnyValue):)?(.*?)(IfExists)?$/.exec(written) ?? [];
  const operator = OPERATORS[base];
  if (!operator) {
    throw new Error(
      `the condition operator "${written}" is not supported on one machine; there are Null, ` +
        Object.keys(OPERATORS).join(", "),
    );
  }
  const comparisons = values.map(operator.compare);
  const isNegated = operator.negated === true;
  // A negated operator needs a value that fits none of the policy's values.
  const fits = (found: string): boolean =>
    comparisons.some((matches) => matches(found)) !== isNegated;

  return (context) => {
    const found = context.get(name);
    if (found === undefined && ifExists) {
      return true;
    }
    if (quantifier === "ForAllValues") {
      return (found ?? []).every(fits);
    }
    if (quantifier === "ForAnyValue") {
      return (found ?? []).some(fits);
    }
    if (found === undefined) {
      return isNegated;
    }
    return isNegated ? found.every(fits) : found.some(fits);
  };
}

function refuseVariables(text: string): void {
  if (!text.includes("${")) {
    return;
  }
  throw new Error(`the policy variable in "${text}" is not supported on one machine`);
}

function listOf<T>(value: OneOrMany<T>): T[] {
  return Array.isArray(value) ? value : [value];
}
