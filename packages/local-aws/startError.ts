/** A problem of a start that its user can solve; the message is for the user. */
export class StartError extends Error {
  /** @param option the run's option that needs another value */
  constructor(
    message: string,
    readonly option?: "config" | "port" | "dataDir" | "inspect",
    details?: ErrorOptions,
  ) {
    super(message, details);
  }
}
