import type { Readable } from "node:stream";
import type { AwsError } from "./awsError";

/** One HTTP request, read to its end before it is handled. */
export interface HttpRequest {
  method: string;
  /** Path and query string exactly as they were sent: not decoded, not normalised. */
  url: string;
  /** Names in lower case, values with one character for each byte; repeated headers joined with ",". */
  headers: Record<string, string>;
  /** Without the content in `spooled`. */
  body: Buffer;
  /** The content of a large body. */
  spooled?: SpooledBody;
  /** Calls the listener if the client leaves, or has the answer. @default it never leaves */
  onClientGone?: (listener: () => void) => void;
}

/** Content that was cut out of a body and written to a file as it arrived. */
export interface SpooledBody {
  /** Its path. The handler may move the file; otherwise it is removed after the answer. */
  file: string;
  bytes: number;
  /** Of the whole body. */
  sentBytes: number;
  /** In hexadecimal digits. */
  md5: string;
  /** Digests that the request mentions, by algorithm: md5, crc32, sha1, sha256, … */
  digests: ReadonlyMap<string, Buffer>;
  /** Of a body that came in chunks. */
  frame?: ChunkFrame;
}

/** What surrounds the content of an `aws-chunked` body. */
export interface ChunkFrame {
  /** The signed chunks, with the last, empty one; none where they are not signed. */
  chunks: { size: number; signature: string; sha256: string }[];
  /** All that follows the last chunk. */
  trailer: string;
  /** Why the chunks cannot be read. */
  error: AwsError | undefined;
}

/** Reads a large body to its end. It removes its file where it throws, also what `content` throws. */
export type ReceiveBody = (
  content: AsyncIterable<Buffer>,
) => Promise<Required<Pick<HttpRequest, "body" | "spooled">>>;

/** One HTTP response. */
export interface HttpResponse {
  status: number;
  headers: Record<string, string>;
  body: Buffer;
  /**
   * Replaces a large body; its length is in the headers. The last holder of the response must read
   * or destroy it.
   */
  stream?: Readable;
}
