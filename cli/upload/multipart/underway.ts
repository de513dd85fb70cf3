/** Uploads of this process that another command can go on with. */
const underway = new Set<object>();

/** @returns a function to call when it is not under way any more */
export function beginResumable(): () => void {
  const upload = {};
  underway.add(upload);
  return () => {
    underway.delete(upload);
  };
}

/** What the user of an interrupted command wants to know; undefined: nothing. */
export function interruptionNotice(): string | undefined {
  return underway.size === 0
    ? undefined
    : "Interrupted. What S3 has of large files is kept: the same command goes on from there.";
}
