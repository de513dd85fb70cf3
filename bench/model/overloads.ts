import { MOST, type Overload, type Recovery, recovery, type Sweeper } from "./overload";

const HOUR = 3600;
const FAILS = { arrivals: 100, capacity: 200, capacityDuring: 0, duration: 2 * HOUR, poison: 0 };

/** The overloads that docs/failures.md shows. The model has one reader of the stream: either of the two. */
export const OVERLOADS: Record<string, Overload> = {
  "process or notify fails for 2 hours": FAILS,
  "the same, and 1 % of the events never advance": { ...FAILS, poison: 0.01 },
  "SNS takes half for a day": { ...FAILS, capacityDuring: 50, duration: 24 * HOUR },
};

const recoveries = new Map<string, Recovery>();

/** The recovery from one of `OVERLOADS`; computed once, since it takes seconds. */
export function recoveryFrom(name: string, sweeper: Sweeper): Recovery {
  const key = `${sweeper} ${name}`;
  const known = recoveries.get(key) ?? recovery(OVERLOADS[name] ?? FAILS, sweeper);
  recoveries.set(key, known);
  return known;
}

/** A row of the table in docs/failures.md. */
export function overloadRow(name: string, sweeper: Sweeper): string[] {
  const { failed, drainShare, writeShare, timeShare } = recoveryFrom(name, sweeper);
  return [
    name,
    sweeper,
    failed.toLocaleString("en-US"),
    drainShare === 0 ? "never" : drainShare.toFixed(2),
    `${(writeShare * 100).toFixed(2)} %`,
    timeShare < MOST ? timeShare.toFixed(2) : `over ${MOST}`,
  ];
}
