import { randomBytes } from "node:crypto";
import type { RunSecret } from "../storage/secret";
import { checkPolicy, evaluate, type PolicyDocument } from "./policy";
import type { Principal } from "./principal";

/** A pair of access keys, with a session token for roles. */
export interface Credentials {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string;
}

/** The roles of the account, the keys of their sessions, and the operator's own keys. */
export interface Roles {
  /** Keys that may do all that no resource's policy denies, for the person at the machine. */
  readonly operator: Credentials;
  create(roleName: string): { arn: string };
  /** @throws Error for an unknown role, and for a policy that cannot be evaluated locally */
  addPolicy(roleName: string, policy: PolicyDocument): void;
  /**
   * Keys for a function's processes: calls signed with them are checked against the role.
   *
   * @throws Error for an unknown role
   */
  credentialsFor(roleArn: string, functionName: string): Credentials;
  find(accessKeyId: string): Principal | undefined;
  /**
   * Checks that the function's role may do this.
   *
   * @returns the reason if not
   * @throws Error for a function without a role
   */
  check(functionName: string, action: string, resource: string): string | undefined;
}

/**
 * The roles of an account that has none yet.
 *
 * @param secret of which the operator's keys are made
 */
export function createRoles(accountId: string, secret: RunSecret): Roles {
  const operator: Credentials = {
    accessKeyId: `AKIA${keyId(secret.derive("operator's access key id"))}`,
    secretAccessKey: secret.derive("operator's secret access key").toString("base64", 0, 30),
  };
  const policies = new Map<string, PolicyDocument[]>();
  const principals = new Map<string, Principal>([
    [
      operator.accessKeyId,
      { ...operator, arn: `arn:aws:iam::${accountId}:user/operator`, policies: "all" },
    ],
  ]);

  function arnOf(roleName: string): string {
    return `arn:aws:iam::${accountId}:role/${roleName}`;
  }

  function policiesOf(roleArn: string): PolicyDocument[] {
    const ofRole = policies.get(roleArn);
    if (!ofRole) {
      throw new Error(`There is no role ${roleArn}.`);
    }
    return ofRole;
  }

  return {
    operator,
    create(roleName) {
      const arn = arnOf(roleName);
      policies.set(arn, []);
      return { arn };
    },
    addPolicy(roleName, policy) {
      checkPolicy(policy);
      policiesOf(arnOf(roleName)).push(policy);
    },
    credentialsFor(roleArn, functionName) {
      const credentials = {
        accessKeyId: `ASIA${keyId(randomBytes(16))}`,
        secretAccessKey: randomBytes(30).toString("base64"),
        sessionToken: randomBytes(32).toString("base64"),
      };
      const roleName = roleArn.slice(roleArn.lastIndexOf("/") + 1);
      principals.set(credentials.accessKeyId, {
        ...credentials,
        arn: `arn:aws:sts::${accountId}:assumed-role/${roleName}/${functionName}`,
        policies: policiesOf(roleArn),
        functionName,
      });
      return credentials;
    },
    find: (accessKeyId) => principals.get(accessKeyId),
    check(functionName, action, resource) {
      const principal = [...principals.values()].find(
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
    },
  };
}

/** Sixteen characters, as AWS's access key ids have them behind their four-letter prefix. */
function keyId(bytes: Buffer): string {
  return [...bytes.subarray(0, 16)]
    .map((byte) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[byte % 32])
    .join("");
}
