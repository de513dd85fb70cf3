import { AwsError } from "../awsError";

// https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
const OVERRIDES = [
  "cache-control",
  "content-disposition",
  "content-encoding",
  "content-language",
  "content-type",
  "expires",
];

/**
 * The headers that a reader requests for an object, in place of the stored ones.
 *
 * @param query a decoded query, with `response-content-type` and its like
 * @throws AwsError InvalidArgument 400 for a value that no header can hold
 */
export function responseOverrides(query: Readonly<Record<string, string>>): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const name of OVERRIDES) {
    const parameter = `response-${name}`;
    const value = query[parameter];
    if (value === undefined) {
      continue;
    }
    if (!/^[\t -~\u0080-\u00ff]*$/.test(value)) {
      throw new AwsError(
        "InvalidArgument",
        400,
        "Header value cannot be represented using ISO-8859-1.",
        { ArgumentName: parameter, ArgumentValue: value },
      );
    }
    headers[name] = value;
  }
  return headers;
}

/** The error for an anonymous request with such headers. */
export function overridesWithoutSignature(): AwsError {
  return new AwsError(
    "InvalidRequest",
    400,
    "Request specific response headers cannot be used for anonymous GET requests.",
  );
}

/** Whether a query requests such headers. */
export function hasOverrides(names: readonly string[]): boolean {
  return OVERRIDES.some((name) => names.includes(`response-${name}`));
}
