import { createHmac, createSecretKey, type KeyObject, timingSafeEqual } from "node:crypto";
import type { Secret, SecretOf, ServiceErrors } from "../service";
import type { Claim, Scope } from "./claim";

/**
 * Looks up the secret of the key that a request claims.
 *
 * @throws AwsError for an unknown key, or another session token than the key's
 */
export function findSecret(
  errors: ServiceErrors,
  { accessKeyId, sessionToken }: Pick<Claim, "accessKeyId" | "sessionToken">,
  secretOf: SecretOf,
): Secret {
  const message = "The security token included in the request is invalid.";
  const secret = secretOf(accessKeyId);
  if (!secret) {
    throw errors.refuse("unknownKey", message);
  }
  if (!isEqual(sessionToken ?? "", secret.sessionToken ?? "")) {
    throw errors.refuse("badToken", message);
  }
  return secret;
}

/** @throws AwsError where the claim's signature is not the one of `stringToSign` */
export function checkSignature(
  errors: ServiceErrors,
  { secretAccessKey }: Secret,
  claim: Scope & Pick<Claim, "signature">,
  stringToSign: string,
): void {
  const expected = hmac(signingKey(secretAccessKey, claim), stringToSign).toString("hex");
  if (isEqual(expected, claim.signature)) {
    return;
  }
  throw errors.refuse(
    "mismatch",
    "The request signature we calculated does not match the signature you provided. Check your " +
      "AWS Secret Access Key and signing method.",
  );
}

function isEqual(a: string, b: string): boolean {
  const [x, y] = [Buffer.from(a), Buffer.from(b)];
  return x.length === y.length && timingSafeEqual(x, y);
}

function hmac(key: string | Buffer | KeyObject, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}

// Deriving a key takes four HMACs, and the result is valid for a day; a runner has a few dozen keys.
// A key object is prepared once, not for each signature, which takes longer than the HMAC.
const signingKeys = new Map<string, KeyObject>();
const MAX_SIGNING_KEYS = 1000;

function signingKey(secretAccessKey: string, { date, region, service }: Scope): KeyObject {
  const name = [secretAccessKey, date, region, service].join("/");
  const known = signingKeys.get(name);
  if (known) {
    return known;
  }

  let bytes = hmac(`AWS4${secretAccessKey}`, date);
  for (const part of [region, service, "aws4_request"]) {
    bytes = hmac(bytes, part);
  }
  const key = createSecretKey(bytes);
  if (signingKeys.size >= MAX_SIGNING_KEYS) {
    signingKeys.clear();
  }
  signingKeys.set(name, key);
  return key;
}
