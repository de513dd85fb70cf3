import type { Readable } from "node:stream";

/** One HTTP request, read to its end before it is handled. */
export interface HttpRequest {
  method: string;
  /** Path and query string exactly as they were sent: not decoded, not normalised. */
  url: string;
  /** Names in lower case; repeated headers joined with ", ". */
  headers: Record<string, string>;
  body: Buffer;
}

/** One HTTP response. */
export interface HttpResponse {
  status: number;
  headers: Record<string, string>;
  body: Buffer;
  /**
   * In place of the body, where that is large; its length is in the headers. To be read or
   * destroyed by whom the response ends with.
   */
  stream?: Readable;
}
