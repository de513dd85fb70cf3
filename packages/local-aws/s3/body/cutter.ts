import type { ChunkFrame } from "../../http";

/** Cuts a body, as it arrives, into an object's content and the rest. */
export interface Cutter {
  /** @returns the content in these bytes */
  push(chunk: Buffer): Buffer[];
  /** What surrounds the content: a form's fields. */
  end(): Buffer;
  /** What surrounds the content of a body in chunks; after `end`. */
  frame?(): ChunkFrame;
  /** Digests of the content that the rest mentions; final once there is content. */
  algorithms(): string[];
}

/** For a body that is all content. */
export function createWholeCutter(): Cutter {
  return { push: (chunk) => [chunk], end: () => Buffer.alloc(0), algorithms: () => [] };
}
