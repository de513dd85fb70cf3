import { createHash, type Hash } from "node:crypto";
import { AwsError } from "../../awsError";
import type { ChunkFrame, HttpRequest } from "../../http";
import type { Cutter } from "./cutter";
import type { Content } from "./digests";

/** Bytes of the line before a chunk: its size and its signature. */
const MAX_LINE_BYTES = 1024;

/** Bytes of all trailers. */
const MAX_TRAILER_BYTES = 16 * 1024;

/** Bytes of each signed chunk but the last with content. */
const MIN_SIGNED_BYTES = 8 * 1024;

/** The trailer with the signature of the others. */
export const TRAILER_SIGNATURE = "x-amz-trailer-signature";

const LINE_BREAK = Buffer.from("\r\n");

/** How a body in chunks is announced. */
export interface ChunkedPayload {
  /** Whether each chunk has a signature. */
  isSigned: boolean;
  /** Whether trailers follow the last chunk. */
  hasTrailers: boolean;
}

const PAYLOADS: ReadonlyMap<string, ChunkedPayload> = new Map([
  ["STREAMING-UNSIGNED-PAYLOAD-TRAILER", { isSigned: false, hasTrailers: true }],
  ["STREAMING-AWS4-HMAC-SHA256-PAYLOAD", { isSigned: true, hasTrailers: false }],
  ["STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER", { isSigned: true, hasTrailers: true }],
]);

/** The values of `x-amz-content-sha256` of a body in chunks. */
export const CHUNKED_PAYLOADS: readonly string[] = [...PAYLOADS.keys()];

/**
 * How a body is sent as `aws-chunked`, in which the SDKs send streams, with the checksum in a
 * trailer; undefined for another one. `Content-Encoding: aws-chunked` alone does not count: it need
 * not be signed.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html
 */
export function chunkedPayload(headers: HttpRequest["headers"]): ChunkedPayload | undefined {
  return PAYLOADS.get(headers["x-amz-content-sha256"] ?? "");
}

/**
 * Takes `aws-chunked` out of a Content-Encoding.
 *
 * @returns undefined where nothing is left
 */
export function withoutChunked(contentEncoding: string | undefined): string | undefined {
  const encodings = (contentEncoding ?? "").split(",").map((each) => each.trim());
  const others = encodings.filter((each) => each !== "" && each.toLowerCase() !== "aws-chunked");
  return others.length > 0 ? others.join(",") : undefined;
}

/** Cuts the content out of its chunks; the frame says whether they are whole. */
export function createChunkCutter({ isSigned }: Pick<ChunkedPayload, "isSigned">): Cutter {
  const chunks: ChunkFrame["chunks"] = [];
  /** The current line, or all trailers, so far. */
  let line = Buffer.alloc(0);
  /** Bytes of the current chunk that have not come yet. */
  let left = 0;
  let hash: Hash | undefined;
  let state: "line" | "content" | "end of chunk" | "trailers" | "broken" = "line";
  let error: AwsError | undefined;

  function fail(reason = incompleteBody()): void {
    state = "broken";
    error = reason;
  }

  /** @returns the bytes of `bytes` after the line break; undefined where it has not come yet */
  function readLine(bytes: Buffer, limit: number): Buffer | undefined {
    const before = line.length;
    line = Buffer.concat([line, bytes.subarray(0, limit + LINE_BREAK.length - before)]);
    const end = line.indexOf(LINE_BREAK);
    if (end >= 0) {
      line = line.subarray(0, end);
      return bytes.subarray(end + LINE_BREAK.length - before);
    }
    if (line.length === limit + LINE_BREAK.length) {
      fail();
    }
    return undefined;
  }

  function startChunk(text: string): void {
    const [, digits, extension = ""] = /^([0-9a-fA-F]+)(;.*)?$/.exec(text) ?? [];
    const size = Number.parseInt(digits ?? "", 16);
    // Also where the line has another form.
    if (!Number.isSafeInteger(size)) {
      fail();
      return;
    }
    if (isSigned) {
      const signature = /^;chunk-signature=([0-9a-f]{64})$/.exec(extension)?.[1];
      const previous = chunks.at(-1);
      if (signature === undefined) {
        fail();
        return;
      }
      if (size > 0 && previous && previous.size < MIN_SIGNED_BYTES) {
        fail(smallChunk());
        return;
      }
      hash = createHash("sha256");
      chunks.push({ size, signature, sha256: "" });
    }
    left = size;
    state = size === 0 ? "trailers" : "content";
    if (size === 0) {
      endHash();
    }
  }

  function endHash(): void {
    const last = chunks.at(-1);
    if (hash && last) {
      last.sha256 = hash.digest("hex");
      hash = undefined;
    }
  }

  /** @returns the rest of `bytes`; undefined for none */
  function step(bytes: Buffer, content: Buffer[]): Buffer | undefined {
    switch (state) {
      case "line": {
        const rest = readLine(bytes, MAX_LINE_BYTES);
        if (rest) {
          const text = line.toString("latin1");
          line = Buffer.alloc(0);
          startChunk(text);
        }
        return rest;
      }
      case "content": {
        const piece = bytes.subarray(0, left);
        content.push(piece);
        hash?.update(piece);
        left -= piece.length;
        if (left === 0) {
          endHash();
          state = "end of chunk";
        }
        return bytes.subarray(piece.length);
      }
      case "end of chunk": {
        const rest = readLine(bytes, 0);
        if (rest) {
          line = Buffer.alloc(0);
          state = "line";
        }
        return rest;
      }
      case "trailers":
        line = Buffer.concat([line, bytes.subarray(0, MAX_TRAILER_BYTES + 1 - line.length)]);
        if (line.length > MAX_TRAILER_BYTES) {
          fail(malformedTrailer());
        }
        return undefined;
      case "broken":
        return undefined;
    }
  }

  return {
    algorithms: () => [],
    push(bytes) {
      const content: Buffer[] = [];
      for (let rest: Buffer | undefined = bytes; rest && rest.length > 0;) {
        rest = step(rest, content);
      }
      return content;
    },
    end() {
      if (state !== "trailers" && state !== "broken") {
        fail();
      }
      return Buffer.alloc(0);
    },
    frame: () => ({ chunks, trailer: line.toString("latin1"), error }),
  };
}

/** The content and the frame of a body in chunks, wherever the content is. */
export function readChunks(
  { body, spooled }: Pick<HttpRequest, "body" | "spooled">,
  payload: ChunkedPayload,
): { content: Content; frame: ChunkFrame } {
  if (spooled?.frame) {
    return { content: spooled, frame: spooled.frame };
  }
  const cutter = createChunkCutter(payload);
  const content = Buffer.concat(cutter.push(body));
  cutter.end();
  const frame = cutter.frame?.();
  if (!frame) {
    throw new Error("A cutter of chunks has a frame.");
  }
  return { content, frame };
}

/**
 * Reads the lines after the last chunk.
 *
 * @returns names, in lower case, and values
 * @throws AwsError IncompleteBody or MalformedTrailerError 400
 */
export function readTrailers({ trailer, error }: ChunkFrame): [name: string, value: string][] {
  if (error) {
    throw error;
  }
  const lines = trailer.split("\r\n");
  // The last line ends, and an empty one follows; some clients send one more.
  const end = lines.indexOf("");
  if (end < 0 || lines.length < end + 2 || lines.slice(end).some((line) => line !== "")) {
    throw incompleteBody();
  }
  return lines.slice(0, end).map((line) => {
    const [, name, value] = /^([\w-]+)[ \t]*:([^\r\n]*)\n?$/.exec(line) ?? [];
    if (name === undefined || value === undefined) {
      throw malformedTrailer();
    }
    return [name.toLowerCase(), value.trim()];
  });
}

/** IncompleteBody 400, for a body that ends early or whose chunks have another form. */
export function incompleteBody(): AwsError {
  return new AwsError("IncompleteBody", 400, "The request body terminated unexpectedly");
}

/** MalformedTrailerError 400. */
export function malformedTrailer(): AwsError {
  return new AwsError(
    "MalformedTrailerError",
    400,
    "The request contained trailing data that was not well-formed or did not conform to our published schema.",
  );
}

function smallChunk(): AwsError {
  return new AwsError(
    "InvalidChunkSizeError",
    403,
    `Only the last chunk is allowed to have a size less than ${MIN_SIGNED_BYTES} bytes`,
  );
}
