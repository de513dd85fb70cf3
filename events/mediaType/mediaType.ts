import { CONTENTS } from "./contents";
import { SAME_TYPES } from "./names";

/** Declared types that clients send when they do not know the file's type. */
const GENERIC_TYPES = [
  "",
  "application/octet-stream",
  "application/x-www-form-urlencoded",
  "application/unknown",
  "application/x-unknown",
  "application/binary",
  "application/force-download",
  "application/x-download",
  "binary/octet-stream",
  "unknown/unknown",
  "*/*",
];

/** Types whose files all have a signature that is detected: a file without it has another type. */
const SIGNED =
  /^(application\/(gzip|zip|pdf|java-archive|java-vm|msword|epub\+zip|vnd\.(ms-(excel|powerpoint|outlook|cab-compressed|htmlhelp)|rar|sqlite3|openxmlformats-.*|oasis\.opendocument\.(?!.*flat).*|android\.package-archive|apple\.(keynote|numbers|pages)|debian\.binary-package|tcpdump\.pcap)|x-(7z-compressed|bzip2|xz|rpm|tar|elf|cfb|chrome-extension)|zstd|wasm|dicom)|audio\/(flac|ogg|wav|aiff|midi|mp4|amr)|video\/(ogg|webm|matroska|vnd\.avi|x-flv)|image\/(apng|avif|bmp|gif|hei[cf].*|jp2|jpeg|jxl|png|tiff|vnd\.adobe\.photoshop|vnd\.microsoft\.icon|webp)|font\/(collection|woff2?)|model\/gltf-binary)$/;

/** Found by two bytes or so, which files of other types may begin with as well. */
const WEAKLY_SIGNED =
  /^(application\/x-(apple-diskimage|arj|cpio|compress|esri-shape)|audio\/(ac3|aac|mpeg)|font\/ttf|image\/(bmp|vnd\.microsoft\.icon)|video\/(mp2t|mpeg))$/;

/** Types of text that are neither named `text/…` nor `application/…`. */
const TEXT_BY_OTHER_NAMES =
  /^(message|chemical)\/|^model\/(?!gltf-binary)|^image\/(vnd\.dxf|x-dxf|dxf|x-xbitmap|x-xpixmap|xpm|x-xpm|x-xbm|x-portable-.*|x-xfig|cgm|eps)$|^audio\/(x-mpegurl|mpegurl|x-m3u|m3u|x-scpls|scpls|x-ms-(asx|wax)|x-imelody)$|^video\/(vnd\.mpegurl|x-ms-(asx|wvx|asf)|vnd\.youtube\.yt)$|^x-(conference|world|epoc)\//;

/** Types that are text in any case. */
const ALWAYS_TEXT =
  /^text\/|[+/](json|xml)$|^image\/svg\+xml$|^application\/(yaml|toml|x-sh|sql|x-ndjson|jsonl|graphql)$/;

/** Types of text whose files never begin with a tag. */
const NEVER_MARKUP =
  /^text\/(csv|tab-separated-values|css|javascript|calendar|vcard|vtt|rtf)$|json$|^application\/(yaml|toml|rtf|sql|x-sh|postscript)$/;

/** What is detected of text in general; `contradicts` says what it may be besides. */
const TEXTS = ["text/plain", "text/html", "application/xml", "application/json"];

/** What is detected of bytes that are neither text nor anything known. */
export const UNKNOWN_BYTES = "application/octet-stream";

/** The media type of a `Content-Type`: lower case, without parameters. */
export function mediaTypeOf(contentType: string): string {
  return (contentType.split(";", 1)[0] ?? "").trim().toLowerCase();
}

/** A name without the `x-` of names that are not registered (RFC 6648). */
function plainName(mediaType: string): string {
  return mediaType.replace("/x-", "/");
}

/** As `mediaTypeOf`, with one name for types that have several. */
export function canonicalMediaType(contentType: string): string {
  const mediaType = mediaTypeOf(contentType);
  const plain = plainName(mediaType);
  for (const line of SAME_TYPES) {
    const names = line.split(" ");
    if (names.some((name) => plainName(name) === plain)) {
      return names[0] ?? mediaType;
    }
  }
  return mediaType;
}

/** Whether a file of the one type may be of the other besides, such as a ZIP file a document. */
function mayBe(container: string, type: string): boolean {
  // A type may have the name of a property that every object has, such as "constructor".
  return Object.hasOwn(CONTENTS, container) && (CONTENTS[container]?.test(type) ?? false);
}

function sameType(one: string, other: string): boolean {
  return plainName(one) === plainName(other);
}

function mayBeText(declared: string, detected: string): boolean {
  if (SIGNED.test(declared)) {
    return false;
  }
  if (detected === "text/html") {
    return (
      !NEVER_MARKUP.test(declared) &&
      /^text\/|^application\/.*(html|xml$|php|asp|jsp|template)/.test(declared)
    );
  }
  if (detected === "application/xml") {
    return (
      !NEVER_MARKUP.test(declared) &&
      declared !== "image/svg+xml" &&
      (/^(text|application|message)\//.test(declared) ||
        declared.endsWith("xml") ||
        TEXT_BY_OTHER_NAMES.test(declared))
    );
  }
  if (detected === "application/json") {
    return /^(text|application|message)\/|json$/.test(declared) && declared !== "text/html";
  }
  return (
    (/^(text|application)\//.test(declared) || TEXT_BY_OTHER_NAMES.test(declared)) &&
    declared !== "image/svg+xml"
  );
}

/** Whether files of the one type are, by their bytes, files of the other one as well. */
function includesType(general: string, type: string): boolean {
  return (
    sameType(general, type) ||
    mayBe(general, type) ||
    // WebM is a part of Matroska.
    (/\/(x-)?matroska/.test(general) && type === "video/webm")
  );
}

/** Whether the declared name says no more than what was detected, or less. */
function isMoreGeneral(declared: string, detected: string): boolean {
  return (
    GENERIC_TYPES.includes(declared) ||
    includesType(declared, detected) ||
    (declared === "text/plain" && (TEXTS.includes(detected) || ALWAYS_TEXT.test(detected))) ||
    (declared === "application/xml" && detected.endsWith("xml")) ||
    (declared === "text/html" && detected === "application/xhtml+xml")
  );
}

/** Whether the declared name says more than what was detected, and nothing contradicts it. */
function isMoreSpecific(declared: string, detected: string): boolean {
  if (detected === UNKNOWN_BYTES) {
    return !SIGNED.test(declared) && !ALWAYS_TEXT.test(declared);
  }
  return (
    mayBe(detected, declared) ||
    (TEXTS.includes(detected) && mayBeText(declared, detected)) ||
    (ALWAYS_TEXT.test(detected) && declared.startsWith("text/") && !NEVER_MARKUP.test(declared)) ||
    (WEAKLY_SIGNED.test(detected) && !SIGNED.test(declared) && !ALWAYS_TEXT.test(declared))
  );
}

/** What an empty file counts as: a text where it may be one, and else unknown. */
export function emptyFileType(declared: string): string {
  return !GENERIC_TYPES.includes(declared) && mayBeText(declared, "text/plain")
    ? "text/plain"
    : UNKNOWN_BYTES;
}

/**
 * Whether the bytes show that the declared type is wrong. Another name of the detected type, a
 * format that is built on it, or a more general name does not.
 *
 * @param declared canonical
 * @param detected canonical; from the bytes: `text/plain` and `application/octet-stream` for bytes of
 *   which nothing more is known
 */
export function contradicts(declared: string, detected: string): boolean {
  return !isMoreGeneral(declared, detected) && !isMoreSpecific(declared, detected);
}

/** The detected type, or the declared one where that says more and may be true. */
export function actualMediaType(declared: string, detected: string): string {
  return !isMoreGeneral(declared, detected) && isMoreSpecific(declared, detected)
    ? declared
    : detected;
}

/** Whether a media type matches one of the patterns: `type/subtype`, `type/*` or any type. */
export function isAllowedType(mediaType: string, patterns: string[]): boolean {
  const [type] = mediaType.split("/");
  return patterns.some(
    (pattern) => pattern === "*/*" || pattern === mediaType || pattern === `${type}/*`,
  );
}

/** Whether a text has a name among those of `text/*`, such as `text/xml` for `application/xml`. */
function hasTextName(type: string): boolean {
  return ALWAYS_TEXT.test(type) && canonicalMediaType(type.replace(/^.*\//, "text/")) === type;
}

/**
 * Whether a file of this type is allowed, by any of the type's names, or as a format that is built on
 * an allowed container.
 *
 * @param type canonical, as it was found
 * @param patterns see `isAllowedType`
 */
export function isAllowedFile(type: string, patterns: string[]): boolean {
  const canonical = patterns.map(canonicalMediaType);
  return (
    isAllowedType(type, canonical) ||
    canonical.some((pattern) => includesType(pattern, type)) ||
    (canonical.includes("text/*") && hasTextName(type))
  );
}
