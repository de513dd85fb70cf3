import { element, group } from "../../xml";
import {
  continuationToken,
  encodeName,
  type ListingRequest,
  readListingRequest,
} from "../store/listingRequest";
import type { ListedObject, Page } from "../store/objects";
import { type Action, eTagElement, type Outcome, OWNER, xmlOutcome } from "./action";

/** ListObjects and ListObjectsV2. */
export const listObjects: Action = ({ bucket, query }, store) => {
  const request = readListingRequest(query);
  return render(bucket, query, request, store.list(bucket, request.page));
};

function render(
  bucket: string,
  query: Readonly<Record<string, string>>,
  { version, page: { prefix, delimiter, maxKeys }, encode, fetchOwner }: ListingRequest,
  { objects, commonPrefixes, isTruncated, next }: Page,
): Outcome {
  const nameElement = (name: string, text: string | undefined) =>
    element(name, text !== undefined && encode ? encodeName(text) : text);
  const objectElement = ({ key, size, eTag, lastModified, storageClass }: ListedObject) =>
    group("Contents", [
      nameElement("Key", key),
      element("LastModified", lastModified.toISOString()),
      eTagElement(eTag),
      element("Size", size),
      fetchOwner ? OWNER : "",
      element("StorageClass", storageClass),
    ]);
  return xmlOutcome("ListBucketResult", [
    element("Name", bucket),
    nameElement("Prefix", prefix),
    nameElement("Delimiter", delimiter === "" ? undefined : delimiter),
    element("MaxKeys", maxKeys),
    element("EncodingType", encode ? "url" : undefined),
    element("IsTruncated", isTruncated),
    ...(version === 1
      ? [
          nameElement("Marker", query.marker ?? ""),
          nameElement("NextMarker", delimiter === "" ? undefined : next),
        ]
      : [
          element("KeyCount", objects.length + commonPrefixes.length),
          nameElement("StartAfter", query["start-after"]),
          element("ContinuationToken", query["continuation-token"]),
          element("NextContinuationToken", next && continuationToken(next)),
        ]),
    ...objects.map(objectElement),
    ...commonPrefixes.map((name) => group("CommonPrefixes", [nameElement("Prefix", name)])),
  ]);
}
