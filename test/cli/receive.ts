import { createHash } from "node:crypto";
import type { IncomingMessage } from "node:http";

/** A request's body. */
export interface Received {
  text: string;
  bytes: number;
  sha256: string;
}

/** A request. Of the body, which may be large, only length and hash are kept. */
export interface Seen extends Received {
  method: string;
  /** Without the query. */
  path: string;
  query: Record<string, string>;
  headers: Record<string, string>;
}

/** The text of larger bodies is not kept. */
const KEPT_BYTES = 100_000;

/** Reads a request of any size to its end. */
export async function receive(request: IncomingMessage): Promise<Received> {
  const hash = createHash("sha256");
  let bytes = 0;
  let text = "";
  for await (const chunk of request as AsyncIterable<Buffer>) {
    hash.update(chunk);
    bytes += chunk.length;
    text += bytes <= KEPT_BYTES ? chunk.toString("latin1") : "";
  }
  return { text, bytes, sha256: hash.digest("hex") };
}
