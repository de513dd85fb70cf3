import { physicalName, type Provision } from "../resources/resource";
import type { PolicyDocument } from "./policy";

interface RoleInputs {
  name?: string;
  assumeRolePolicy: string;
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

export const role: Provision<RoleInputs> = (resource, cloud) => {
  const roleName = resource.inputs.name ?? physicalName(resource);
  const { arn } = cloud.roles.create(roleName);
  return { id: roleName, state: { name: roleName, arn } };
};

export const rolePolicy: Provision<RolePolicyInputs> = (resource, cloud) => {
  const { role: roleName, policy } = resource.inputs;
  cloud.roles.addPolicy(roleName, policyDocument(policy));
  const policyName = physicalName(resource);
  return { id: `${roleName}:${policyName}`, state: { name: policyName } };
};
