import type { FaultRule } from "local-aws/faults";

const THROTTLE: FaultRule[] = [{ kind: "throttle", share: 0.2 }];
const RESET: FaultRule[] = [{ kind: "reset", share: 0.1 }];
const CRASH: FaultRule[] = [{ kind: "crash", share: 0.05 }];
const DISORDER: FaultRule[] = [
  { kind: "duplicateObjectEvents", share: 0.3 },
  { kind: "reorderObjectEvents", share: 0.3 },
  { kind: "delayObjectEvents", share: 0.3 },
  { kind: "replayStream", share: 0.1 },
];

/** One after another, so early that small runs meet them; at a run's scale, ten seconds are half an hour. */
const OUTAGE: FaultRule[] = [
  { kind: "outage", function: "process", share: 1, afterSeconds: 2, seconds: 8 },
  { kind: "outage", function: "record", share: 1, afterSeconds: 4, seconds: 8 },
  { kind: "outage", service: "dynamodb", share: 1, afterSeconds: 12, seconds: 6 },
  { kind: "outage", function: "notify", share: 1, afterSeconds: 16, seconds: 8 },
  { kind: "outage", service: "s3", share: 1, afterSeconds: 18, seconds: 6 },
  { kind: "outage", service: "sns", share: 1, afterSeconds: 22, seconds: 8 },
];
const SLOW: FaultRule[] = [{ kind: "slow", share: 1, factor: 10 }];

/** The faults of a run, by the values of `--faults`. Shares are from 0 to 1. */
export const MIXES = {
  none: [],
  throttle: THROTTLE,
  reset: RESET,
  crash: CRASH,
  disorder: DISORDER,
  outage: OUTAGE,
  slow: SLOW,
  all: [...THROTTLE, ...RESET, ...CRASH, ...DISORDER],
} satisfies Record<string, FaultRule[]>;

export type Mix = keyof typeof MIXES;
