import { CHECKSUMS } from "../body/digests";
import type { ChecksumValues, ObjectDescription } from "../store/state";

type Headers = Record<string, string>;
type Checksums = ObjectDescription["checksums"];

const STORED =
  /^(content-(type|disposition|encoding|language)|cache-control|expires|x-amz-(meta-.+|storage-class|website-redirect-location|server-side-encryption|server-side-encryption-(aws-kms-key-id|bucket-key-enabled)))$/;

const ALGORITHMS = CHECKSUMS.map((name) => name.toUpperCase());

/** What a write's headers say about its object. */
export function describeObject(headers: Headers): ObjectDescription {
  const values = checksumIn(headers);
  return {
    headers: {
      // S3's type where the writer names none.
      "content-type": "binary/octet-stream",
      ...Object.fromEntries(
        Object.entries(headers).filter(
          ([name, value]) => STORED.test(name) && value !== "" && !isDefault(name, value),
        ),
      ),
    },
    checksums: values && { type: "FULL_OBJECT", values },
  };
}

/** S3 does not answer with the usual storage class. */
function isDefault(name: string, value: string): boolean {
  return name === "x-amz-storage-class" && value === "STANDARD";
}

/** The checksum in a write's headers or trailers, which is verified already. */
export function checksumIn(headers: Headers): ChecksumValues | undefined {
  const algorithm = ALGORITHMS.find((name) => headers[checksumHeader(name)] !== undefined);
  const value = algorithm && headers[checksumHeader(algorithm)];
  return value ? { [algorithm]: value } : undefined;
}

/** A checksum algorithm that is known here, from its name in any case. */
export function knownAlgorithm(name: string | undefined): string | undefined {
  return ALGORITHMS.find((known) => known === name?.toUpperCase());
}

/** Checksums as headers of an answer. */
export function checksumHeaders(values: ChecksumValues = {}, type?: string): Headers {
  const headers = Object.fromEntries(
    Object.entries(values).map(([algorithm, value]) => [checksumHeader(algorithm), value]),
  );
  return type === undefined || Object.keys(headers).length === 0
    ? headers
    : { ...headers, "x-amz-checksum-type": type };
}

/** Checksums as names and texts of XML elements. */
export function checksumElements(checksums: Checksums): [name: string, text: string][] {
  if (!checksums) {
    return [];
  }
  const values = Object.entries(checksums.values).map(([algorithm, value]): [string, string] => [
    `Checksum${algorithm}`,
    value,
  ]);
  return [...values, ["ChecksumType", checksums.type]];
}

function checksumHeader(algorithm: string): string {
  return `x-amz-checksum-${algorithm.toLowerCase()}`;
}
