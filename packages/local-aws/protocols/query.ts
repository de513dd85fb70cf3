import { AwsError } from "../awsError";
import type { ServiceErrors } from "../gateway/service";
import type { HttpRequest } from "../http";
import { escapeXml } from "../xml";
import { denialMessage, refusalsIn } from "./refusals";

/** Settings of a service that speaks the AWS query protocol (forms, answered in XML). */
export interface QueryErrorOptions {
  /** Of its XML. */
  namespace: string;
  /** The code of a denied call (403). */
  denied: string;
}

/** Whether a request is of the query protocol, by its body's type or an `Action` in its URL. */
export function isQueryRequest({ url, headers }: HttpRequest): boolean {
  return (
    headers["content-type"]?.toLowerCase().startsWith("application/x-www-form-urlencoded") ===
      true || /[?&]Action=/.test(url)
  );
}

/** The parameters of a request. */
export function formOf(request: HttpRequest): URLSearchParams {
  return new URLSearchParams(request.body.toString("utf8"));
}

/** @throws AwsError InvalidParameter 400 for a field that is missing or empty */
export function formField(form: URLSearchParams, name: string): string {
  const value = form.get(name);
  if (value) {
    return value;
  }
  throw new AwsError("InvalidParameter", 400, `Invalid parameter: ${name} is missing`);
}

/** The errors of a service that speaks the query protocol. */
export function queryErrors({ namespace, denied }: QueryErrorOptions): ServiceErrors {
  return {
    render: (error, requestId) => ({
      status: error.status,
      headers: { "content-type": "text/xml", "x-amzn-requestid": requestId },
      body: Buffer.from(
        `<ErrorResponse xmlns="${namespace}"><Error>` +
          `<Type>${faultOf(error)}</Type><Code>${escapeXml(error.code)}</Code>` +
          `<Message>${escapeXml(error.message)}</Message></Error>` +
          `<RequestId>${requestId}</RequestId></ErrorResponse>`,
      ),
    }),
    refuse,
    deny: (denial) => new AwsError(denied, 403, denialMessage(denial)),
    internal: "InternalFailure",
  };
}

/** The errors of EC2, whose form of the query protocol is its own. */
export function ec2Errors(): ServiceErrors {
  return {
    ...queryErrors({ namespace: "", denied: "UnauthorizedOperation" }),
    render: (error, requestId) => ({
      status: error.status,
      headers: { "content-type": "text/xml;charset=UTF-8", "x-amzn-requestid": requestId },
      body: Buffer.from(
        `<?xml version="1.0" encoding="UTF-8"?>\n<Response><Errors><Error>` +
          `<Code>${escapeXml(error.code)}</Code><Message>${escapeXml(error.message)}</Message>` +
          `</Error></Errors><RequestID>${requestId}</RequestID></Response>`,
      ),
    }),
  };
}

/** The protocol's name for the party at fault. */
export function faultOf(error: AwsError): "Sender" | "Receiver" {
  return error.status < 500 ? "Sender" : "Receiver";
}

// https://docs.aws.amazon.com/sns/latest/api/CommonErrors.html
const refuse = refusalsIn({
  algorithm: ["IncompleteSignature", 400],
  badToken: ["InvalidClientTokenId", 403],
  expired: ["SignatureDoesNotMatch", 403],
  incomplete: ["IncompleteSignature", 400],
  mismatch: ["SignatureDoesNotMatch", 403],
  missing: ["MissingAuthenticationToken", 403],
  skewed: ["SignatureDoesNotMatch", 403],
  unknownKey: ["InvalidClientTokenId", 403],
  wrongRegion: ["SignatureDoesNotMatch", 403],
});
