import { typeByEnding } from "../../events/mediaType/endings";
import { isAllowedType } from "../../events/mediaType/mediaType";
import { bytesText } from "../shared/units";
import type { UploadLink } from "./link";

/** The largest object that S3 takes in 10,000 parts of 5 GiB. */
const MAX_OBJECT_BYTES = 10_000 * 5 * 1024 ** 3;

/** Names of patterns for people. */
const KINDS: Record<string, string> = {
  "image/*": "images",
  "video/*": "videos",
  "audio/*": "audio",
  "text/*": "texts",
  "application/pdf": "PDF",
  "application/zip": "ZIP",
};

/** Such as `images, PDF`; undefined where any type is taken. */
export function typesText(patterns: string[]): string | undefined {
  return patterns.includes("*/*")
    ? undefined
    : patterns.map((pattern) => KINDS[pattern] ?? pattern).join(", ");
}

/** The `accept` of a file input; undefined where any type is taken. */
export function acceptOf(patterns: string[]): string | undefined {
  return patterns.includes("*/*") ? undefined : patterns.join(",");
}

/** Why the link does not let a file in, as a sentence; undefined: it does. */
export function refusalOf(file: File, type: string, link: UploadLink): string | undefined {
  const largest = link.max_bytes ?? MAX_OBJECT_BYTES;
  if (file.size === 0) {
    return "The file is empty.";
  }
  if (file.size > largest) {
    return `The file is too large: ${bytesText(file.size)}; at most ${bytesText(largest)} are allowed.`;
  }
  if (!isAllowedType(type, link.content_types)) {
    return `Files of this type (${type}) are not allowed here, only ${typesText(link.content_types) ?? ""}.`;
  }
  return undefined;
}

/** The media type to declare for a file: the browser's, or else by the file name's ending. */
export function typeOf(file: File): string {
  return file.type ? file.type : (typeByEnding(file.name) ?? "application/octet-stream");
}
