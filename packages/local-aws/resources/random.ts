import * as crypto from "node:crypto";
import { served, withoutEffect } from "./inputs";
import { physicalName } from "./resource";
import { servedType } from "./servedType";

export const randomBytes = servedType<{ length: number }>(
  { length: served, keepers: withoutEffect("Each run has new random bytes.") },
  (resource) => {
    const bytes = crypto.randomBytes(resource.inputs.length);
    return {
      id: physicalName(resource),
      state: { base64: bytes.toString("base64"), hex: bytes.toString("hex") },
    };
  },
);
