/** A write is refused, since the disk is full. */
export class DiskFull extends Error {
  override readonly name = "DiskFull";

  constructor() {
    super("The disk of the local run is full. Try again when it has space.");
  }
}

/** Whether an error says that the disk, or the user's share of it, is full. */
export function isDiskFull(error: unknown): boolean {
  const { code, message, cause } = error as NodeJS.ErrnoException;
  return (
    code === "ENOSPC" ||
    code === "EDQUOT" ||
    // LevelDB and SQLite have no code for it.
    /no space left on device|disk quota exceeded|database or disk is full/i.test(message) ||
    (cause instanceof Error && isDiskFull(cause))
  );
}
