import { physicalName, type Provision } from "./resource";

/** An ARN for policies; the lines that functions write are the run's `log` events. */
export const logGroup: Provision<{ name?: string }> = (resource, { region, accountId }) => {
  const name = resource.inputs.name ?? physicalName(resource);
  return {
    id: name,
    state: { name, arn: `arn:aws:logs:${region}:${accountId}:log-group:${name}` },
  };
};
