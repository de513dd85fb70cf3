import { AwsError } from "../awsError";
import type { Denial, Refusal, ServiceErrors } from "../gateway/service";

/** A code and a status, and the message where it is not the general one. */
export type ErrorForm = [code: string, status: number, message?: (general: string) => string];

/** @param forms the service's form of each refusal */
export function refusalsIn(forms: Record<Refusal, ErrorForm>): ServiceErrors["refuse"] {
  return (refusal, general, details) => {
    const [code, status, message] = forms[refusal];
    return new AwsError(code, status, message ? message(general) : general, details);
  };
}

/** IAM's sentence for a denied call. */
export function denialMessage({ principalArn, action, resource, reason }: Denial): string {
  return `User: ${principalArn} is not authorized to perform: ${action} on resource: ${resource} ${reason}`;
}
