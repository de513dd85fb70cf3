import { AwsError } from "../../awsError";
import { decodeUri } from "../../url";
import { element, group } from "../../xml";
import { readDelete } from "../documents";
import type { S3Request } from "../request";
import type { WriteConditions } from "../store/conditions";
import { noSuchBucket } from "../store/errors";
import { type Action, eTagElement, xmlOutcome } from "./action";
import { checksumHeaders, describeObject } from "./description";

export const putObject: Action = ({ bucket, key, headers, content }, store) => {
  const written = store.put(bucket, key, content, describeObject(headers), conditionsOf(headers));
  const { eTag, checksums } = written;
  return {
    headers: { etag: `"${eTag}"`, ...checksumHeaders(checksums?.values, checksums?.type) },
    written,
  };
};

export const copyObject: Action = async ({ bucket, key, headers }, store) => {
  const source = copySourceOf(headers);
  const { checksums } = store.head(source.bucket, source.key);
  const described =
    headers["x-amz-metadata-directive"] === "REPLACE"
      ? {
          ...describeObject(headers),
          // A composite checksum is not a checksum of the joined content.
          checksums: checksums?.type === "COMPOSITE" ? undefined : checksums,
        }
      : undefined;
  const written = await store.copy(source, { bucket, key }, described, conditionsOf(headers));
  const { eTag, lastModified } = written;
  const elements = [eTagElement(eTag), element("LastModified", lastModified.toISOString())];
  return { ...xmlOutcome("CopyObjectResult", elements), written };
};

export const deleteObject: Action = ({ bucket, key, headers }, store) => {
  store.delete(bucket, key, headers["if-match"]);
  return { status: 204 };
};

export const deleteObjects: Action = ({ bucket, body }, store) => {
  if (!store.hasBucket(bucket)) {
    throw noSuchBucket(bucket);
  }
  const { objects, quiet } = readDelete(body);
  for (const { key } of objects) {
    store.delete(bucket, key);
  }
  const deleted = objects.map(({ key }) => group("Deleted", [element("Key", key)]));
  return xmlOutcome("DeleteResult", quiet ? [] : deleted);
};

/** The conditions of a write, for the store. */
export function conditionsOf(headers: S3Request["headers"]): WriteConditions {
  return { ifMatch: headers["if-match"], ifNoneMatch: headers["if-none-match"] };
}

/** @throws AwsError InvalidArgument 400 */
export function copySourceOf(headers: S3Request["headers"]): { bucket: string; key: string } {
  const [path = ""] = (headers["x-amz-copy-source"] ?? "").split("?", 1);
  const [, bucket, key] = /^\/?([^/]+)\/(.+)$/s.exec(decodeUri(path)) ?? [];
  if (bucket === undefined || key === undefined) {
    throw new AwsError("InvalidArgument", 400, "Invalid copy source bucket name");
  }
  return { bucket, key };
}
