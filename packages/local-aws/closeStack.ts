/** Ends what was started, the last first. */
export interface CloseStack {
  add(close: () => void | Promise<unknown>): void;
  /** Runs every closer, once; the first call decides when. */
  close(): Promise<void>;
}

export function createCloseStack(): CloseStack {
  const closers: (() => void | Promise<unknown>)[] = [];
  let closing: Promise<void> | undefined;

  async function closeAll(): Promise<void> {
    for (const close of closers.reverse()) {
      await close();
    }
  }

  return {
    add(close) {
      closers.push(close);
    },
    close: () => (closing ??= closeAll()),
  };
}
