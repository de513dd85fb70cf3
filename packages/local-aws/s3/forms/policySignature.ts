import { AwsError } from "../../awsError";
import type { SecretOf, SignedCall } from "../../gateway/service";
import { ALGORITHM, parseScope } from "../../gateway/signature/claim";
import { checkSignature, findSecret } from "../../gateway/signature/secret";
import { s3Errors, unsupportedAlgorithm } from "../errors";
import { missingField, type PostForm } from "./postForm";

const SIGNATURE_FIELDS = ["x-amz-algorithm", "x-amz-credential", "x-amz-date", "x-amz-signature"];

/**
 * Checks the Signature Version 4 of a form's policy, and that it is for `region`. The time until
 * which the form is valid is part of the policy itself.
 *
 * @throws AwsError with the code and status of S3; AccessDenied 403 for a form without a signature
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-authentication-HTTPPOST.html
 */
export function verifyPostForm(
  { fields }: PostForm,
  secretOf: SecretOf,
  region: string,
): SignedCall {
  const isSigned = SIGNATURE_FIELDS.some((name) => fields.has(name));
  if (!isSigned && fields.has("policy") && fields.has("signature")) {
    throw unsupportedAlgorithm();
  }
  if (!isSigned) {
    throw new AwsError("AccessDenied", 403, "Access Denied");
  }
  const demand = (name: string): string => {
    const value = fields.get(name);
    if (value === undefined) {
      throw missingField(name);
    }
    return value;
  };
  // Signed is the policy in base64, exactly as in the form.
  const policy = demand("policy");
  const algorithm = demand("x-amz-algorithm");
  const credential = demand("x-amz-credential");
  const timestamp = demand("x-amz-date");
  const signature = demand("x-amz-signature");

  if (algorithm !== ALGORITHM) {
    throw badParameter("Algorithm", `only ${ALGORITHM} is supported`);
  }
  const scope = parseScope(credential);
  if (scope?.service !== "s3") {
    throw badParameter(
      "Credential",
      "it must have the form <access key id>/<yyyymmdd>/<region>/s3/aws4_request",
    );
  }
  if (!/^\d{8}T\d{6}Z$/.test(timestamp) || !timestamp.startsWith(scope.date)) {
    throw badParameter("Date", `it must begin with the credential's date (${scope.date})`);
  }
  const sessionToken = fields.get("x-amz-security-token");
  const secret = findSecret(s3Errors, { ...scope, sessionToken }, secretOf);
  checkSignature(s3Errors, secret, { ...scope, signature }, policy);
  if (scope.region !== region) {
    throw badParameter(
      "Credential",
      `the region '${scope.region}' is wrong; expecting '${region}'`,
    );
  }
  return {
    accessKeyId: scope.accessKeyId,
    service: scope.service,
    region: scope.region,
    presigned: true,
  };
}

function badParameter(name: string, why: string): AwsError {
  const message = `Error parsing the X-Amz-${name} parameter; ${why}`;
  return new AwsError("AuthorizationQueryParametersError", 400, message);
}
