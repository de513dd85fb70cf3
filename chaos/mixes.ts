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

/** The faults of a run, by the values of `--faults`. Shares are from 0 to 1. */
export const MIXES = {
  none: [],
  throttle: THROTTLE,
  reset: RESET,
  crash: CRASH,
  disorder: DISORDER,
  all: [...THROTTLE, ...RESET, ...CRASH, ...DISORDER],
} satisfies Record<string, FaultRule[]>;

export type Mix = keyof typeof MIXES;
