import type { Transform } from "node:stream";
import {
  constants,
  createBrotliDecompress,
  createGunzip,
  createInflate,
  createZstdDecompress,
} from "node:zlib";
import { RANGE_BYTES } from "./fileRanges";
import type { FilePart } from "./storedFile";

/** `gzip` and the like, as S3 keeps it; `aws-chunked` is only the SDK's way to send a body. */
function encodingsOf(contentEncoding = ""): string[] {
  const names = contentEncoding.toLowerCase().split(",");
  return names
    .map((name) => name.trim())
    .filter((name) => name !== "" && name !== "identity" && name !== "aws-chunked");
}

/** Undoes an encoding, also of bytes that are cut off; undefined for a name that no browser knows. */
function decompressorOf(encoding: string): Transform | undefined {
  switch (encoding) {
    case "gzip":
    case "x-gzip":
      return createGunzip({ finishFlush: constants.Z_SYNC_FLUSH });
    case "deflate":
      return createInflate({ finishFlush: constants.Z_SYNC_FLUSH });
    case "br":
      return createBrotliDecompress({ finishFlush: constants.BROTLI_OPERATION_FLUSH });
    case "zstd":
      return createZstdDecompress({ finishFlush: constants.ZSTD_e_flush });
  }
  return undefined;
}

/** At most 64 KiB of what these bytes are when decompressed, as far as they are valid. */
function decompress(bytes: Uint8Array, decompressor: Transform): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  return new Promise((resolve) => {
    decompressor
      .on("data", (chunk: Buffer) => {
        chunks.push(chunk);
        length += chunk.length;
        if (length >= RANGE_BYTES) {
          decompressor.destroy();
        }
      })
      // What was read before is valid.
      .on("error", () => undefined)
      .on("close", () => {
        resolve(Buffer.concat(chunks).subarray(0, RANGE_BYTES));
      })
      .end(bytes);
  });
}

/**
 * The beginning of a file as its readers get it, who undo its `Content-Encoding`. Bytes that are not
 * encoded after all, or by a name that nobody undoes, are taken as they are: whoever sends a file may
 * say anything.
 *
 * @returns the head itself where there is nothing to undo
 */
export async function decodedHead(head: FilePart): Promise<FilePart> {
  let part = head;
  // The last one was applied last.
  for (const encoding of encodingsOf(head.contentEncoding).reverse()) {
    const decompressor = decompressorOf(encoding);
    const bytes = decompressor && (await decompress(part.bytes, decompressor));
    if (bytes === undefined || bytes.length === 0) {
      break;
    }
    const isWhole = part.bytes.length === part.size && bytes.length < RANGE_BYTES;
    part = { ...part, bytes, size: isWhole ? bytes.length : bytes.length + 1 };
  }
  return part;
}
