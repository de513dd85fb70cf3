import { AwsError } from "../awsError";
import type { Roles } from "../iam/roles";
import type { Sqs } from "../sqs/engine";
import { functionNameOf } from "./functionName";

/**
 * Sends an on-failure record as Lambda does: with the role of the function that failed.
 *
 * @param record JSON text
 * @throws AwsError AccessDenied, and what SQS answers
 */
export async function sendFailureRecord(
  { roles, sqs }: { roles: Pick<Roles, "check">; sqs: Pick<Sqs, "sendMessage"> },
  destinationArn: string,
  record: string,
): Promise<void> {
  const { requestContext } = JSON.parse(record) as { requestContext: { functionArn: string } };
  const functionName = functionNameOf(requestContext.functionArn);
  const denial = roles.check(functionName, "sqs:SendMessage", destinationArn);
  if (denial !== undefined) {
    throw new AwsError("AccessDenied", 403, denial);
  }
  await sqs.sendMessage(destinationArn, record);
}
