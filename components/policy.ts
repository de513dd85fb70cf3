import * as pulumi from "@pulumi/pulumi";

/** Permission for a Lambda's role: named actions on exact resources. */
export interface Grant {
  /** Action names, such as `s3:GetObject`; no wildcards. */
  actions: string[];
  /** ARNs. A wildcard stands only for what lies inside one resource: objects, log streams. */
  resources: pulumi.Input<string>[];
}

/** One statement of a policy document, in the policy language's own words. */
export interface Statement {
  Sid?: string;
  Effect: "Allow" | "Deny";
  Principal?: "*" | Record<string, pulumi.Input<string>>;
  Action: string | string[];
  Resource?: pulumi.Input<string> | pulumi.Input<string>[];
  Condition?: Record<string, Record<string, pulumi.Input<string>>>;
}

/** Statements as the JSON text of a policy document. */
export function policyDocument(statements: Statement[]): pulumi.Output<string> {
  return pulumi.jsonStringify({ Version: "2012-10-17", Statement: statements });
}

/** Grants as the policy of a role. */
export function grantsDocument(grants: Grant[]): pulumi.Output<string> {
  return policyDocument(
    grants.map(({ actions, resources }) => ({
      Effect: "Allow",
      Action: actions,
      Resource: resources,
    })),
  );
}

/** The statement that refuses every request which does not come over TLS. */
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
