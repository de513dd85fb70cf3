const UNITS = ["kB", "MB", "GB", "TB"];

/** A number of bytes, as people read it: `78.0 kB`. */
export function bytesInWords(bytes: number): string {
  if (bytes < 1000) {
    return `${bytes} B`;
  }
  let value = bytes / 1000;
  let unit = 0;
  // What would be rounded to 1000.0 belongs to the next unit.
  while (value >= 999.95 && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${value.toFixed(1)} ${UNITS[unit] ?? ""}`;
}

function counted(count: number, unit: string): string {
  return `${count} ${unit}${count === 1 ? "" : "s"}`;
}

/** A time span, as people say it: `3 minutes`. */
export function secondsInWords(seconds: number): string {
  const scales: [number, string][] = [
    [86_400, "day"],
    [3600, "hour"],
    [60, "minute"],
  ];
  const [size, unit] = scales.find(([length]) => seconds >= length) ?? [1, "second"];
  return counted(Math.floor(seconds / size), unit);
}
