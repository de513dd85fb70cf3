/**
 * An error as an AWS service would answer it. The front door renders it in the wire format of the
 * service that was called (JSON or XML).
 */
export class AwsError extends Error {
  /**
   * @param code the service's own error code, such as `AccessDenied`
   * @param status the HTTP status
   * @param details what S3 says besides, as elements of its XML: `ProposedSize`, …
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
