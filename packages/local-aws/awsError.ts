/**
 * An error as an AWS service would answer it. The gateway renders it in the wire format of the
 * service that was called (JSON or XML).
 */
export class AwsError extends Error {
  /**
   * @param code the service's own error code, such as `AccessDenied`
   * @param status the HTTP status
   * @param details further elements of S3's XML: `ProposedSize`, …
   */
  constructor(
    readonly code: string,
    readonly status: number,
    message: string,
    readonly details: Readonly<Record<string, string>> = {},
  ) {
    super(message);
    this.name = code;
  }
}

/**
 * The error for an operation that the local services lack.
 *
 * @param operation `service:Operation`
 * @param detail follows "is not implemented on one machine"
 */
export function notImplemented(operation: string, detail = ""): AwsError {
  return new AwsError(
    "NotImplemented",
    501,
    `${operation} is not implemented on one machine${detail}; it needs a deployment to AWS`,
  );
}
