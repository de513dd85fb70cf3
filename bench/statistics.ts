export function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/**
 * The quantile of the values, interpolated between its two neighbours.
 *
 * @param share from 0 (the smallest) to 1 (the largest)
 * @returns NaN for no values
 */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const position = share * (sorted.length - 1);
  const below = sorted[Math.floor(position)] ?? NaN;
  const above = sorted[Math.ceil(position)] ?? NaN;
  return below + (above - below) * (position - Math.floor(position));
}

/** The middle value, or the mean of the two middle ones; NaN for no values. */
export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** @param digits after the decimal point */
export function round(value: number, digits = 0): number {
  return Number(value.toFixed(digits));
}
