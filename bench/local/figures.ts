/** Milliseconds by share of the values. */
export interface Quantiles {
  p50: number;
  p95: number;
  p99: number;
}

/** Milliseconds until `npm start` is ready, by the state of Node's compile cache. */
export interface Start {
  coldMs: number;
  warmMs: number;
}

/** Uploads one after the other: each begins when the one before is `notified`. */
export interface Singles {
  /** Milliseconds from the first request to its mail. */
  firstMs: number;
  uploads: number;
  /** Milliseconds from request to mail of all but the first. */
  mailMs: Quantiles;
}

/** Uploads by several clients, each of which sends one after the other. */
export interface Burst {
  uploads: number;
  clients: number;
  /** Rows in the table before the first upload. */
  rows: number;
  /** Milliseconds until the last answer. */
  answeredMs: number;
  /** Milliseconds until the last row is `notified`. */
  notifiedMs: number;
  /** Milliseconds from request to answer. */
  answerMs: Quantiles;
  mails: number;
  /** Peak memory of the run's process, in megabytes. */
  peakMb: number;
}

export interface LocalFigures {
  start: Start;
  singles: Singles;
  bursts: Burst[];
}
