/** The parameters of a page of a listing; `maxKeys` counts keys and common prefixes. */
export interface ListingOptions {
  prefix?: string;
  delimiter?: string;
  maxKeys?: number;
  startAfter?: string;
  marker?: string;
}

/** One page of a listing. */
export interface Listing<T> {
  objects: T[];
  commonPrefixes: string[];
  isTruncated: boolean;
}

/** The order in which S3 lists: by the keys' bytes in UTF-8. */
function compareKeys(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

/**
 * A page of a listing, as S3 makes it. (fauxqs sorts by locale but continues by code units, so that
 * pages overlap and omit keys.)
 */
export function listPage<T extends { key: string }>(
  objects: Iterable<T>,
  { prefix = "", delimiter, maxKeys = 1000, startAfter, marker }: ListingOptions = {},
): Listing<T> {
  const after = startAfter ?? marker ?? "";
  const page: Listing<T> = { objects: [], commonPrefixes: [], isTruncated: false };
  const candidates = [...objects]
    .filter(({ key }) => key.startsWith(prefix))
    .sort((a, b) => compareKeys(a.key, b.key));
  for (const object of candidates) {
    const { key } = object;
    const end = delimiter ? key.indexOf(delimiter, prefix.length) : -1;
    const name = end < 0 ? key : key.slice(0, end + (delimiter?.length ?? 0));
    if ((after !== "" && compareKeys(name, after) <= 0) || page.commonPrefixes.at(-1) === name) {
      continue;
    }
    if (page.objects.length + page.commonPrefixes.length >= maxKeys) {
      page.isTruncated = true;
      break;
    }
    if (end < 0) {
      page.objects.push(object);
    } else {
      page.commonPrefixes.push(name);
    }
  }
  return page;
}
