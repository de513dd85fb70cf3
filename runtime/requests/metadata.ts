import type { APIGatewayProxyEvent } from "aws-lambda";
import { checkMetadata, decodedValue, type Metadata, METADATA_HEADER } from "../../events/metadata";
import { fromUtf8 } from "../http";
import { invalid } from "../parameters";

/**
 * The metadata in a field of a JSON body.
 *
 * @param given undefined: the body has none
 * @returns undefined where there is no entry
 * @throws an `HttpError` 400 `invalid_metadata`
 */
export function acceptMetadata(given: unknown): Metadata | undefined {
  if (given === undefined) {
    return undefined;
  }
  const { metadata, refusal } = checkMetadata(given);
  if (refusal !== undefined) {
    throw invalid("metadata", `The metadata cannot be taken. ${refusal}`);
  }
  return Object.keys(metadata).length > 0 ? metadata : undefined;
}

/**
 * The metadata in a request's headers: one `x-amz-meta-<name>` for each entry, in UTF-8 or as an encoded
 * word of RFC 2047.
 *
 * @returns undefined where there is none
 * @throws an `HttpError` 400 `invalid_metadata`
 */
export function metadataOfHeaders(event: APIGatewayProxyEvent): Metadata | undefined {
  // Null in the API Gateway console's "Test", in spite of the type.
  const headers = event.multiValueHeaders as Record<string, string[]> | null;
  const entries: [name: string, value: string][] = [];
  for (const [header, values] of Object.entries(headers ?? {})) {
    const lower = header.toLowerCase();
    if (lower.startsWith(METADATA_HEADER)) {
      const name = lower.slice(METADATA_HEADER.length);
      const [value, ...more] = values;
      if (value === undefined || more.length > 0 || entries.some(([other]) => other === name)) {
        throw invalid("metadata", `The header ${lower} has to be given once.`);
      }
      entries.push([name, decodedValue(fromUtf8(value))]);
    }
  }
  return acceptMetadata(Object.fromEntries(entries));
}

/**
 * Metadata as a part of a request's fingerprint, in whatever order it came. Without any it is nothing: such
 * requests have the fingerprints that they had before there was metadata.
 */
export function fingerprintOf(metadata: Metadata | undefined): string[] {
  return metadata === undefined ? [] : [JSON.stringify(Object.entries(metadata).sort())];
}
