/** What a header can hold, with one character for each byte. */
const BYTES = /^[\t -~\x80-\xff]*$/;

/**
 * An object's headers for an answer. Bytes come back as they came, save for metadata outside of ASCII,
 * which S3 answers with in RFC 2047's form:
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html
 *
 * @param headers with one character for each byte
 */
export function sendable(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => {
      const isText = name.startsWith("x-amz-meta-") && !/^[\t -~]*$/.test(value);
      return [name, isText || !BYTES.test(value) ? encodedWord(textOf(value)) : value];
    }),
  );
}

/** A text as the value of a header: its bytes in UTF-8, a character for each. */
export function headerBytes(text: string): string {
  return Buffer.from(text).toString("latin1");
}

function encodedWord(text: string): string {
  return `=?UTF-8?B?${Buffer.from(text).toString("base64")}?=`;
}

/** Bytes that are not UTF-8 are those of ISO-8859-1. */
function textOf(value: string): string {
  if (!/^[\0-\xff]*$/.test(value)) {
    // Earlier versions kept a form's metadata as text.
    return value;
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(Buffer.from(value, "latin1"));
  } catch {
    return value;
  }
}
