/**
 * An error as an AWS service would answer it. The front door renders it in the wire format of the
 * service that was called (JSON or XML).
 */
export class AwsError extends Error {
  /**
   * @param code the service's own error code, such as `AccessDenied`
   * @param status the HTTP status
   */
  constructor(
    readonly code: string,
    readonly status: number,
    message: string,
  ) {
    super(message);
    this.name = code;
  }
}
