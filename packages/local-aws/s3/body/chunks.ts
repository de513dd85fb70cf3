import { AwsError } from "../../awsError";
import type { Cutter } from "./cutter";

/** Bytes of a line before a chunk, and of all trailers. */
const MAX_LINES_BYTES = 16 * 1024;

/** The rest of a body after its chunks. */
const LAST_CHUNK = "0\r\n";

/**
 * Whether a body is sent as `aws-chunked`, in which the SDKs send streams, with the checksum in a
 * trailer. https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html
 */
export function isChunked(headers: Readonly<Record<string, string>>): boolean {
  return (
    /(^|[\s,])aws-chunked($|[\s,])/.test(headers["content-encoding"] ?? "") ||
    headers["x-amz-content-sha256"]?.startsWith("STREAMING-") === true
  );
}

/** Cuts the content out of its chunks. The rest is the last chunk, or nothing for broken chunks. */
export function createChunkCutter(): Cutter {
  let line = Buffer.alloc(0);
  /** Of the current chunk, with the line break after it: 0 between chunks. */
  let left = 0;
  let state: "chunks" | "trailers" | "broken" = "chunks";

  /** @returns the bytes of `chunk` after the line, or undefined if the line continues */
  function readLine(chunk: Buffer): Buffer | undefined {
    const before = line.length;
    line = Buffer.concat([line, chunk.subarray(0, MAX_LINES_BYTES)]);
    const end = line.indexOf("\r\n");
    if (end < 0) {
      if (line.length >= MAX_LINES_BYTES) {
        state = "broken";
      }
      return undefined;
    }
    // A signature may follow the size; parseInt stops at the semicolon before it.
    const size = Number.parseInt(line.toString("latin1", 0, end), 16);
    line = Buffer.alloc(0);
    if (Number.isNaN(size) || size < 0) {
      state = "broken";
    } else if (size === 0) {
      state = "trailers";
    } else {
      left = size + 2;
    }
    return chunk.subarray(end + 2 - before);
  }

  return {
    algorithms: () => [],
    push(chunk) {
      const content: Buffer[] = [];
      let rest: Buffer | undefined = chunk;
      while (rest && rest.length > 0 && state === "chunks") {
        if (left === 0) {
          rest = readLine(rest);
          continue;
        }
        const size = left - 2;
        if (size > 0) {
          content.push(rest.subarray(0, size));
        }
        const used = Math.min(left, rest.length);
        left -= used;
        rest = rest.subarray(used);
      }
      if (rest && state === "trailers") {
        line = Buffer.concat([line, rest]).subarray(0, MAX_LINES_BYTES);
      }
      return content;
    },
    end: () =>
      state === "trailers" ? Buffer.concat([Buffer.from(LAST_CHUNK), line]) : Buffer.alloc(0),
  };
}

/**
 * Reads the trailers from what a cutter leaves of a body.
 *
 * @throws AwsError IncompleteBody 400
 */
export function readTrailers(rest: Buffer): Record<string, string> {
  const text = rest.toString("latin1");
  if (!text.startsWith(LAST_CHUNK)) {
    throw incompleteBody();
  }
  const trailers: Record<string, string> = {};
  for (const line of text.slice(LAST_CHUNK.length).split("\r\n")) {
    const colon = line.indexOf(":");
    if (colon >= 0) {
      trailers[line.slice(0, colon).trim().toLowerCase()] = line.slice(colon + 1).trim();
    }
  }
  return trailers;
}

export function incompleteBody(): AwsError {
  return new AwsError(
    "IncompleteBody",
    400,
    "You did not provide the number of bytes specified by the Content-Length HTTP header.",
  );
}
