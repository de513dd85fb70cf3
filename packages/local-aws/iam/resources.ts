import { NO_EFFECT, only, refused, served, withoutEffect } from "../resources/inputs";
import { notServed, physicalName, type Registration } from "../resources/resource";
import { servedType } from "../resources/servedType";
import type { PolicyDocument } from "./policy";

interface RoleInputs {
  name?: string;
}

interface RolePolicyAttachmentInputs {
  role: string;
  policyArn: string;
}

interface RolePolicyInputs {
  name?: string;
  /** The role's name. */
  role: string;
  policy: string | PolicyDocument;
}

/** @param policy JSON text, or the document itself, as Pulumi takes both */
export function policyDocument(policy: string | PolicyDocument): PolicyDocument {
  return typeof policy === "string" ? (JSON.parse(policy) as PolicyDocument) : policy;
}

const USE_ROLE_POLICY = "Give the role its statements in an aws.iam.RolePolicy.";

export const role = servedType<RoleInputs>(
  {
    name: served,
    assumeRolePolicy: withoutEffect("Trust policies are not checked."),
    forceDetachPolicies: NO_EFFECT.deletion,
    inlinePolicies: refused(USE_ROLE_POLICY),
    managedPolicyArns: only([], USE_ROLE_POLICY),
    maxSessionDuration: NO_EFFECT.expiry,
    path: only(["/"]),
    permissionsBoundary: refused("Leave the boundary to the account, or out of the program."),
  },
  (resource, cloud) => {
    const roleName = resource.inputs.name ?? physicalName(resource);
    const { arn } = cloud.roles.create(roleName);
    return { id: roleName, state: { name: roleName, arn } };
  },
);

export const rolePolicy = servedType<RolePolicyInputs>(
  {
    name: served,
    role: served,
    policy: served,
  },
  (resource, cloud) => {
    const { role: roleName, policy, name: policyName = physicalName(resource) } = resource.inputs;
    cloud.roles.addPolicy(roleName, policyDocument(policy));
    return { id: `${roleName}:${policyName}`, state: { name: policyName } };
  },
);

/** Refused: the statements of AWS's managed policies are not available locally. */
export function rolePolicyAttachment(resource: Registration<RolePolicyAttachmentInputs>): never {
  throw notServed(
    resource,
    `attaches the managed policy ${resource.inputs.policyArn}`,
    "Give the function a role of its own (an aws.lambda.CallbackFunction without the argument role " +
      "attaches nine managed policies), and the role its statements in an aws.iam.RolePolicy.",
  );
}
