import { AwsError } from "../awsError";
import { evaluate, type PolicyDocument } from "./policy";

/** The policies of buckets, topics, queues and functions themselves. */
export interface ResourcePolicies {
  set(arn: string, policy: PolicyDocument): void;
  /** The policy that decides on requests for a resource: for an object, its bucket's. */
  of(resourceArn: string): PolicyDocument | undefined;
  /**
   * Checks that a function's policy allows a service to invoke it for a source.
   *
   * @param service such as `s3.amazonaws.com`
   * @param sourceArn such as the bucket's
   * @throws AwsError AccessDeniedException
   */
  checkInvoke(functionArn: string, service: string, sourceArn: string): void;
}

export function createResourcePolicies(accountId: string): ResourcePolicies {
  const policies = new Map<string, PolicyDocument>();
  return {
    set(arn, policy) {
      policies.set(arn, policy);
    },
    of(resourceArn) {
      const [owner = resourceArn] = resourceArn.split("/", 1);
      return policies.get(resourceArn.startsWith("arn:aws:s3:::") ? owner : resourceArn);
    },
    checkInvoke(functionArn, service, sourceArn) {
      const verdict = evaluate({
        identityPolicies: [],
        resourcePolicy: policies.get(functionArn),
        principalArn: service,
        action: "lambda:InvokeFunction",
        resource: functionArn,
        context: { "aws:SourceArn": sourceArn, "aws:SourceAccount": accountId },
      });
      if (!verdict.allowed) {
        throw new AwsError(
          "AccessDeniedException",
          403,
          `${service} is not authorized to perform: lambda:InvokeFunction on resource: ` +
            `${functionArn} for ${sourceArn} ${verdict.reason}`,
        );
      }
    },
  };
}
