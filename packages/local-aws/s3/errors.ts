import { AwsError } from "../awsError";
import type { ServiceErrors } from "../gateway/service";
import { denialMessage, refusalsIn } from "../protocols/refusals";
import { escapeXml } from "../xml";
import { CHECKSUMS } from "./body/digests";

/** AWS names one of its hosts; clients only log it. */
const HOST_ID = "local-aws";

/** S3's errors: XML of its own, with `details` as further elements. */
export const s3Errors: ServiceErrors = {
  render: (error, requestId) => {
    const details = Object.entries(error.details).map(
      ([name, value]) => `<${name}>${escapeXml(value)}</${name}>`,
    );
    return {
      status: error.status,
      headers: { "content-type": "application/xml", "x-amz-request-id": requestId },
      body: Buffer.from(
        `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${escapeXml(error.code)}</Code>` +
          `<Message>${escapeXml(error.message)}</Message>${details.join("")}` +
          `<RequestId>${requestId}</RequestId><HostId>${HOST_ID}</HostId></Error>`,
      ),
    };
  },
  // https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
  refuse: refusalsIn({
    algorithm: ["InvalidRequest", 400, () => unsupportedAlgorithm().message],
    badToken: ["InvalidToken", 400, () => "The provided token is malformed or otherwise invalid."],
    expired: ["AccessDenied", 403],
    incomplete: ["AuthorizationHeaderMalformed", 400],
    mismatch: ["SignatureDoesNotMatch", 403],
    missing: ["AccessDenied", 403],
    skewed: [
      "RequestTimeTooSkewed",
      403,
      () => "The difference between the request time and the current time is too large.",
    ],
    unknownKey: [
      "InvalidAccessKeyId",
      403,
      () => "The AWS Access Key Id you provided does not exist in our records.",
    ],
    wrongRegion: ["AuthorizationHeaderMalformed", 400],
  }),
  deny: (denial) =>
    new AwsError(
      "AccessDenied",
      403,
      denialMessage({ ...denial, resource: `"${denial.resource}"` }),
    ),
  internal: "InternalError",
  unavailable: "ServiceUnavailable",
};

/** InvalidRequest 400. */
export function unsupportedAlgorithm(): AwsError {
  return new AwsError(
    "InvalidRequest",
    400,
    "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.",
  );
}

/** InvalidRequest 400. */
export function unsupportedChecksum(): AwsError {
  return new AwsError(
    "InvalidRequest",
    400,
    "Checksum algorithm provided is unsupported. Please try again with any of the valid types: " +
      `[${CHECKSUMS.map((name) => name.toUpperCase()).join(", ")}]`,
  );
}
