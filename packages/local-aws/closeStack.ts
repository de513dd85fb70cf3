/** A part with an end; a promise that it returns is awaited. */
export interface Closable {
  close(): unknown;
}

/** Ends parts in reverse order of their start. */
export interface CloseStack {
  add(part: Closable): void;
  /** Ends every part, once; each call resolves when all have ended. */
  close(): Promise<void>;
}

export function createCloseStack(): CloseStack {
  const parts: Closable[] = [];
  let closing: Promise<void> | undefined;

  async function closeAll(): Promise<void> {
    for (const part of parts.reverse()) {
      await part.close();
    }
  }

  return {
    add(part) {
      parts.push(part);
    },
    close: () => (closing ??= closeAll()),
  };
}
