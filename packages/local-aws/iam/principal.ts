import type { PolicyDocument } from "./policy";

/** A caller, found by the access key that a call is signed with. */
export interface Principal {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string;
  /** The ARN of a user, a role or a role's session. */
  arn: string;
  /** `"all"` may do all that no resource's policy denies: the operator's own keys. */
  policies: PolicyDocument[] | "all";
  /** The function whose role these keys belong to, for observers of the calls. */
  functionName?: string;
}
