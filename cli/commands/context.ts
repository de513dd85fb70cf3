import type { ManagerClient } from "../manager/managerClient";

/** The client and the output of a command. */
export interface Context {
  manager: ManagerClient;
  /** Print JSON for programs, one object a line. */
  json: boolean;
  /** Prints one line of the result. */
  write: (line: string) => void;
  /** Characters of a line. @default without a limit, as for a file */
  width?: number;
}
