import { createHmac, timingSafeEqual } from "node:crypto";

/** Bytes of an HMAC-SHA256. */
const MAC_BYTES = 32;

/** Characters. API Gateway takes no longer request line; what is longer is not worth decoding. */
const MAX_CURSOR_LENGTH = 8192;

function macOf(secret: string, scope: string, text: string): Buffer {
  // As JSON, no end of a scope can be taken for the beginning of a payload.
  return createHmac("sha256", secret)
    .update(JSON.stringify([scope, text]))
    .digest();
}

/**
 * Makes a cursor: text for a client to send back as it is. It can be read by those who try, but
 * not made or changed without the secret.
 *
 * @param scope the query that the cursor belongs to: another one does not take it
 * @param payload what `openCursor` shall give back; it must survive JSON
 *
 * @returns base64url: letters, digits, `-` and `_`
 */
export function sealCursor(secret: string, scope: string, payload: object): string {
  const text = JSON.stringify(payload);
  return Buffer.concat([macOf(secret, scope, text), Buffer.from(text)]).toString("base64url");
}

/**
 * Reads a cursor.
 *
 * @returns the payload; undefined for every text that `sealCursor` has not made with this very
 *   secret and scope
 */
export function openCursor(secret: string, scope: string, cursor: string): unknown {
  if (cursor.length > MAX_CURSOR_LENGTH) {
    return undefined;
  }
  const bytes = Buffer.from(cursor, "base64url");
  // Node skips what is not base64url and drops spare bits: many texts stand for the same bytes.
  if (bytes.length < MAC_BYTES || bytes.toString("base64url") !== cursor) {
    return undefined;
  }
  const text = bytes.subarray(MAC_BYTES).toString();
  if (!timingSafeEqual(bytes.subarray(0, MAC_BYTES), macOf(secret, scope, text))) {
    return undefined;
  }
  return JSON.parse(text);
}
