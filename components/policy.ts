import * as pulumi from "@pulumi/pulumi";

/** A permission of a Lambda's role: named actions on exact resources. */
export interface Grant {
  /** Action names, such as `s3:GetObject`; no wildcards. */
  actions: string[];
  /** ARNs. A wildcard stands only for what lies inside one resource: objects, log streams. */
  resources: pulumi.Input<string>[];
}

/** One statement of a policy document. */
export interface Statement {
  Sid?: string;
  Effect: "Allow" | "Deny";
  Principal?: "*" | Record<string, pulumi.Input<string>>;
  Action: string | string[];
  Resource?: pulumi.Input<string> | pulumi.Input<string>[];
  Condition?: Record<string, Record<string, pulumi.Input<string>>>;
}

/** Statements as the JSON text of a policy document. */
export function policyDocument(statements: pulumi.Input<Statement[]>): pulumi.Output<string> {
  return pulumi.jsonStringify({ Version: "2012-10-17", Statement: statements });
}

/** Grants as the policy of a role; without those that another grant covers. */
export function grantsDocument(grants: Grant[]): pulumi.Output<string> {
  const statements = pulumi.output(grants).apply((resolved) =>
    resolved.filter(isNeeded).map(({ actions, resources }): Statement => ({
      Effect: "Allow",
      Action: actions,
      Resource: resources,
    })),
  );
  return policyDocument(statements);
}

type ResolvedGrant = pulumi.Unwrap<Grant>;

function covers(grant: ResolvedGrant, other: ResolvedGrant): boolean {
  return (
    other.actions.every((action) => grant.actions.includes(action)) &&
    other.resources.every((resource) => grant.resources.includes(resource))
  );
}

/** Whether no other grant covers it; of equal ones, the first is needed. */
function isNeeded(grant: ResolvedGrant, index: number, grants: ResolvedGrant[]): boolean {
  return !grants.some(
    (other, otherIndex) =>
      otherIndex !== index && covers(other, grant) && (otherIndex < index || !covers(grant, other)),
  );
}

/** The statement that refuses every request without TLS. */
export function tlsOnly(actions: string | string[], resources: pulumi.Input<string>[]): Statement {
  return {
    Sid: "TlsOnly",
    Effect: "Deny",
    Principal: "*",
    Action: actions,
    Resource: resources,
    Condition: { Bool: { "aws:SecureTransport": "false" } },
  };
}
