import { ACCOUNT_ID } from "../../fauxqs/fauxqs";
import type { HttpResponse } from "../../http";
import { element, group } from "../../xml";
import type { S3Request } from "../request";
import type { WriteConditions } from "../store/conditions";
import type { UploadAddress } from "../store/multipart";
import type { StoredObject } from "../store/objects";
import type { ObjectStore } from "../store/objectStore";

/** The owner of everything. */
export const OWNER = group("Owner", [element("ID", ACCOUNT_ID), element("DisplayName", "local")]);

/** The effect of an operation: its answer, and the object that it wrote, if it wrote one. */
export interface Outcome extends Partial<HttpResponse> {
  written?: StoredObject;
}

/**
 * Carries out an operation. What it checks and changes happens before it returns, so that
 * conditional writes are atomic; only copies of more than one file take longer.
 *
 * @throws AwsError
 */
export type Action = (request: S3Request, store: ObjectStore) => Outcome | Promise<Outcome>;

/** An answer in XML, in S3's namespace. */
export function xmlOutcome(root: string, children: readonly string[]): Outcome {
  const content = children.filter((child) => child !== "").join("");
  return {
    headers: { "content-type": "application/xml" },
    body: Buffer.from(
      '<?xml version="1.0" encoding="UTF-8"?>\n' +
        `<${root} xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${content}</${root}>`,
    ),
  };
}

/** An ETag as an element. */
export function eTagElement(eTag: string): string {
  return element("ETag", `"${eTag}"`);
}

/** The conditions of a write, for the store. */
export function conditionsOf(headers: S3Request["headers"]): WriteConditions {
  return { ifMatch: headers["if-match"], ifNoneMatch: headers["if-none-match"] };
}

/** The multipart upload that a request is for. */
export function addressOf({ bucket, key, query }: S3Request): UploadAddress {
  return { bucket, key, uploadId: query.uploadId ?? "" };
}
