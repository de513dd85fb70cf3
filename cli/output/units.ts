const UNITS = ["kB", "MB", "GB", "TB"];

/** Formats a number of bytes: `78.0 kB`. */
export function formatBytes(bytes: number): string {
  if (bytes < 1000) {
    return `${bytes} B`;
  }
  let value = bytes / 1000;
  let unit = 0;
  // A value that rounds to 1000.0 gets the next unit.
  while (value >= 999.95 && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${value.toFixed(1)} ${UNITS[unit] ?? ""}`;
}

function counted(count: number, unit: string): string {
  return `${count} ${unit}${count === 1 ? "" : "s"}`;
}

/** Formats a duration in its largest whole unit: `3 minutes`. */
export function formatSeconds(seconds: number): string {
  const scales: [number, string][] = [
    [86_400, "day"],
    [3600, "hour"],
    [60, "minute"],
  ];
  const [size, unit] = scales.find(([length]) => seconds >= length) ?? [1, "second"];
  return counted(Math.floor(seconds / size), unit);
}

/** Formats a duration as a clock does: `0:28`, `1:04:09`. */
export function formatTimeLeft(seconds: number): string {
  const whole = Math.ceil(Math.max(0, seconds));
  const [hours, minutes, rest] = [
    Math.floor(whole / 3600),
    Math.floor((whole % 3600) / 60),
    whole % 60,
  ];
  const two = (value: number) => String(value).padStart(2, "0");
  return hours > 0 ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}
