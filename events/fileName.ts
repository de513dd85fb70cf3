import { EXTENSIONS } from "./mediaType/endings";
import { mediaTypeOf } from "./mediaType/mediaType";

/** The limit of common file systems; keeps an upload's key within S3's 1,024 bytes. */
const MAX_FILE_NAME_BYTES = 255;

/**
 * Text without characters that change the direction of writing, with which `gpj.exe` can be shown as
 * `exe.jpg`.
 */
export function withoutDirections(text: string): string {
  return text.replace(/[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, "");
}

function truncateUtf8(text: string, maxBytes: number): string {
  let bytes = 0;
  let kept = "";
  for (const character of text) {
    bytes += Buffer.byteLength(character);
    if (bytes > maxBytes) {
      break;
    }
    kept += character;
  }
  return kept;
}

/**
 * The file name to store for an upload: the last segment of the given name (some clients send a
 * path), without control characters, characters of direction and lone surrogates, at most 255 bytes of UTF-8 with the
 * extension kept. Without a usable name: `file`, with an extension for well-known media types.
 */
export function fileNameFor(given: string | undefined, contentType: string): string {
  const lastSegment = (given ?? "").split(/[/\\]/).pop() ?? "";
  const name = withoutDirections(lastSegment)
    .toWellFormed()
    .replace(/\p{Cc}/gu, "")
    .trim();
  if (name === "" || name === "." || name === "..") {
    const mediaType = mediaTypeOf(contentType);
    const [extension = ""] = Object.hasOwn(EXTENSIONS, mediaType)
      ? (EXTENSIONS[mediaType] ?? [])
      : [];
    return `file${extension}`;
  }
  if (Buffer.byteLength(name) <= MAX_FILE_NAME_BYTES) {
    return name;
  }
  const extension = /\.[\p{L}\p{N}]{1,16}$/u.exec(name)?.[0] ?? "";
  const stem = name.slice(0, name.length - extension.length);
  return truncateUtf8(stem, MAX_FILE_NAME_BYTES - Buffer.byteLength(extension)) + extension;
}
