import { hash } from "node:crypto";
import type { HttpRequest } from "../../http";
import { splitUrl } from "../../url";
import type { SecretOf, ServiceApi, ServiceErrors, SignedCall } from "../service";
import { canonicalRequest } from "./canonicalRequest";
import { ALGORITHM, type Claim, readClaim } from "./claim";
import { checkSignature, findSecret } from "./secret";

const MAX_SKEW_MS = 15 * 60 * 1000;

/**
 * Checks a request's AWS Signature Version 4, in the Authorization header or presigned, and those in
 * its body.
 *
 * @param service the one the request is for, with its errors and signing rules
 * @param now compared with the request's own time; 15 minutes of difference are allowed
 * @returns the signer, the service and the region; the caller judges the region
 * @throws AwsError with the code and status of the service
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */
export function verifySignature(
  { name, errors, signing }: Pick<ServiceApi, "name" | "errors" | "signing">,
  request: HttpRequest,
  secretOf: SecretOf,
  now: Date,
): SignedCall {
  const url = splitUrl(request.url);
  const claim = readClaim(errors, request, url.query);
  const { accessKeyId, service, region, presigned, timestamp, signature } = claim;

  if (service !== name) {
    const message = `Credential should be scoped to correct service: '${name}'`;
    throw errors.refuse("incomplete", message);
  }
  checkTime(errors, claim, now);
  const signed = new Set(claim.signedHeaders);
  signing.checkSignedHeaders?.(request, signed);
  if (!signed.has("host")) {
    throw errors.refuse(
      "mismatch",
      "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.",
    );
  }
  const secret = findSecret(errors, claim, secretOf);

  const scope = `${claim.date}/${region}/${service}/aws4_request`;
  const canonical = canonicalRequest(signing, request, url, claim);
  const stringToSign = [ALGORITHM, timestamp, scope, hash("sha256", canonical)].join("\n");
  checkSignature(errors, secret, claim, stringToSign);
  signing.checkBody?.(request, {
    signature,
    timestamp,
    scope,
    check: (of, text) => {
      checkSignature(errors, secret, { ...claim, signature: of }, text);
    },
  });
  return { accessKeyId, service, region, presigned };
}

function checkTime(errors: ServiceErrors, claim: Claim, now: Date): void {
  const { timestamp } = claim;
  const parts = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(timestamp);
  if (!parts || !timestamp.startsWith(claim.date)) {
    throw errors.refuse(
      "incomplete",
      `The date must have the form yyyymmddThhmmssZ and begin with the credential's date ` +
        `(${claim.date}), not ${timestamp}`,
    );
  }
  const [, year, month, day, hour, minute, second] = parts.map(Number);
  const signed = Date.UTC(year ?? 0, (month ?? 0) - 1, day, hour, minute, second);
  const age = now.getTime() - signed;

  if (claim.presigned) {
    if (age < -MAX_SKEW_MS) {
      throw errors.refuse("expired", "Request is not yet valid");
    }
    if (age > claim.expires * 1000) {
      throw errors.refuse("expired", "Request has expired");
    }
    return;
  }
  if (Math.abs(age) <= MAX_SKEW_MS) {
    return;
  }
  throw errors.refuse(
    "skewed",
    `Signature expired: ${timestamp} is more than 15 minutes from ${now.toISOString()}`,
  );
}
