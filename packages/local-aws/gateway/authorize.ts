import { evaluate, type PolicyDocument } from "../iam/policy";
import type { Principal } from "../iam/principal";
import type { Grant, Place, ServiceErrors } from "./service";

/** The parts of a decision besides the caller's policies. */
export interface Authorization extends Place {
  /** The policy of a resource itself, by its ARN. @default there are none */
  resourcePolicyOf?: (resourceArn: string) => PolicyDocument | undefined;
}

/** The operator's policy: everything, unless a resource's own policy denies it to everybody. */
const ALL: PolicyDocument[] = [
  { Version: "2012-10-17", Statement: { Effect: "Allow", Action: "*", Resource: "*" } },
];

/**
 * Checks that a caller has every one of the grants.
 *
 * @throws AwsError the service's own denial of the first that is missing
 */
export function authorize(
  { region, accountId, resourcePolicyOf }: Authorization,
  errors: ServiceErrors,
  { arn: principalArn, policies }: Principal,
  grants: readonly Grant[],
): void {
  const now = new Date();
  for (const { action, resource, context } of grants) {
    const verdict = evaluate({
      identityPolicies: policies === "all" ? ALL : policies,
      resourcePolicy: resourcePolicyOf?.(resource),
      principalArn,
      action,
      resource,
      context: {
        // This endpoint stands for the services' HTTPS endpoints: a policy that demands TLS, as the
        // deployed clients use it, holds for it too.
        "aws:SecureTransport": "true",
        "aws:PrincipalArn": principalArn,
        "aws:PrincipalAccount": accountId,
        "aws:PrincipalType": "AssumedRole",
        "aws:RequestedRegion": region,
        "aws:CurrentTime": now.toISOString(),
        "aws:EpochTime": String(Math.floor(now.getTime() / 1000)),
        "aws:SourceIp": "127.0.0.1",
        ...context,
      },
    });
    if (!verdict.allowed) {
      throw errors.deny({ principalArn, action, resource, reason: verdict.reason });
    }
  }
}
