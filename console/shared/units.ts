const UNITS = ["kB", "MB", "GB", "TB"];

const TIME = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });

const HOUR = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });

/** Bytes for people, such as `1.4 MB`; a unit is a thousand of the one before. */
export function bytesText(bytes: number): string {
  if (bytes < 1000) {
    return `${bytes} bytes`;
  }
  const power = Math.min(UNITS.length, Math.floor(Math.log10(bytes) / 3));
  const value = bytes / 1000 ** power;
  // 999,960 bytes are 1 MB, not 1000 kB.
  return value >= 999.5 && power < UNITS.length
    ? `1 ${UNITS[power] ?? ""}`
    : `${value.toFixed(value < 10 ? 1 : 0)} ${UNITS[power - 1] ?? ""}`;
}

/** A time in the reader's own zone. @param iso ISO 8601; any other text is returned as it is */
export function timeText(iso: string): string {
  const time = new Date(iso);
  return Number.isNaN(time.getTime()) ? iso : TIME.format(time);
}

/** Hours and minutes in the reader's own zone. */
export function hourText(iso: string): string {
  return HOUR.format(new Date(iso));
}

/** Such as `0.41 s`, `3 min`, `2 h 5 min`, `4 days`. */
export function secondsText(seconds: number): string {
  if (seconds < 10) {
    return `${Number(seconds.toFixed(2))} s`;
  }
  if (seconds < 60) {
    return `${Math.round(seconds)} s`;
  }
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) {
    return `${minutes} min`;
  }
  if (minutes < 48 * 60) {
    const rest = minutes % 60;
    return `${Math.floor(minutes / 60)} h${rest > 0 ? ` ${rest} min` : ""}`;
  }
  return `${Math.round(minutes / (24 * 60))} days`;
}

export function countText(count: number): string {
  return count.toLocaleString();
}
