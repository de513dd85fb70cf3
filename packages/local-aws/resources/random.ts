import { createHash } from "node:crypto";
import { served } from "./inputs";
import { physicalName } from "./resource";
import { servedType } from "./servedType";

interface RandomBytesInputs {
  length: number;
  /** Other values mean other bytes. */
  keepers?: Record<string, string>;
}

/** The same bytes in every run with one data folder, as a stack keeps them. */
export const randomBytes = servedType<RandomBytesInputs>(
  { length: served, keepers: served },
  (resource, cloud) => {
    const { length, keepers } = resource.inputs;
    const purpose = `random bytes ${resource.name} ${JSON.stringify(keepers ?? {})}`;
    const bytes = createHash("shake256", { outputLength: length })
      .update(cloud.secret.derive(purpose))
      .digest();
    return {
      id: physicalName(resource),
      state: { base64: bytes.toString("base64"), hex: bytes.toString("hex") },
    };
  },
);
