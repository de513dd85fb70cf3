/** Declared types that clients send when they do not know the file's type. */
const GENERIC_TYPES = [
  "",
  "application/octet-stream",
  "application/x-www-form-urlencoded",
  "binary/octet-stream",
];

/** Other names in use for types, with the name that `file-type` has for them. */
const ALIASES: Record<string, string> = {
  "application/vnd.microsoft.icon": "image/x-icon",
  "application/x-gzip": "application/gzip",
  "application/x-zip-compressed": "application/zip",
  "audio/mp3": "audio/mpeg",
  "audio/wave": "audio/wav",
  "audio/x-wav": "audio/wav",
  "image/jpg": "image/jpeg",
  "image/pjpeg": "image/jpeg",
  "text/xml": "application/xml",
};

/** Types whose files all begin with the same magic number: a file without it has another type. */
const ALWAYS_DETECTED = [
  "application/gzip",
  "application/zip",
  "image/gif",
  "image/jpeg",
  "image/png",
  "image/webp",
];

/** The media type of a `Content-Type`: lower case, without parameters. */
export function mediaTypeOf(contentType: string): string {
  return (contentType.split(";", 1)[0] ?? "").trim().toLowerCase();
}

/** As `mediaTypeOf`, with one name for types that have several. */
export function canonicalMediaType(contentType: string): string {
  const mediaType = mediaTypeOf(contentType);
  // A type may have the name of a property that every object has, such as "constructor".
  return (Object.hasOwn(ALIASES, mediaType) ? ALIASES[mediaType] : undefined) ?? mediaType;
}

/** Whether the declared format is based on the detected one: packages on ZIP, vocabularies on XML. */
function isBasedOn(declared: string, detected: string): boolean {
  return (
    (detected === "application/zip" && /^application\/(vnd\.|epub|java-archive)/.test(declared)) ||
    (detected === "application/xml" && declared.endsWith("xml"))
  );
}

/**
 * Whether the bytes show that the declared type is wrong.
 *
 * @param declared canonical
 * @param detected from the bytes; undefined: not detected
 */
export function contradicts(declared: string, detected: string | undefined): boolean {
  if (GENERIC_TYPES.includes(declared)) {
    return false;
  }
  if (detected === undefined) {
    return ALWAYS_DETECTED.includes(declared);
  }
  return declared !== detected && !isBasedOn(declared, detected);
}

/** The detected type, or the declared one where it is more specific or the only one. */
export function actualMediaType(declared: string, detected: string | undefined): string {
  if (detected !== undefined && !isBasedOn(declared, detected)) {
    return detected;
  }
  return declared || "application/octet-stream";
}
