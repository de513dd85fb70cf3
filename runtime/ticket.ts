import { createHmac, timingSafeEqual } from "node:crypto";

/** Bytes of a UUID. */
const ID_BYTES = 16;

/** 16 bytes of the link's id and 32 of HMAC-SHA256, in base64url without padding: no bit is spare. */
const TICKET = /^[A-Za-z0-9_-]{64}$/;

/** Keeps the signature apart from any other that the same secret might make. */
const DOMAIN = "upload-link\0";

/**
 * The secrets in the variable `LINK_SECRETS`: in base64, newest first, separated by commas.
 *
 * @throws for one that anybody could guess: a missing one, or one of less than 32 bytes
 */
export function ticketSecrets(variable: string): string[] {
  const secrets = variable.split(",");
  if (!secrets.every((secret) => Buffer.from(secret, "base64").length >= 32)) {
    throw new Error("LINK_SECRETS has to be secrets of 32 bytes in base64, separated by commas.");
  }
  return secrets;
}

function macOf(secret: string, id: Buffer): Buffer {
  return createHmac("sha256", Buffer.from(secret, "base64")).update(DOMAIN).update(id).digest();
}

function uuidOf(id: Buffer): string {
  const hex = id.toString("hex");
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    hex.slice(12, 16),
    hex.slice(16, 20),
    hex.slice(20),
  ].join("-");
}

/**
 * The ticket of an upload link: whoever has it may use the link. It is the last segment of the link's URL
 * and must not be logged.
 *
 * @param secrets in base64, newest first: the first one signs
 * @param linkId a UUID in lower case
 * @returns 64 letters, digits, `-` and `_`
 */
export function sealTicket([secret = ""]: string[], linkId: string): string {
  const id = Buffer.from(linkId.replaceAll("-", ""), "hex");
  return Buffer.concat([id, macOf(secret, id)]).toString("base64url");
}

/**
 * The link that a ticket belongs to.
 *
 * @param secrets in base64: any of them may have signed
 * @returns the link's id; undefined for text that `sealTicket` has not made with one of the secrets
 */
export function openTicket(secrets: string[], ticket: string): string | undefined {
  if (!TICKET.test(ticket)) {
    return undefined;
  }
  const bytes = Buffer.from(ticket, "base64url");
  const id = bytes.subarray(0, ID_BYTES);
  const mac = bytes.subarray(ID_BYTES);
  return secrets.some((secret) => timingSafeEqual(mac, macOf(secret, id))) ? uuidOf(id) : undefined;
}
