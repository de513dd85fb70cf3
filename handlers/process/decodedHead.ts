import { RANGE_BYTES } from "./fileRanges";
import type { FilePart } from "./storedFile";

/** `gzip` and the like, as S3 keeps it; `aws-chunked` is only the SDK's way to send a body. */
function encodingsOf(contentEncoding = ""): string[] {
  const names = contentEncoding.toLowerCase().split(",");
  return names
    .map((name) => name.trim())
    .filter((name) => name !== "" && name !== "identity" && name !== "aws-chunked");
}

/** At most 64 KiB of what these bytes are when decompressed, as far as they are whole and valid. */
async function decompress(bytes: Uint8Array<ArrayBuffer>): Promise<FilePart["bytes"]> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  const stream = new DecompressionStream("gzip");
  const writer = stream.writable.getWriter();
  // Both end with an error where the bytes are cut off; the reader has it, too.
  void writer.write(bytes).catch(() => undefined);
  void writer.close().catch(() => undefined);
  const reader = stream.readable.getReader();
  try {
    while (length < RANGE_BYTES) {
      const { value } = (await reader.read()) as { value?: Uint8Array };
      if (value === undefined) {
        break;
      }
      chunks.push(value);
      length += value.length;
    }
  } catch {
    // What was read before is valid.
  }
  await reader.cancel().catch(() => undefined);
  return Buffer.concat(chunks).subarray(0, RANGE_BYTES);
}

/**
 * The beginning of a file as its readers get it, who undo its `Content-Encoding`.
 *
 * @returns the head itself where there is no encoding; undefined for an encoding that is not undone here: `br`, `zstd`, several
 */
export async function decodedHead(head: FilePart): Promise<FilePart | undefined> {
  const [encoding, ...others] = encodingsOf(head.contentEncoding);
  if (encoding === undefined) {
    return head;
  }
  if (others.length > 0 || !/^(x-)?gzip$/.test(encoding)) {
    return undefined;
  }
  const bytes = await decompress(Uint8Array.from(head.bytes));
  const isWhole = head.bytes.length === head.size && bytes.length < RANGE_BYTES;
  // Bytes that are not compressed after all are taken as they are.
  return bytes.length === 0
    ? head
    : { ...head, bytes, size: isWhole ? bytes.length : bytes.length + 1 };
}
