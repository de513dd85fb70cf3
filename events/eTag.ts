/**
 * An ETag as a header such as `If-Match` has it: in quotes.
 *
 * @param eTag with or without quotes; that of an object uploaded in parts ends in `-` and their number
 * @returns undefined where it is unknown: no condition
 */
export function quotedETag(eTag: string | undefined): string | undefined {
  const plain = plainETag(eTag);
  return plain === undefined || plain === "" ? undefined : `"${plain}"`;
}

/** An ETag as rows have it: without quotes. */
export function plainETag(eTag: string): string;
export function plainETag(eTag: string | undefined): string | undefined;
export function plainETag(eTag: string | undefined): string | undefined {
  return eTag?.replaceAll('"', "");
}
