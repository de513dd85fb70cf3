import { AwsError } from "../awsError";

/**
 * The JSON text of an invocation's payload, in UTF-8. The bytes are outside of V8's heap, so that large
 * events, which wait for environments, are not copied by garbage collections.
 *
 * @param payload a Buffer is JSON text already, and is not checked
 * @throws AwsError `InvalidRequestContentException` (400) when a text is not JSON
 */
export function toJsonBytes(payload: string | Buffer | object): Buffer {
  return payload instanceof Buffer ? payload : Buffer.from(toJsonText(payload));
}

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
