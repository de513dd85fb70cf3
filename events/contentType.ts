import { mediaTypeOf } from "./mediaType";

const MEDIA_TYPE = /^[\w!#$&^.+-]+\/[\w!#$&^.+-]+$/;

/** Whether a media type matches one of the patterns: `type/subtype`, `type/*` or any type. */
export function isAllowedType(mediaType: string, patterns: string[]): boolean {
  const [type] = mediaType.split("/");
  return patterns.some(
    (pattern) => pattern === "*/*" || pattern === mediaType || pattern === `${type}/*`,
  );
}

/** The result of `checkContentType`. */
export interface CheckedContentType {
  /** The `Content-Type` to store the file with. */
  contentType: string;
  mediaType: string;
  /** Why it is refused; undefined: it is accepted. */
  refusal?: "malformed" | "form" | "not allowed";
}

/**
 * Checks the content type that an uploader declared.
 *
 * @param declared @default `application/octet-stream`, also for blank text
 * @param allowedTypes patterns, see `isAllowedType`
 */
export function checkContentType(
  declared: string | undefined,
  allowedTypes: string[],
): CheckedContentType {
  const contentType = (declared ?? "").trim() || "application/octet-stream";
  const mediaType = mediaTypeOf(contentType);
  // S3 returns it as a header and accepts no other characters.
  if (!MEDIA_TYPE.test(mediaType) || !/^[\t\x20-\x7e]*$/.test(contentType)) {
    return { contentType, mediaType, refusal: "malformed" };
  }
  if (mediaType === "multipart/form-data") {
    return { contentType, mediaType, refusal: "form" };
  }
  if (!isAllowedType(mediaType, allowedTypes)) {
    return { contentType, mediaType, refusal: "not allowed" };
  }
  return { contentType, mediaType };
}
