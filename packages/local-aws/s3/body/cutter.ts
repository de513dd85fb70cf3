/** Cuts a body, as it arrives, into an object's content and the rest. */
export interface Cutter {
  /** @returns the content in these bytes */
  push(chunk: Buffer): Buffer[];
  /** What surrounds the content: a form's fields, trailers. */
  end(): Buffer;
  /** Digests of the content that the rest mentions; final once there is content. */
  algorithms(): string[];
}

/** For a body that is all content. */
export function createWholeCutter(): Cutter {
  return { push: (chunk) => [chunk], end: () => Buffer.alloc(0), algorithms: () => [] };
}
