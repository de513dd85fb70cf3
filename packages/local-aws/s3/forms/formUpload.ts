import type { HttpRequest, HttpResponse } from "../../http";
import { escapeXml } from "../../xml";
import { headerBytes } from "../actions/headerValues";
import { readTagDocument, tagQuery } from "../actions/tags";
import type { S3Address } from "../address";
import { withoutChunked } from "../body/chunks";
import { CHECKSUMS, digestOf } from "../body/digests";
import { unsupportedChecksum } from "../errors";
import type { S3Request } from "../request";
import { isPostForm, type PostForm, readPostForm } from "./postForm";

/** Fields that become headers of the write. */
const HEADER_FIELDS =
  /^(content-(type|disposition|encoding|language)|cache-control|expires|x-amz-(meta|checksum|server-side-encryption|object-lock|grant|write)-.+|x-amz-(server-side-encryption|storage-class|website-redirect-location))$/;

const STATUSES = ["200", "201", "204"];

/** The form in a POST to a bucket; undefined for another request. */
export function formOf(request: HttpRequest, { key, query }: S3Address): PostForm | undefined {
  const { method, headers } = request;
  const isUpload = method === "POST" && key === "" && !("delete" in query);
  if (!isUpload || !isPostForm(headers["content-type"])) {
    return undefined;
  }
  return readPostForm(headers["content-type"], request);
}

/**
 * The write that a form stands for: the file under its key, with its fields as headers.
 *
 * @throws AwsError InvalidRequest 400 for a checksum algorithm that is not supported
 */
export function writeOf({ bucket }: S3Request, { key, fields, file }: PostForm): S3Request {
  const headers = Object.fromEntries(
    [...fields]
      .filter(([name]) => HEADER_FIELDS.test(name))
      .map(([name, text]) => [name, headerBytes(text)]),
  );
  const acl = fields.get("acl") ?? fields.get("x-amz-acl");
  if (acl !== undefined) {
    headers["x-amz-acl"] = acl;
  }
  const tagging = fields.get("tagging");
  if (tagging !== undefined) {
    headers["x-amz-tagging"] = tagQuery(readTagDocument(Buffer.from(tagging)));
  }
  // The policy was checked on the file as it is: it is not in chunks, whatever the field says.
  headers["content-encoding"] = withoutChunked(headers["content-encoding"]) ?? "";
  delete headers["x-amz-checksum-algorithm"];
  const algorithm = fields.get("x-amz-checksum-algorithm")?.toLowerCase();
  // A form may name the algorithm only, and leave the checksum to S3.
  if (algorithm !== undefined) {
    if (!CHECKSUMS.some((known) => known === algorithm)) {
      throw unsupportedChecksum();
    }
    headers[`x-amz-checksum-${algorithm}`] ??= digestOf(algorithm, file).toString("base64");
  }
  const nothing = Buffer.alloc(0);
  return { method: "PUT", bucket, key, query: {}, headers, body: nothing, content: file };
}

/**
 * S3's answer to a form, made from the headers that answer its write.
 *
 * @param host the request's Host header, for the object's address
 */
export function answerForm(
  { bucket, key }: S3Request,
  { fields }: PostForm,
  host: string,
  written: Readonly<Record<string, string>>,
): HttpResponse {
  const eTag = written.etag ?? "";
  const headers: Record<string, string> = { ...written };
  const target = redirectOf(fields, { bucket, key, etag: eTag });
  if (target !== undefined) {
    return { status: 303, headers: { ...headers, location: target }, body: Buffer.alloc(0) };
  }
  // S3 encodes the key's slashes, too.
  headers.location = `http://${host}/${bucket}/${encodeURIComponent(key)}`;
  const wanted = fields.get("success_action_status") ?? "";
  const status = STATUSES.includes(wanted) ? Number(wanted) : 204;
  if (status !== 201) {
    return { status, headers, body: Buffer.alloc(0) };
  }
  const document =
    '<?xml version="1.0" encoding="UTF-8"?>\n<PostResponse>' +
    `<Location>${escapeXml(headers.location)}</Location><Bucket>${bucket}</Bucket>` +
    `<Key>${escapeXml(key)}</Key><ETag>${escapeXml(eTag)}</ETag></PostResponse>`;
  return {
    status,
    headers: { ...headers, "content-type": "application/xml" },
    body: Buffer.from(document),
  };
}

function redirectOf(fields: PostForm["fields"], about: Record<string, string>): string | undefined {
  const target = fields.get("success_action_redirect") ?? fields.get("redirect");
  if (target === undefined || !URL.canParse(target)) {
    return undefined;
  }
  const url = new URL(target);
  if (!/^https?:$/.test(url.protocol)) {
    return undefined;
  }
  for (const [name, value] of Object.entries(about)) {
    url.searchParams.append(name, value);
  }
  return url.href;
}
