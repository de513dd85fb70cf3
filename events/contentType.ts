import { typeByEnding } from "./mediaType/endings";
import { isAllowedType, mediaTypeOf } from "./mediaType/mediaType";

/** RFC 6838: each name has at most 127 characters. */
const MEDIA_TYPE = /^[\w!#$&^.+-]{1,127}\/[\w!#$&^.+-]{1,127}$/;

/** RFC 9110: a token, or a quoted text, here without tabs, which signatures read as spaces. */
const PARAMETER = /^([\w!#$%&'*+.^`|~-]+)=([\w!#$%&'*+.^`|~-]+|"(?:[^"\\\t]|\\[^\t])*")$/;

/** Quoted texts, in which separators are text, or separators. */
const QUOTED_OR_SEPARATOR = /"(?:[^"\\]|\\.)*"|[;,]/g;

/**
 * They say nothing of the file: what curl declares of any body, and what generated clients do where the
 * API's description has any type.
 */
const NO_TYPES = ["application/x-www-form-urlencoded", "*/*"];

/** The parts of a `Content-Type` between semicolons; undefined for a list of several. */
function partsOf(text: string): string[] | undefined {
  const parts: string[] = [];
  let start = 0;
  for (const { 0: found, index } of text.matchAll(QUOTED_OR_SEPARATOR)) {
    if (found === ",") {
      return undefined;
    }
    if (found === ";") {
      parts.push(text.slice(start, index).trim());
      start = index + 1;
    }
  }
  return [...parts, text.slice(start).trim()];
}

/**
 * A `Content-Type` from its parts: the media type in lower case, and each valid parameter once.
 * What a browser could take for another type does not survive.
 *
 * @returns undefined for a text that is not one media type
 */
function parseContentType(text: string): CheckedContentType | undefined {
  const [first = "", ...others] = partsOf(text) ?? [];
  const mediaType = first.toLowerCase();
  if (!MEDIA_TYPE.test(mediaType)) {
    return undefined;
  }
  const parameters = new Map<string, string>();
  for (const other of others) {
    const [, name, value] = PARAMETER.exec(other) ?? [];
    if (name !== undefined && value !== undefined && !parameters.has(name.toLowerCase())) {
      parameters.set(name.toLowerCase(), value);
    }
  }
  const contentType = [mediaType, ...[...parameters].map((pair) => pair.join("="))].join("; ");
  return { contentType, mediaType };
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
 * @param declared undefined, blank, the type that curl sends by itself, or any type (`*` `/*`): the file
 *   name's ending decides, or else it is `application/octet-stream`
 * @param allowedTypes patterns, see `isAllowedType`
 */
export function checkContentType(
  declared: string | undefined,
  allowedTypes: string[],
  fileName?: string,
): CheckedContentType {
  const given = (declared ?? "").trim();
  const isUnknown = given === "" || NO_TYPES.includes(mediaTypeOf(given));
  const text = isUnknown ? (typeByEnding(fileName) ?? "application/octet-stream") : given;
  const parsed = parseContentType(text);
  // S3 returns it as a header and accepts no other characters.
  if (!parsed || !/^[\t\x20-\x7e]*$/.test(text)) {
    return { contentType: text, mediaType: mediaTypeOf(text), refusal: "malformed" };
  }
  const { contentType, mediaType } = parsed;
  if (mediaType === "multipart/form-data") {
    return { contentType, mediaType, refusal: "form" };
  }
  if (!isAllowedType(mediaType, allowedTypes)) {
    return { contentType, mediaType, refusal: "not allowed" };
  }
  return { contentType, mediaType };
}
