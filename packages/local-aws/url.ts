import { AwsError } from "./awsError";

/** The parameters of a query, decoded, in the order in which they were sent. */
export type QueryParameters = [name: string, value: string][];

/**
 * Splits a request's URL into its raw path and its decoded query parameters.
 *
 * @throws AwsError InvalidURI 400 for a query that is not percent-encoded UTF-8
 */
export function splitUrl(url: string): { path: string; query: QueryParameters } {
  const mark = url.indexOf("?");
  if (mark < 0) {
    return { path: url, query: [] };
  }
  const query = url
    .slice(mark + 1)
    .split("&")
    .filter((pair) => pair !== "")
    .map((pair): [string, string] => {
      const equals = pair.indexOf("=");
      if (equals < 0) {
        return [decodeParameter(pair), ""];
      }
      return [decodeParameter(pair.slice(0, equals)), decodeParameter(pair.slice(equals + 1))];
    });
  return { path: url.slice(0, mark), query };
}

/**
 * Decodes one percent-encoded part of a URL. Bytes that should be encoded and are not count as they
 * are: Node.js reads each as a character of Latin-1.
 *
 * @throws AwsError InvalidURI 400 where it is not percent-encoded UTF-8
 */
export function decodeUri(text: string): string {
  try {
    return decodeURIComponent(encodeRawBytes(text));
  } catch {
    // decodeURIComponent has one error only: its argument is malformed.
    throw new AwsError("InvalidURI", 400, `Couldn't parse the specified URI: ${text}`);
  }
}

/** Percent-encodes all but RFC 3986's unreserved characters, as Signature Version 4 demands. */
export function encodeUri(text: string): string {
  return encodeURIComponent(text).replaceAll(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/** Percent-encodes the bytes of a part of a URL that are not ASCII. */
export function encodeRawBytes(text: string): string {
  return text.replaceAll(
    /[\u0080-\u00ff]/g,
    (byte) => `%${byte.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function decodeParameter(text: string): string {
  return decodeUri(text.replaceAll("+", " "));
}
