/** @param urlOrArn of a queue; an ARN is returned unchanged */
export function queueArnOf(
  urlOrArn: string,
  { region, accountId }: { region: string; accountId: string },
): string {
  return urlOrArn.startsWith("arn:")
    ? urlOrArn
    : `arn:aws:sqs:${region}:${accountId}:${urlOrArn.split("/").at(-1) ?? ""}`;
}
