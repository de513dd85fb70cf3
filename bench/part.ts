/** One table of a part's figures. */
export interface Section {
  title: string;
  /** How it was measured, and how to read it. */
  note?: string;
  columns: string[];
  /** A row has one cell for each column; numbers are aligned to the right. */
  rows: (string | number)[][];
}

/** The results of one part of the bench. */
export interface Part {
  /** The value of `--only`, and the key of the figures in `--json`. */
  name: string;
  /** Its figures, for programs. */
  json: object;
  /** Its tables, for people. */
  sections: Section[];
}

export interface PartOptions {
  /** Measurements of each thing; a repetition measures all of them once. */
  repetitions: number;
  /** A tenth of the sizes, in parts that take minutes. */
  quick?: boolean;
  /** Gets one line for each step. */
  progress: (line: string) => void;
}

/**
 * Measures one part.
 *
 * @throws when something cannot be measured, or does not do the work that is measured
 */
export type MeasurePart = (options: PartOptions) => Promise<Part>;
