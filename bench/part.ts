/** One table of a part's figures. */
export interface Section {
  title: string;
  /** How it was measured, and what it says. */
  note?: string;
  columns: string[];
  /** A row has one cell for each column; a number is aligned to the right. */
  rows: (string | number)[][];
}

/** What one part of the bench has measured. */
export interface Part {
  /** As `--only` takes it, and the key of its figures under `--json`. */
  name: string;
  /** Its figures for programs. */
  json: object;
  /** Its figures for people. */
  sections: Section[];
}

export interface PartOptions {
  /** How often each thing is measured, one repetition of all after the other. */
  repetitions: number;
  /** A tenth of the sizes, where a part takes minutes. */
  quick?: boolean;
  /** Hears of what is under way; never more than a line. */
  progress: (line: string) => void;
}

/**
 * Measures one part.
 *
 * @throws when something cannot be measured, or does not do what it is measured for
 */
export type MeasurePart = (options: PartOptions) => Promise<Part>;
