import type { Metadata } from "./event";

export type { Metadata };

/** Of a file or a link. */
export const MAX_METADATA_ENTRIES = 10;

/** Characters of one value: code points, as JSON Schema counts. */
export const MAX_METADATA_VALUE = 200;

/** Bytes of all names and values as they are stored: S3's limit for an object. */
export const MAX_METADATA_BYTES = 2048;

/** S3's and the upload API's header for an entry has this before its name. */
export const METADATA_HEADER = "x-amz-meta-";

/** Also the end of a header's name, so without upper case. */
const NAME = /^[a-z0-9][a-z0-9_-]{0,31}$/;

/** They could imitate other lines of a mail or a list. */
const UNPRINTABLE = /[\p{Cc}\u2028\u2029]/u;

/** A text as RFC 2047 writes it in ASCII; S3 answers so with what was sent as UTF-8. */
const ENCODED_WORD = /=\?(utf-8|us-ascii|iso-8859-1)\?([bq])\?([^?]*)\?=/gi;

/** Of checked metadata, or why it is refused. */
export type CheckedMetadata =
  { metadata: Metadata; refusal?: undefined } | { metadata?: undefined; refusal: string };

/** What is wrong with an entry; undefined: nothing. */
function refusalOf(name: string, value: string): string | undefined {
  if (!NAME.test(name)) {
    return (
      `"${name.slice(0, 64)}" is no name: it takes 1 to 32 lower-case letters (a to z), digits, hyphens ` +
      "and underscores, and begins with a letter or a digit."
    );
  }
  if (value === "") {
    return `"${name}" is empty: leave it out, or give it a text.`;
  }
  const { length } = Array.from(value);
  if (length > MAX_METADATA_VALUE) {
    return `"${name}" has ${length} characters; at most ${MAX_METADATA_VALUE} are allowed.`;
  }
  if (UNPRINTABLE.test(value) || !value.isWellFormed()) {
    return `"${name}" has a line break or another character that cannot be printed.`;
  }
  return undefined;
}

/** Bytes, as S3 counts them. */
function sizeOf(metadata: Metadata): number {
  return Object.entries(metadata).reduce(
    (sum, [name, value]) => sum + name.length + encoded(value).length,
    0,
  );
}

/**
 * Checks metadata: at most 10 entries, names such as `customer` or `order-no`, values of 1 to 200
 * characters on one line, without blanks around them, and 2,048 bytes in all as S3 stores them.
 *
 * @param given parsed JSON, or a header's values by name
 * @returns the refusal says what is wrong, for the client
 */
export function checkMetadata(given: unknown): CheckedMetadata {
  if (typeof given !== "object" || given === null || Array.isArray(given)) {
    return { refusal: 'It has to be an object of texts, such as {"customer": "4711"}.' };
  }
  const entries: [name: string, value: string][] = [];
  for (const [name, value] of Object.entries(given) as [string, unknown][]) {
    const text = typeof value === "string" ? value.trim() : undefined;
    const refusal =
      text === undefined ? `"${name.slice(0, 64)}" has to be a text.` : refusalOf(name, text);
    if (text === undefined || refusal !== undefined) {
      return { refusal: refusal ?? "" };
    }
    entries.push([name, text]);
  }
  if (entries.length > MAX_METADATA_ENTRIES) {
    return {
      refusal: `It has ${entries.length} entries; at most ${MAX_METADATA_ENTRIES} are allowed.`,
    };
  }
  const metadata = Object.fromEntries(entries);
  const size = sizeOf(metadata);
  if (size > MAX_METADATA_BYTES) {
    return {
      refusal:
        `Its names and values have ${size} bytes as S3 stores them, at most ${MAX_METADATA_BYTES} are ` +
        "allowed. (Characters outside of ASCII take two to six bytes.)",
    };
  }
  return { metadata };
}

/** A value for a header, in ASCII. What looks like an encoded word is encoded, too, to be read back. */
function encoded(value: string): string {
  return /^[ -~]*$/.test(value) && !value.includes("=?")
    ? value
    : `=?UTF-8?B?${Buffer.from(value).toString("base64")}?=`;
}

function decodedWord(charset: string, encoding: string, text: string): string {
  const bytes =
    encoding.toLowerCase() === "b"
      ? Buffer.from(text, "base64")
      : Buffer.from(
          text
            .replaceAll("_", " ")
            .replace(/=([0-9a-f]{2})/gi, (_, hex: string) =>
              String.fromCharCode(parseInt(hex, 16)),
            ),
          "latin1",
        );
  return bytes.toString(charset.toLowerCase() === "iso-8859-1" ? "latin1" : "utf8");
}

/** A header's value, with encoded words decoded. Blanks between two of them are no text (RFC 2047). */
export function decodedValue(value: string): string {
  return value
    .replace(/\?=\s+=\?/g, "?==?")
    .replace(ENCODED_WORD, (_, charset: string, encoding: string, text: string) =>
      decodedWord(charset, encoding, text),
    );
}

/**
 * Metadata as S3's clients take it (`Metadata`), and as the header `x-amz-meta-<name>` has it: values in
 * ASCII, others as encoded words of RFC 2047.
 *
 * @param metadata checked
 */
export function storedMetadata(metadata: Metadata): Metadata {
  return Object.fromEntries(
    Object.entries(metadata).map(([name, value]) => [name, encoded(value)]),
  );
}

/**
 * Metadata of an object that anybody may have written: what fits the limits, by name; the rest is left out.
 *
 * @param stored by name, without `x-amz-meta-`; as `GetObject` and `HeadObject` of the SDK answer with it
 * @returns undefined: there is none
 */
export function metadataOfObject(stored: Metadata | undefined): Metadata | undefined {
  let metadata: Metadata = {};
  for (const name of Object.keys(stored ?? {}).sort()) {
    const longer = { ...metadata, [name]: decodedValue(stored?.[name] ?? "") };
    metadata = checkMetadata(longer).metadata ?? metadata;
  }
  return Object.keys(metadata).length > 0 ? metadata : undefined;
}
