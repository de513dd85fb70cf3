import { notServed, physicalName, type Provision } from "../resources/resource";
import type { PolicyDocument } from "./policy";

interface RoleInputs {
  name?: string;
  managedPolicyArns?: string[];
  inlinePolicies?: unknown[];
  permissionsBoundary?: string;
}

interface RolePolicyAttachmentInputs {
  role: string;
  policyArn: string;
}

interface RolePolicyInputs {
  /** The role's name. */
  role: string;
  policy: string | PolicyDocument;
}

/** @param policy JSON text, or the document itself, as Pulumi takes both */
export function policyDocument(policy: string | PolicyDocument): PolicyDocument {
  return typeof policy === "string" ? (JSON.parse(policy) as PolicyDocument) : policy;
}

const USE_ROLE_POLICY = "Give the role its statements in an aws.iam.RolePolicy.";

export const role: Provision<RoleInputs> = (resource, cloud) => {
  const {
    name,
    managedPolicyArns = [],
    inlinePolicies = [],
    permissionsBoundary,
  } = resource.inputs;
  const [managed] = managedPolicyArns;
  if (managed !== undefined) {
    throw notServed(resource, `has the managed policy ${managed}`, USE_ROLE_POLICY);
  }
  if (inlinePolicies.length > 0) {
    throw notServed(resource, "has the input inlinePolicies", USE_ROLE_POLICY);
  }
  if (permissionsBoundary !== undefined) {
    const remedy = "Leave the boundary to the account, or out of the program.";
    throw notServed(resource, "has a permissions boundary", remedy);
  }
  const roleName = name ?? physicalName(resource);
  const { arn } = cloud.roles.create(roleName);
  return { id: roleName, state: { name: roleName, arn } };
};

export const rolePolicy: Provision<RolePolicyInputs> = (resource, cloud) => {
  const { role: roleName, policy } = resource.inputs;
  cloud.roles.addPolicy(roleName, policyDocument(policy));
  const policyName = physicalName(resource);
  return { id: `${roleName}:${policyName}`, state: { name: policyName } };
};

/** Refused: the statements of AWS's managed policies are not available locally. */
export const rolePolicyAttachment: Provision<RolePolicyAttachmentInputs> = (resource) => {
  throw notServed(
    resource,
    `attaches the managed policy ${resource.inputs.policyArn}`,
    "Give the function a role of its own (an aws.lambda.CallbackFunction without the argument role " +
      "attaches nine managed policies), and the role its statements in an aws.iam.RolePolicy.",
  );
};
