import { AwsError } from "../../awsError";
import { encodeUri } from "../../url";
import { invalidArgument } from "./errors";
import type { PageOptions } from "./keyOrder";

/** The parameters of a ListObjects or ListObjectsV2. */
export interface ListingRequest {
  version: 1 | 2;
  /** For the store. */
  page: Required<PageOptions>;
  /** Names in the answer are URL-encoded, so that XML can hold any of them. */
  encode: boolean;
  /** The answer names each object's owner; always in V1. */
  fetchOwner: boolean;
}

const MAX_KEYS = 1000;
const MAX_INTEGER = 2 ** 31 - 1;

/**
 * Reads the query of a listing.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html
 * @param query decoded
 * @throws AwsError InvalidArgument
 */
export function readListingRequest(query: Readonly<Record<string, string>>): ListingRequest {
  const version = query["list-type"] === "2" ? 2 : 1;
  return {
    version,
    page: {
      prefix: query.prefix ?? "",
      delimiter: query.delimiter ?? "",
      maxKeys: readMaxKeys(query["max-keys"]),
      after: version === 2 ? readStart(query) : (query.marker ?? ""),
    },
    encode: readEncodingType(query["encoding-type"]),
    fetchOwner: version === 1 || query["fetch-owner"] === "true",
  };
}

/** The continuation token after a page that ends with this name. */
export function continuationToken(next: string): string {
  return Buffer.from(next).toString("base64url");
}

/** A name as `encoding-type=url` has it: slashes stay. */
export function encodeName(name: string): string {
  return encodeUri(name).replaceAll("%2F", "/");
}

function readMaxKeys(value: string | undefined): number {
  if (value === undefined || value === "") {
    return MAX_KEYS;
  }
  const number = Number(value);
  if (!/^\d+$/.test(value) || number > MAX_INTEGER) {
    const message = "Argument maxKeys must be an integer between 0 and 2147483647";
    throw invalidArgument("max-keys", value, message);
  }
  return Math.min(number, MAX_KEYS);
}

function readStart(query: Readonly<Record<string, string>>): string {
  const token = query["continuation-token"];
  if (token === undefined) {
    return query["start-after"] ?? "";
  }
  return readToken(token);
}

/**
 * What the page before a continuation token ended with.
 *
 * @throws AwsError InvalidArgument
 */
export function readToken(token: string): string {
  const last = Buffer.from(token, "base64url").toString();
  if (last === "" || continuationToken(last) !== token) {
    const message = "The continuation token provided is incorrect";
    throw new AwsError("InvalidArgument", 400, message, { ArgumentName: "continuation-token" });
  }
  return last;
}

/** @throws AwsError InvalidArgument */
export function readEncodingType(value: string | undefined): boolean {
  if (value !== undefined && value !== "url") {
    throw invalidArgument("encoding-type", value, "Invalid Encoding Method specified in Request");
  }
  return value === "url";
}
