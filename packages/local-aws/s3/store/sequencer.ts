/** Numbers each write: 18 upper-case hexadecimal digits, greater than those of any earlier one. */
export interface Sequencer {
  next(): string;
  /** Advances past a number used earlier. */
  seen(sequencer: string): void;
  /** The greatest one so far. */
  last(): string;
}

/** Made of the time, so that a new store continues above one that it replaces. */
export function createSequencer(): Sequencer {
  let last = 0n;
  const text = () => last.toString(16).toUpperCase().padStart(18, "0");
  return {
    next() {
      const now = BigInt(Date.now()) << 20n;
      last = now > last ? now : last + 1n;
      return text();
    },
    seen(sequencer) {
      const number = BigInt(`0x${sequencer}`);
      last = number > last ? number : last;
    },
    last: text,
  };
}
