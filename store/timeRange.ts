/** Sort before and after every `event_timestamp` and every period. */
export const BEGINNING = "0";
export const END = "~";

/** `event_timestamp`s or prefixes of them; both ends inclusive. */
export interface TimeRange {
  from: string;
  to: string;
}

/** Sorts after all text that begins with the prefix, and before all greater text. */
export function endOf(prefix: string): string {
  return `${prefix}${END}`;
}
