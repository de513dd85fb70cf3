import { element, group } from "../../xml";
import { MAX_KEY_BYTES } from "../address";
import { readDelete } from "../documents";
import { noSuchBucket } from "../store/errors";
import { type Action, conditionsOf, xmlOutcome } from "./action";
import { checksumHeaders, describeObject } from "./description";
import { readTagQuery } from "./tags";
import { checkWriteHeaders } from "./writeHeaders";

export const putObject: Action = ({ bucket, key, headers, content }, store) => {
  checkWriteHeaders(headers);
  const description = { ...describeObject(headers), tags: readTagQuery(headers["x-amz-tagging"]) };
  const written = store.put(bucket, key, content, description, conditionsOf(headers));
  const { eTag, checksums } = written;
  return {
    headers: { etag: `"${eTag}"`, ...checksumHeaders(checksums?.values, checksums?.type) },
    written,
  };
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
  const results = objects.map(({ key, versionId = "null" }) => {
    if (Buffer.byteLength(key) > MAX_KEY_BYTES) {
      return refusal({ key, code: "KeyTooLongError", message: "Your key is too long" });
    }
    // Without versions, the only one of an object is `null`.
    if (versionId !== "null") {
      const message = "The specified version does not exist.";
      return refusal({ key, versionId, code: "NoSuchVersion", message });
    }
    store.delete(bucket, key);
    return quiet ? "" : group("Deleted", [element("Key", key)]);
  });
  return xmlOutcome("DeleteResult", results);
};

function refusal(about: {
  key: string;
  versionId?: string;
  code: string;
  message: string;
}): string {
  return group("Error", [
    element("Key", about.key),
    element("VersionId", about.versionId),
    element("Code", about.code),
    element("Message", about.message),
  ]);
}
