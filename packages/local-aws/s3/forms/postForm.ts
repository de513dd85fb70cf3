import { AwsError } from "../../awsError";
import type { HttpRequest } from "../../http";
import { MAX_KEY_BYTES } from "../address";
import type { Content } from "../body/digests";

/** A form that uploads one file (`POST /<bucket>`, multipart/form-data). */
export interface PostForm {
  /** Of the object, with `${filename}` replaced. */
  key: string;
  /** By their names in lower case, those before the file only, with `${filename}` replaced. */
  fields: ReadonlyMap<string, string>;
  /** A view on the request's body, not a copy, or the spooled part of it. */
  file: Content;
}

interface Part {
  name: string;
  fileName: string;
  /** Where the value begins in the body. */
  start: number;
  value: Buffer;
  /** Where the delimiter after the value ends; undefined where there is none. */
  end?: number;
}

// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-HTTPPOSTForms.html
const MAX_FIELDS_BYTES = 20 * 1024;

/** Whether a request's content type is that of a form with a file. */
export function isPostForm(contentType: string | undefined): boolean {
  return /^multipart\/form-data\b/i.test(contentType ?? "");
}

/**
 * Reads a form up to its file; like S3, it ignores all that follows.
 *
 * @throws AwsError PreconditionFailed 412 for another content type; MalformedPOSTRequest,
 *   MaxPostPreDataLengthExceededError, InvalidArgument or KeyTooLongError 400
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/RESTObjectPOST.html
 */
export function readPostForm(
  contentType: string | undefined,
  { body, spooled }: Pick<HttpRequest, "body" | "spooled">,
): PostForm {
  if (!isPostForm(contentType)) {
    throw notAForm();
  }
  const delimiter = delimiterOf(contentType ?? "");
  if (!delimiter) {
    throw malformed();
  }
  const raw = new Map<string, string>();
  let size = 0;
  let part = firstPart(body, delimiter);
  for (; part.name !== "file"; part = nextPart(body, delimiter, part.end)) {
    size += part.name.length + closed(part).value.length;
    if (size > MAX_FIELDS_BYTES) {
      throw new AwsError(
        "MaxPostPreDataLengthExceededError",
        400,
        "Your POST request fields preceding the upload file were too large.",
        { MaxPostPreDataLength: `${MAX_FIELDS_BYTES}` },
      );
    }
    // Otherwise the policy might be checked against one value, and the other be used.
    if (raw.has(part.name)) {
      throw invalidArgument(`The field '${part.name}' was given more than once.`, part.name);
    }
    raw.set(part.name, part.value.toString("utf8"));
  }

  const { fileName, value } = closed(part);
  const fields = new Map(
    [...raw].map(([name, text]): [string, string] => [
      name,
      text.replaceAll("${filename}", () => fileName),
    ]),
  );
  return { key: keyOf(fields), fields, file: spooled ?? value };
}

/**
 * Looks for the file in the first bytes of a form.
 *
 * @param after where to begin: what the call before, with fewer bytes, returned
 * @returns where the file's content begins; or, for too few bytes, where to go on with more of them
 */
export function findFile(
  body: Buffer,
  delimiter: Buffer,
  after?: number,
): { start: number } | { start?: undefined; after: number | undefined } {
  let at = after;
  try {
    for (;;) {
      const part = at === undefined ? firstPart(body, delimiter) : nextPart(body, delimiter, at);
      if (part.name === "file") {
        return { start: part.start };
      }
      at = part.end ?? at;
      closed(part);
    }
  } catch (error) {
    if (error instanceof AwsError) {
      return { after: at };
    }
    throw error;
  }
}

/** What ends each part; undefined for a content type without a boundary. */
export function delimiterOf(contentType: string): Buffer | undefined {
  const [, quoted, plain] = /;\s*boundary=(?:"([^"]+)"|([^\s;]+))/i.exec(contentType) ?? [];
  const boundary = quoted ?? plain;
  return boundary === undefined ? undefined : Buffer.from(`\r\n--${boundary}`);
}

/** The error for a form that lacks a field, or has it after the file. */
export function missingField(name: string): AwsError {
  return invalidArgument(
    `Bucket POST must contain a field named '${name}'.  If it is specified, please check the ` +
      "order of the fields.",
    name,
  );
}

/** The error for a POST to a bucket without a form. */
export function notAForm(): AwsError {
  return new AwsError(
    "PreconditionFailed",
    412,
    "At least one of the pre-conditions you specified did not hold",
    { Condition: "Bucket POST must be of the enclosure-type multipart/form-data" },
  );
}

function keyOf(fields: ReadonlyMap<string, string>): string {
  const key = fields.get("key");
  if (key === undefined) {
    throw missingField("key");
  }
  if (key === "") {
    throw invalidArgument("User key must have a length greater than 0.", "key");
  }
  const bytes = Buffer.byteLength(key);
  if (bytes <= MAX_KEY_BYTES) {
    return key;
  }
  throw new AwsError("KeyTooLongError", 400, "Your key is too long", {
    Size: `${bytes}`,
    MaxSizeAllowed: `${MAX_KEY_BYTES}`,
  });
}

/** At the start of the body, the first delimiter has no line break before it. */
function firstPart(body: Buffer, delimiter: Buffer): Part {
  const opening = delimiter.subarray(2);
  if (body.subarray(0, opening.length).equals(opening)) {
    return nextPart(body, delimiter, opening.length);
  }
  const at = body.indexOf(delimiter);
  if (at < 0) {
    throw malformed();
  }
  return nextPart(body, delimiter, at + delimiter.length);
}

function closed(part: Part): Part {
  if (part.end === undefined) {
    throw malformed();
  }
  return part;
}

/** @param at where the delimiter before the part ends */
function nextPart(body: Buffer, delimiter: Buffer, at: number | undefined): Part {
  if (at === undefined) {
    throw malformed();
  }
  if (body.toString("latin1", at, at + 2) === "--") {
    throw invalidArgument("POST requires exactly one file upload per request.", "file", "0");
  }
  const headersEnd = body.indexOf("\r\n\r\n", at);
  // Without a limit, a body that only resembles a form would become a string of its whole size.
  if (headersEnd < 0 || headersEnd - at > MAX_FIELDS_BYTES) {
    throw malformed();
  }
  const headers = body.toString("utf8", at, headersEnd);
  const start = headersEnd + 4;
  const end = body.indexOf(delimiter, start);
  const disposition = /^content-disposition:[ \t]*form-data;(.*)$/im.exec(headers)?.[1];
  const name = parameterOf(disposition, "name");
  if (name === undefined) {
    throw malformed();
  }
  return {
    name: name.toLowerCase(),
    // Some browsers send a whole path.
    fileName: /[^/\\]*$/.exec(parameterOf(disposition, "filename") ?? "")?.[0] ?? "",
    start,
    value: body.subarray(start, end < 0 ? body.length : end),
    end: end < 0 ? undefined : end + delimiter.length,
  };
}

function parameterOf(disposition: string | undefined, name: string): string | undefined {
  const parameter = new RegExp(`(?:^|[;\\s])${name}=(?:"((?:\\\\"|[^"])*)"|([^\\s;]+))`, "i");
  const [, quoted, plain] = parameter.exec(disposition ?? "") ?? [];
  return quoted?.replaceAll('\\"', '"') ?? plain;
}

function malformed(): AwsError {
  return new AwsError(
    "MalformedPOSTRequest",
    400,
    "The body of your POST request is not well-formed multipart/form-data.",
  );
}

function invalidArgument(message: string, name: string, value = ""): AwsError {
  return new AwsError("InvalidArgument", 400, message, {
    ArgumentName: name,
    ArgumentValue: value,
  });
}
