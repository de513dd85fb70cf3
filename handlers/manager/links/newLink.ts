import type { APIGatewayProxyEvent } from "aws-lambda";
import { isAllowedType } from "../../../events/mediaType/mediaType";
import { MAX_OBJECT_BYTES } from "../../../runtime/multipart/parts";
import { invalid } from "../../../runtime/parameters";
import { jsonBody } from "../../../runtime/requests/jsonBody";
import { acceptMetadata } from "../../../runtime/requests/metadata";
import type { UploadLink } from "../../../store/links/link";

/** Seconds: 30 days. Unfinished uploads in parts live no longer. */
const MAX_EXPIRES_IN = 30 * 24 * 60 * 60;

const MAX_FILES = 1_000_000;

/** Patterns of media types in one link. */
const MAX_TYPES = 50;

/** Characters. */
const MAX_NOTE = 500;

/** RFC 6838's names, or `*` for any. */
const TYPE_PATTERN = /^(\*\/\*|[\w!#$&^.+-]{1,127}\/(\*|[\w!#$&^.+-]{1,127}))$/;

const FIELDS = ["expires_in", "max_files", "max_bytes", "content_types", "metadata", "note"];

/** What a request says of the link to make. */
export interface NewLink extends Pick<
  UploadLink,
  "max_files" | "max_bytes" | "content_types" | "metadata" | "note"
> {
  /** Seconds. */
  expires_in: number;
}

function wholeNumber(
  body: Record<string, unknown>,
  name: string,
  most: number,
  what: string,
): number | undefined {
  const value = body[name];
  if (value === undefined) {
    return undefined;
  }
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 1 || value > most) {
    throw invalid(name, `${name} has to be ${what}: a whole number from 1 to ${most}.`);
  }
  return value;
}

/** @param allowedTypes of the stack */
function contentTypes(
  { content_types: given }: Record<string, unknown>,
  allowedTypes: string[],
): string[] | undefined {
  if (given === undefined) {
    return undefined;
  }
  if (!Array.isArray(given) || given.length < 1 || given.length > MAX_TYPES) {
    throw invalid(
      "content_types",
      `content_types has to be a list of 1 to ${MAX_TYPES} media types, such as ["image/*", "application/pdf"].`,
    );
  }
  const types = given.map((each: unknown) => {
    const type = typeof each === "string" ? each.trim().toLowerCase() : "";
    if (!TYPE_PATTERN.test(type)) {
      throw invalid(
        "content_types",
        `${JSON.stringify(each).slice(0, 100)} is no media type such as image/jpeg or image/*.`,
      );
    }
    if (!isAllowedType(type, allowedTypes)) {
      throw invalid(
        "content_types",
        `Files of type ${type} are not taken here, by no link. Allowed: ${allowedTypes.join(", ")}.`,
      );
    }
    return type;
  });
  return [...new Set(types)];
}

function noteOf({ note: given }: Record<string, unknown>): string | undefined {
  if (given === undefined) {
    return undefined;
  }
  const note = typeof given === "string" ? given.replace(/\r\n?/g, "\n").trim() : "";
  const { length } = Array.from(note);
  if (length < 1 || length > MAX_NOTE || /[^\P{Cc}\n]/u.test(note) || !note.isWellFormed()) {
    throw invalid("note", `note has to be a text of 1 to ${MAX_NOTE} printable characters.`);
  }
  return note;
}

/** The fields that are there. */
function known<T extends object>(fields: T): T {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as T;
}

/**
 * Reads the body of `POST /links`.
 *
 * @param allowedTypes media types that the stack takes: a link takes no others
 * @throws an `HttpError` 400 for an unknown or invalid field
 */
export function newLinkOf(event: APIGatewayProxyEvent, allowedTypes: string[]): NewLink {
  const body = jsonBody(event, FIELDS);
  const expires_in = wholeNumber(
    body,
    "expires_in",
    MAX_EXPIRES_IN,
    "the seconds until the link expires, at most 30 days",
  );
  if (expires_in === undefined) {
    throw invalid(
      "expires_in",
      `expires_in is needed: the seconds until the link expires, from 1 to ${MAX_EXPIRES_IN} (30 days).`,
    );
  }
  return known({
    expires_in,
    max_files: wholeNumber(body, "max_files", MAX_FILES, "the number of files"),
    max_bytes: wholeNumber(body, "max_bytes", MAX_OBJECT_BYTES, "the bytes of a file"),
    content_types: contentTypes(body, allowedTypes),
    metadata: acceptMetadata(body.metadata),
    note: noteOf(body),
  });
}
