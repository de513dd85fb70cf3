import type { AwsError } from "../awsError";
import type { HttpResponse } from "../http";

/**
 * The wire format of a service's errors: S3's own XML, the XML of the query protocol, or JSON.
 * It also decides which codes and statuses a service uses for the same refusal.
 */
export type ErrorFormat = "s3" | "query" | "json";

const FORMATS: Partial<Record<string, ErrorFormat>> = { s3: "s3", sns: "query", sts: "query" };

const QUERY_NAMESPACES: Partial<Record<string, string>> = {
  sns: "http://sns.amazonaws.com/doc/2010-03-31/",
  sts: "https://sts.amazonaws.com/doc/2011-06-15/",
};

const JSON_NAMESPACES: Partial<Record<string, string>> = {
  dynamodb: "com.amazonaws.dynamodb.v20120810",
  sqs: "com.amazonaws.sqs",
  lambda: "com.amazonaws.lambda",
  logs: "com.amazonaws.logs",
};

// These are answered by the framework before the services themselves, and carry its namespace.
const CORAL_CODES = new Set([
  "AccessDeniedException",
  "IncompleteSignatureException",
  "InternalFailure",
  "InvalidSignatureException",
  "MissingAuthenticationTokenException",
  "SerializationException",
  "UnknownOperationException",
  "UnrecognizedClientException",
]);

/** How a service words its errors. A service that is not known is taken for a JSON one. */
export function errorFormatOf(service: string): ErrorFormat {
  return FORMATS[service] ?? "json";
}

/**
 * Puts an error in the form in which the called service would answer it, so that an SDK client
 * throws an error whose `name` is `error.code`.
 *
 * @param service the service's name in a credential scope: `s3`, `dynamodb`, `sns`, `sqs`, `sts`, …
 * @param requestId ends up in the client's `$metadata.requestId`
 */
export function renderError(service: string, error: AwsError, requestId: string): HttpResponse {
  switch (errorFormatOf(service)) {
    case "s3":
      return renderS3Error(error, requestId);
    case "query":
      return renderQueryError(service, error, requestId);
    case "json":
      return renderJsonError(service, error, requestId);
  }
}

/** The code of an error response, whoever wrote it; undefined where the response names none. */
export function errorCodeOf(response: HttpResponse): string | undefined {
  if (response.status < 400) {
    return undefined;
  }
  const named =
    response.headers["x-amzn-errortype"] ??
    /"__type"\s*:\s*"([^"]+)"|<Code>([^<]+)<\/Code>/
      .exec(response.body.toString("utf8"))
      ?.slice(1)
      .find((code) => code);
  // "com.amazonaws.dynamodb.v20120810#Code" and "Code:http://…" are both in use.
  return named?.replace(/^.*#/, "").replace(/:.*$/, "");
}

function renderS3Error(error: AwsError, requestId: string): HttpResponse {
  const details = Object.entries(error.details).map(
    ([name, value]) => `<${name}>${escapeXml(value)}</${name}>`,
  );
  return {
    status: error.status,
    headers: { "content-type": "application/xml", "x-amz-request-id": requestId },
    body: Buffer.from(
      `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${escapeXml(error.code)}</Code>` +
        `<Message>${escapeXml(error.message)}</Message>${details.join("")}` +
        `<RequestId>${requestId}</RequestId></Error>`,
    ),
  };
}

function renderQueryError(service: string, error: AwsError, requestId: string): HttpResponse {
  return {
    status: error.status,
    headers: { "content-type": "text/xml", "x-amzn-requestid": requestId },
    body: Buffer.from(
      `<ErrorResponse xmlns="${QUERY_NAMESPACES[service] ?? ""}"><Error>` +
        `<Type>${faultOf(error)}</Type><Code>${escapeXml(error.code)}</Code>` +
        `<Message>${escapeXml(error.message)}</Message></Error>` +
        `<RequestId>${requestId}</RequestId></ErrorResponse>`,
    ),
  };
}

function renderJsonError(service: string, error: AwsError, requestId: string): HttpResponse {
  const headers: Record<string, string> = {
    "content-type": service === "lambda" ? "application/json" : "application/x-amz-json-1.0",
    "x-amzn-errortype": error.code,
    "x-amzn-requestid": requestId,
  };
  // SQS once spoke the query protocol; clients still read its error codes from this header.
  if (service === "sqs") {
    headers["x-amzn-query-error"] = `${error.code};${faultOf(error)}`;
  }

  return {
    status: error.status,
    headers,
    body: Buffer.from(
      JSON.stringify({
        __type: `${jsonNamespaceOf(service, error.code)}#${error.code}`,
        message: error.message,
      }),
    ),
  };
}

function jsonNamespaceOf(service: string, code: string): string {
  if (code === "ValidationException") {
    return "com.amazon.coral.validate";
  }
  if (CORAL_CODES.has(code)) {
    return "com.amazon.coral.service";
  }
  return JSON_NAMESPACES[service] ?? "com.amazon.coral.service";
}

function faultOf(error: AwsError): "Sender" | "Receiver" {
  return error.status < 500 ? "Sender" : "Receiver";
}

function escapeXml(text: string): string {
  return (
    text
      .replaceAll("&", "&amp;")
      .replaceAll("<", "&lt;")
      .replaceAll(">", "&gt;")
      .replaceAll('"', "&quot;")
      // XML 1.0 has no form for these, and object keys may hold them.
      .replaceAll(/[\u0000-\u0008\u000b\u000c\u000e-\u001f]/g, "\ufffd")
  );
}
