import { createHmac, timingSafeEqual } from "node:crypto";
import { invalid } from "../../runtime/parameters";
import type { ManagerContext } from "./request";

type CursorContext = Pick<ManagerContext, "cursorSecret">;

/** Bytes of an HMAC-SHA256. */
const MAC_BYTES = 32;

/** Characters; API Gateway's limit for a request line. */
const MAX_CURSOR_LENGTH = 8192;

function macOf(secret: string, scope: string, text: string): Buffer {
  // JSON keeps the end of the scope apart from the beginning of the payload.
  return createHmac("sha256", secret)
    .update(JSON.stringify([scope, text]))
    .digest();
}

/**
 * Makes a cursor: signed text for a client to send back unchanged. Not encrypted.
 *
 * @param scope the query that the cursor belongs to; no other accepts it
 * @param payload for `openCursor`; must be valid JSON
 * @returns base64url: letters, digits, `-` and `_`
 */
export function sealCursor(secret: string, scope: string, payload: object): string {
  const text = JSON.stringify(payload);
  return Buffer.concat([macOf(secret, scope, text), Buffer.from(text)]).toString("base64url");
}

/**
 * Reads a cursor.
 *
 * @returns the payload; undefined for text that `sealCursor` has not made with this secret and scope
 */
export function openCursor(secret: string, scope: string, cursor: string): unknown {
  if (cursor.length > MAX_CURSOR_LENGTH) {
    return undefined;
  }
  const bytes = Buffer.from(cursor, "base64url");
  // Node ignores invalid characters and spare bits: different texts may decode to the same bytes.
  if (bytes.length < MAC_BYTES || bytes.toString("base64url") !== cursor) {
    return undefined;
  }
  const text = bytes.subarray(MAC_BYTES).toString();
  if (!timingSafeEqual(bytes.subarray(0, MAC_BYTES), macOf(secret, scope, text))) {
    return undefined;
  }
  return JSON.parse(text);
}

/**
 * The position in a cursor.
 *
 * @returns what `cursorAt` was given, with this secret and scope; undefined without a cursor
 * @throws an `HttpError` 400 for text that is not a cursor of this query
 */
export function positionOf(
  { cursorSecret }: CursorContext,
  scope: string,
  cursor: string | undefined,
): unknown {
  if (cursor === undefined) {
    return undefined;
  }
  const position = openCursor(cursorSecret, scope, cursor);
  if (position === undefined) {
    throw invalid(
      "cursor",
      "This is no cursor of this query: send next_cursor as it came, with the same parameters.",
    );
  }
  return position;
}

/** The cursor for a page's `next`; null: it is the last page. */
export function cursorAt(
  { cursorSecret }: CursorContext,
  scope: string,
  next: object | undefined,
): string | null {
  return next ? sealCursor(cursorSecret, scope, next) : null;
}
