import { AwsError } from "../../awsError";
import { combineCrcs } from "../body/combineCrc";
import { CRC_POLYNOMIALS, digestOf } from "../body/digests";
import { unsupportedChecksum } from "../errors";
import type { S3Request } from "../request";
import type { CompletedPart, ListedPart } from "../store/multipart";
import type { ChecksumValues, ObjectDescription, Upload } from "../store/state";
import { checksumIn, knownAlgorithm } from "./description";

type Headers = S3Request["headers"];
type ChecksumType = NonNullable<Upload["checksumType"]>;

/**
 * The checksum that an upload announces for its parts and its object.
 *
 * @throws AwsError InvalidRequest 400
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html
 */
export function announcedChecksum(
  headers: Headers,
): { checksumAlgorithm: string; checksumType: ChecksumType } | undefined {
  const named = headers["x-amz-checksum-algorithm"];
  const type = headers["x-amz-checksum-type"]?.toUpperCase();
  if (named === undefined) {
    if (type !== undefined) {
      throw invalid(
        "The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.",
      );
    }
    return undefined;
  }
  const checksumAlgorithm = knownAlgorithm(named);
  if (!checksumAlgorithm) {
    throw unsupportedChecksum();
  }
  // CRC64NVME has no form over parts, and a digest has no form over the whole object without reading it.
  const isCrc = CRC_POLYNOMIALS.has(checksumAlgorithm.toLowerCase());
  const types: ChecksumType[] =
    checksumAlgorithm === "CRC64NVME" ? ["FULL_OBJECT"] : ["COMPOSITE", "FULL_OBJECT"];
  const [standard = "COMPOSITE"] = types;
  const checksumType = type === undefined ? standard : types.find((each) => each === type);
  if (type !== undefined && type !== "COMPOSITE" && type !== "FULL_OBJECT") {
    throw invalid("Value for x-amz-checksum-type header is invalid.");
  }
  if (!checksumType || (checksumType === "FULL_OBJECT" && !isCrc)) {
    throw invalid(
      `The ${type ?? ""} checksum type cannot be used with the ${named.toLowerCase()} checksum algorithm.`,
    );
  }
  return { checksumAlgorithm, checksumType };
}

/**
 * A part's checksum: the one that came with it, which is verified already, or else the one that the
 * upload needs.
 *
 * @throws AwsError InvalidRequest 400 for one of another algorithm
 */
export function partChecksums(
  { headers, content }: S3Request,
  { checksumAlgorithm }: Pick<Upload, "checksumAlgorithm">,
): ChecksumValues | undefined {
  const given = checksumIn(headers);
  if (checksumAlgorithm === undefined || given?.[checksumAlgorithm] !== undefined) {
    return given;
  }
  const [other] = Object.keys(given ?? {});
  if (other !== undefined) {
    throw typeMismatch(checksumAlgorithm, other);
  }
  const sum = digestOf(checksumAlgorithm.toLowerCase(), content);
  return { [checksumAlgorithm]: sum.toString("base64") };
}

/**
 * The checksum of an object, from those of its parts.
 *
 * @param headers of the request that completes the upload
 * @returns undefined where the upload announced none, or parts are missing
 * @throws AwsError InvalidRequest or BadDigest 400
 */
export function joinChecksums(
  headers: Headers,
  { checksumAlgorithm, checksumType = "COMPOSITE" }: Upload,
  named: readonly CompletedPart[],
  stored: ReadonlyMap<number, ListedPart>,
): ObjectDescription["checksums"] {
  const given = Object.entries(checksumIn(headers) ?? {})[0];
  if (given && given[0] !== checksumAlgorithm) {
    throw typeMismatch(checksumAlgorithm, given[0]);
  }
  if (checksumAlgorithm === undefined) {
    return undefined;
  }
  checkType(headers, checksumType);
  const algorithm = checksumAlgorithm.toLowerCase();
  if (checksumType === "COMPOSITE") {
    checkNamed(checksumAlgorithm, named);
  }
  const pieces = named.flatMap(({ number }) => {
    const part = stored.get(number);
    const sum = part?.checksums?.[checksumAlgorithm];
    return part && sum !== undefined ? [{ crc: Buffer.from(sum, "base64"), size: part.size }] : [];
  });
  if (pieces.length < named.length) {
    return undefined;
  }
  const value =
    checksumType === "FULL_OBJECT"
      ? combineCrcs(algorithm, pieces).toString("base64")
      : composite(
          algorithm,
          pieces.map(({ crc }) => crc),
        );
  // Of a composite checksum, the number of parts may be left out.
  if (given && given[1] !== value && given[1] !== value.replace(/-\d+$/, "")) {
    const message = `The ${algorithm} you specified did not match the calculated checksum.`;
    throw new AwsError("BadDigest", 400, message);
  }
  return { type: checksumType, values: { [checksumAlgorithm]: value } };
}

/** @throws AwsError InvalidRequest 400 where the parts are not as long as the client says */
export function checkPartSizes(
  headers: Headers,
  named: readonly CompletedPart[],
  stored: ReadonlyMap<number, ListedPart>,
): void {
  const announced = headers["x-amz-mp-object-size"];
  const size = named.reduce((sum, { number }) => sum + (stored.get(number)?.size ?? 0), 0);
  if (announced !== undefined && Number(announced) !== size) {
    throw invalid(
      `The provided 'x-amz-mp-object-size' header value ${announced} does not match what was computed: ${size}`,
    );
  }
}

/** The digest of the parts' digests, with their number. */
function composite(algorithm: string, sums: readonly Buffer[]): string {
  return `${digestOf(algorithm, Buffer.concat(sums)).toString("base64")}-${sums.length}`;
}

function checkType(headers: Headers, checksumType: ChecksumType): void {
  const type = headers["x-amz-checksum-type"];
  if (type !== undefined && type.toUpperCase() !== checksumType) {
    throw invalid(
      `The upload was created using the ${checksumType} checksum mode. The complete request must use the same checksum mode.`,
    );
  }
}

function checkNamed(checksumAlgorithm: string, named: readonly CompletedPart[]): void {
  const without = named.find(({ checksums }) => checksums?.[checksumAlgorithm] === undefined);
  if (without) {
    throw invalid(
      `The upload was created using a ${checksumAlgorithm.toLowerCase()} checksum. The complete request must include the checksum for each part. It was missing for part ${without.number} in the request.`,
    );
  }
}

function typeMismatch(expected: string | undefined, actual: string): AwsError {
  return invalid(
    `Checksum Type mismatch occurred, expected checksum Type: ${expected?.toLowerCase() ?? "null"}, ` +
      `actual checksum Type: ${actual.toLowerCase()}`,
  );
}

function invalid(message: string): AwsError {
  return new AwsError("InvalidRequest", 400, message);
}
