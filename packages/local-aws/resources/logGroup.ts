import { each, NO_EFFECT, served } from "./inputs";
import { physicalName } from "./resource";
import { servedType } from "./servedType";

/** An ARN for policies; the lines that functions write are the run's `log` events. */
export const logGroup = servedType<{ name?: string; namePrefix?: string }>(
  {
    name: served,
    namePrefix: served,
    ...each(["deletionProtectionEnabled", "skipDestroy"], NO_EFFECT.deletion),
    kmsKeyId: NO_EFFECT.encryption,
    logGroupClass: NO_EFFECT.billing,
    retentionInDays: NO_EFFECT.expiry,
  },
  (resource, { region, accountId }) => {
    const { namePrefix } = resource.inputs;
    const generated = physicalName(resource);
    const name =
      resource.inputs.name ?? (namePrefix === undefined ? generated : namePrefix + generated);
    return {
      id: name,
      state: { name, arn: `arn:aws:logs:${region}:${accountId}:log-group:${name}` },
    };
  },
);
