/** What keeps a run from starting and its user can put right; the message is for them. */
export class StartError extends Error {
  /** @param option of the run that another value is to be chosen for */
  constructor(
    message: string,
    readonly option?: "port" | "dataDir",
    details?: ErrorOptions,
  ) {
    super(message, details);
  }
}
