import type { DiskEntry, SourceMaps } from "../lambda/deploymentPackage";
import type { Provisioned, Registration } from "../resources/resource";
import type { ProgramFiles } from "../runProgram";

/** A resource of the run: what the program asked for, and what it got. */
export type MadeResource = Registration<Record<string, unknown>> &
  Provisioned & {
    /** Of a function: the digest of its package. */
    code?: string;
  };

/** To the evaluating process, which first evaluates the program as it is. */
export type Request =
  | {
      type: "start";
      program: ProgramFiles;
      config: Record<string, string>;
      accountId: string;
      made: MadeResource[];
    }
  /** The program's files have changed. `applied`: the run has what the last evaluation found. */
  | { type: "evaluate"; applied: boolean };

/** A function whose code or settings have changed. */
export interface ChangedFunction {
  /** The physical name. */
  functionName: string;
  /** The inputs, without the code. */
  inputs: Record<string, unknown>;
  files: Record<string, string | DiskEntry>;
  sourceMaps: SourceMaps;
}

/** From the evaluating process, one for each evaluation. */
export type Evaluation =
  | {
      type: "evaluated";
      functions: ChangedFunction[];
      /** Resources with other changes since the start of the run, such as `aws.sqs.Queue "letters"`. */
      others: string[];
    }
  | { type: "failed"; message: string };
