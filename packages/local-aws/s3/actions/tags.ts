import { AwsError } from "../../awsError";
import { childrenOf, childText, element, group } from "../../xml";
import { malformed, readDocument } from "../documents";
import { invalidArgument } from "../store/errors";
import { type Action, xmlOutcome } from "./action";

type Tags = Record<string, string>;

// https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-tagging.html
const MAX_TAGS = 10;
const MAX_KEY = 128;
const MAX_VALUE = 256;
const TEXT = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u;

export const getObjectTagging: Action = ({ bucket, key }, store) => {
  const { tags = {} } = store.head(bucket, key);
  const elements = Object.entries(tags).map(([name, value]) =>
    group("Tag", [element("Key", name), element("Value", value)]),
  );
  return xmlOutcome("Tagging", [group("TagSet", elements)]);
};

export const putObjectTagging: Action = ({ bucket, key, body }, store) => {
  store.setTags(bucket, key, readTagDocument(body));
  return {};
};

export const deleteObjectTagging: Action = ({ bucket, key }, store) => {
  store.setTags(bucket, key, undefined);
  return { status: 204 };
};

/**
 * Reads the header `x-amz-tagging`: tags in the form of a URL's query.
 *
 * @returns undefined for no tags
 * @throws AwsError InvalidArgument, InvalidTag or BadRequest 400
 */
export function readTagQuery(query: string | undefined): Tags | undefined {
  if (query === undefined) {
    return undefined;
  }
  try {
    // URLSearchParams would take what is not encoded UTF-8, too.
    decodeURIComponent(query);
  } catch {
    const message =
      "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without tag name duplicates.";
    throw invalidArgument("x-amz-tagging", query, message);
  }
  return checkedTags([...new URLSearchParams(query)]);
}

/**
 * Reads a Tagging document.
 *
 * @throws AwsError MalformedXML, InvalidTag or BadRequest 400
 */
export function readTagDocument(body: Buffer): Tags | undefined {
  const [set, ...others] = childrenOf(readDocument(body, "Tagging"), "TagSet");
  if (!set || others.length > 0) {
    throw malformed("There is one TagSet element.");
  }
  return checkedTags(
    childrenOf(set, "Tag").map((tag) => {
      const name = childText(tag, "Key");
      const value = childText(tag, "Value");
      if (name === undefined || value === undefined) {
        throw malformed("A Tag element has no Key or no Value.");
      }
      return [name, value];
    }),
  );
}

/** Tags as `x-amz-tagging` has them. */
export function tagQuery(tags: Tags = {}): string {
  return new URLSearchParams(tags).toString();
}

function checkedTags(pairs: readonly [name: string, value: string][]): Tags | undefined {
  if (pairs.length > MAX_TAGS) {
    const message = `Object tags cannot be greater than ${MAX_TAGS}`;
    throw new AwsError("BadRequest", 400, message);
  }
  const tags = new Map<string, string>();
  for (const [name, value] of pairs) {
    if (name === "" || name.length > MAX_KEY || !TEXT.test(name) || name.startsWith("aws:")) {
      throw invalidTag("The TagKey you have provided is invalid", name);
    }
    if (value.length > MAX_VALUE || !TEXT.test(value)) {
      throw invalidTag("The TagValue you have provided is invalid", name);
    }
    if (tags.has(name)) {
      throw invalidTag("Cannot provide multiple Tags with the same key", name);
    }
    tags.set(name, value);
  }
  return tags.size > 0 ? Object.fromEntries(tags) : undefined;
}

function invalidTag(message: string, key: string): AwsError {
  return new AwsError("InvalidTag", 400, message, { TagKey: key });
}
