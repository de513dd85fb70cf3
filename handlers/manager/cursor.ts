import { createHmac, timingSafeEqual } from "node:crypto";

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
