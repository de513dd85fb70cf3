import { checkContentType } from "../../events/contentType";
import { httpError } from "../http";

/**
 * The content type to store a file with.
 *
 * @param fileName as given: decides where the type is not declared
 * @throws an `HttpError` 400 for text that is not a media type, 415 for a type that is not allowed
 */
export function acceptContentType(
  declared: string | undefined,
  allowedTypes: string[],
  fileName?: string,
): string {
  const { contentType, mediaType, refusal } = checkContentType(declared, allowedTypes, fileName);
  if (refusal === "malformed") {
    throw httpError(
      400,
      "invalid_content_type",
      "The content type is not one media type such as image/jpeg.",
    );
  }
  if (refusal === "form") {
    throw httpError(
      415,
      "type_not_allowed",
      "Send the file itself as the body, not a form: curl --data-binary '@file' instead of -F.",
    );
  }
  if (refusal === "not allowed") {
    throw httpError(
      415,
      "type_not_allowed",
      `Files of type ${mediaType} are not taken here. Allowed: ${allowedTypes.join(", ")}.`,
    );
  }
  return contentType;
}
