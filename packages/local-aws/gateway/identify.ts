import type { HttpRequest } from "../http";
import type { Principal } from "../iam/principal";
import type { SecretOf, ServiceApi, SignedCall } from "./service";
import { verifySignature } from "./signature/verify";

/** The callers, by their access keys. */
export interface Principals {
  find(accessKeyId: string): Principal | undefined;
}

/**
 * Identifies the caller by the signature in the request's header or query.
 *
 * @throws AwsError where the signature does not hold, or is for another region
 */
export function identify(
  principals: Principals,
  region: string,
  service: ServiceApi,
  request: HttpRequest,
): Principal {
  const { principal, signed } = findSigner(principals, (secretOf) =>
    verifySignature(service, request, secretOf, new Date()),
  );
  const isForHere =
    signed.region === region || service.signing.takesRegion?.(request, signed.region) === true;
  if (!isForHere) {
    const message = `The region '${signed.region}' is wrong; expecting '${region}'`;
    throw service.errors.refuse("wrongRegion", message, { Region: region });
  }
  return principal;
}

/** @param verify checks the signature, with the secret of its own key */
export function findSigner(
  principals: Principals,
  verify: (secretOf: SecretOf) => SignedCall,
): { principal: Principal; signed: SignedCall } {
  let principal: Principal | undefined;
  const signed = verify((accessKeyId) => (principal = principals.find(accessKeyId)));
  if (!principal) {
    throw new Error("A signature was accepted for an access key that does not exist");
  }
  return { principal, signed };
}
