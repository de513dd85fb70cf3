import { AwsError } from "../awsError";

/**
 * The JSON text of an invocation's payload; an empty one means an empty event.
 *
 * @throws AwsError `InvalidRequestContentException` (400) when a text is not JSON
 */
export function toJsonText(payload: string | object): string {
  if (typeof payload !== "string") {
    return JSON.stringify(payload);
  }
  if (payload === "") {
    return "{}";
  }
  try {
    JSON.parse(payload);
    return payload;
  } catch (error) {
    throw new AwsError(
      "InvalidRequestContentException",
      400,
      `Could not parse request body into json: ${(error as Error).message}`,
    );
  }
}
