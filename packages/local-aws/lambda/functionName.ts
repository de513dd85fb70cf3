/** The function's name in a name, a partial ARN or an ARN, with or without a version. */
export function functionNameOf(nameOrArn: string): string {
  const parts = /^(?:(?:arn:[^:]+:lambda:[^:]*:)?\d+:function:)?([\w-]+)(?::[\w$-]+)?$/.exec(
    nameOrArn,
  );
  return parts?.[1] ?? nameOrArn;
}
