import * as crypto from "node:crypto";
import { physicalName, type Provision } from "./resource";

export const randomBytes: Provision<{ length: number }> = (resource) => {
  const bytes = crypto.randomBytes(resource.inputs.length);
  return {
    id: physicalName(resource),
    state: { base64: bytes.toString("base64"), hex: bytes.toString("hex") },
  };
};
