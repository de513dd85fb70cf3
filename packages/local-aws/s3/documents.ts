import { AwsError, notImplemented } from "../awsError";
import { childrenOf, childText, parseXml, type XmlElement } from "../xml";
import type { CompletedPart } from "./store/multipart";

/** Bytes; above what the largest DeleteObjects or CompleteMultipartUpload needs. */
const MAX_DOCUMENT_BYTES = 8 << 20;

const MAX_DELETED_OBJECTS = 1000;
const MAX_PARTS = 10_000;

/** The body of a DeleteObjects. */
export interface DeleteDocument {
  objects: { key: string; versionId?: string }[];
  /** The answer names failures only. */
  quiet: boolean;
}

/**
 * Reads a body in XML.
 *
 * @param root the name that its root must have
 * @throws AwsError MalformedXML 400, also where the root has another name
 */
export function readDocument(body: Buffer, root: string): XmlElement {
  if (body.length > MAX_DOCUMENT_BYTES) {
    throw new AwsError("MaxMessageLengthExceeded", 400, "Your request was too large.", {
      MaxMessageLengthBytes: String(MAX_DOCUMENT_BYTES),
    });
  }
  let document: XmlElement;
  try {
    document = parseXml(body);
  } catch (error) {
    throw malformed(error instanceof Error ? error.message : String(error));
  }
  if (document.name !== root) {
    throw malformed(`The root element is ${root}, not ${document.name}.`);
  }
  return document;
}

/**
 * Reads the body of a DeleteObjects.
 *
 * @throws AwsError MalformedXML 400 for no object, more than 1,000, or one without a key;
 *   NotImplemented 501 for conditions
 */
export function readDelete(body: Buffer): DeleteDocument {
  const document = readDocument(body, "Delete");
  const objects = childrenOf(document, "Object");
  if (objects.length === 0 || objects.length > MAX_DELETED_OBJECTS) {
    throw malformed(
      `There are 1 to ${MAX_DELETED_OBJECTS} Object elements, not ${objects.length}.`,
    );
  }
  return {
    objects: objects.map((object) => {
      for (const condition of ["ETag", "LastModifiedTime", "Size"]) {
        if (childText(object, condition) !== undefined) {
          throw notImplemented("s3:DeleteObjects", ` with ${condition}`);
        }
      }
      const key = childText(object, "Key");
      if (!key) {
        throw malformed("An Object element has no Key.");
      }
      return { key, versionId: childText(object, "VersionId") };
    }),
    quiet: childText(document, "Quiet")?.trim().toLowerCase() === "true",
  };
}

/**
 * Reads the body of a CompleteMultipartUpload.
 *
 * @throws AwsError MalformedXML 400 for no part, more than 10,000, or one without number or ETag
 */
export function readCompletedParts(body: Buffer): CompletedPart[] {
  const parts = childrenOf(readDocument(body, "CompleteMultipartUpload"), "Part");
  if (parts.length === 0 || parts.length > MAX_PARTS) {
    throw malformed(`There are 1 to ${MAX_PARTS} Part elements, not ${parts.length}.`);
  }
  return parts.map((part) => {
    const number = childText(part, "PartNumber")?.trim() ?? "";
    const eTag = childText(part, "ETag")?.trim();
    if (!/^\d{1,9}$/.test(number) || !eTag) {
      throw malformed("A Part element has no PartNumber or no ETag.");
    }
    return { number: Number(number), eTag, checksums: checksumsOf(part) };
  });
}

/** @param reason follows S3's own message, which says nothing of what is wrong */
export function malformed(reason: string): AwsError {
  return new AwsError(
    "MalformedXML",
    400,
    "The XML you provided was not well-formed or did not validate against our published schema. " +
      reason,
  );
}

/** Checksums by algorithm, from elements such as ChecksumCRC32. */
function checksumsOf({ children }: XmlElement): Record<string, string> {
  return Object.fromEntries(
    children.flatMap(({ name, text }) => {
      const [, algorithm] = /^Checksum([A-Z0-9]+)$/.exec(name) ?? [];
      return algorithm === undefined ? [] : [[algorithm, text.trim()]];
    }),
  );
}
