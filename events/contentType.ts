import { httpError } from "../runtime/http";

const MEDIA_TYPE = /^[\w!#$&^.+-]+\/[\w!#$&^.+-]+$/;

function mediaTypeOf(contentType: string): string {
  return (contentType.split(";", 1)[0] ?? "").trim().toLowerCase();
}

/** Whether a media type fits one of the patterns: type/subtype, type/* or any. */
export function isAllowedType(mediaType: string, patterns: string[]): boolean {
  const [type] = mediaType.split("/");
  return patterns.some(
    (pattern) => pattern === "*/*" || pattern === mediaType || pattern === `${type}/*`,
  );
}

/**
 * The type to store a file with, as its sender declared it.
 *
 * @throws an `HttpError` for what is no media type (400) or not an allowed one (415)
 */
export function contentTypeOf(given: string | undefined, allowedTypes: string[]): string {
  const contentType = (given ?? "").trim() || "application/octet-stream";
  const mediaType = mediaTypeOf(contentType);
  // S3 takes no other characters in what becomes a header again.
  if (!MEDIA_TYPE.test(mediaType) || !/^[\t\x20-\x7e]*$/.test(contentType)) {
    throw httpError(
      400,
      "invalid_content_type",
      "The content type is not a media type such as image/jpeg.",
    );
  }
  if (mediaType === "multipart/form-data") {
    throw httpError(
      415,
      "type_not_allowed",
      "Send the file itself as the body, not a form: curl --data-binary '@file' instead of -F.",
    );
  }
  if (!isAllowedType(mediaType, allowedTypes)) {
    throw httpError(
      415,
      "type_not_allowed",
      `Files of type ${mediaType} are not taken here. Allowed: ${allowedTypes.join(", ")}.`,
    );
  }
  return contentType;
}
