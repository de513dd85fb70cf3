import { randomBytes } from "node:crypto";
import { checkPolicy, evaluate, type PolicyDocument } from "./policy";
import type { Principal } from "./principal";

/** A pair of access keys, with a session token for roles. */
export interface Credentials {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string;
}

/** The roles of the account, the keys of those who act in them, and the operator's own keys. */
export class Roles {
  /** Keys that may do everything, for the person at the machine. */
  readonly operator: Credentials = {
    accessKeyId: `AKIA${randomKeyId()}`,
    secretAccessKey: randomBytes(30).toString("base64"),
  };
  private readonly policies = new Map<string, PolicyDocument[]>();
  private readonly principals = new Map<string, Principal>();

  constructor(private readonly accountId: string) {
    this.principals.set(this.operator.accessKeyId, {
      ...this.operator,
      arn: `arn:aws:iam::${accountId}:user/operator`,
      policies: "all",
    });
  }

  create(roleName: string): { arn: string } {
    this.policies.set(this.arnOf(roleName), []);
    return { arn: this.arnOf(roleName) };
  }

  /** @throws Error for a role that does not exist, and for a policy that cannot be evaluated here */
  addPolicy(roleName: string, policy: PolicyDocument): void {
    checkPolicy(policy);
    this.policiesOf(this.arnOf(roleName)).push(policy);
  }

  /** Keys for a function's processes: what they sign with them is checked against the role. */
  credentialsFor(roleArn: string, functionName: string): Credentials {
    const credentials = {
      accessKeyId: `ASIA${randomKeyId()}`,
      secretAccessKey: randomBytes(30).toString("base64"),
      sessionToken: randomBytes(32).toString("base64"),
    };
    const roleName = roleArn.slice(roleArn.lastIndexOf("/") + 1);
    this.principals.set(credentials.accessKeyId, {
      ...credentials,
      arn: `arn:aws:sts::${this.accountId}:assumed-role/${roleName}/${functionName}`,
      policies: this.policiesOf(roleArn),
      functionName,
    });
    return credentials;
  }

  find(accessKeyId: string): Principal | undefined {
    return this.principals.get(accessKeyId);
  }

  /** Whether the function's role may do this; the reason if not. */
  check(functionName: string, action: string, resource: string): string | undefined {
    const principal = [...this.principals.values()].find(
      (candidate) => candidate.functionName === functionName,
    );
    if (!principal || principal.policies === "all") {
      throw new Error(`There is no role for the function ${functionName}.`);
    }
    const verdict = evaluate({
      identityPolicies: principal.policies,
      principalArn: principal.arn,
      action,
      resource,
    });
    return verdict.allowed
      ? undefined
      : `${principal.arn} is not authorized to perform: ${action} on resource: ${resource} ` +
          verdict.reason;
  }

  private arnOf(roleName: string): string {
    return `arn:aws:iam::${this.accountId}:role/${roleName}`;
  }

  private policiesOf(roleArn: string): PolicyDocument[] {
    const policies = this.policies.get(roleArn);
    if (!policies) {
      throw new Error(`There is no role ${roleArn}.`);
    }
    return policies;
  }
}

/** Sixteen characters, as AWS's access key ids have them behind their four-letter prefix. */
function randomKeyId(): string {
  return [...randomBytes(16)].map((byte) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[byte % 32]).join("");
}
