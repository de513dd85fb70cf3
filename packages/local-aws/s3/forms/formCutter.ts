import { AwsError } from "../../awsError";
import type { Cutter } from "../body/cutter";
import { CHECKSUMS } from "../body/digests";
import { delimiterOf, findFile, readPostForm } from "./postForm";

/** Bytes before the file; S3 allows 20 KiB of fields, without the headers of their parts. */
const MAX_HEAD_BYTES = 128 * 1024;

/**
 * Cuts the file out of a form. The rest is a form without content: it is refused for the same
 * reasons as the whole one.
 */
export function createFormCutter(contentType: string): Cutter {
  const delimiter = delimiterOf(contentType);
  let head: Buffer = Buffer.alloc(0);
  /** Where the first part of the head begins that is not whole. */
  let parsed: number | undefined;
  /** The end of the content so far, which may be the beginning of the delimiter. */
  let held: Buffer = Buffer.alloc(0);
  let algorithms: string[] = [];
  let isRefused = false;
  let state: "head" | "file" | "unclosed" | "closed" = delimiter ? "head" : "unclosed";

  /** @returns the bytes after the head */
  function readHead(chunk: Buffer, boundary: Buffer): Buffer {
    head = Buffer.concat([head, chunk]);
    const found = findFile(head, boundary, parsed);
    const { start } = found;
    if (start === undefined) {
      parsed = found.after;
      state = head.length > MAX_HEAD_BYTES ? "unclosed" : "head";
      return Buffer.alloc(0);
    }
    const rest = head.subarray(start);
    head = Buffer.from(head.subarray(0, start));
    state = "file";
    try {
      const { fields } = readPostForm(contentType, { body: Buffer.concat([head, boundary]) });
      const named = fields.get("x-amz-checksum-algorithm")?.toLowerCase();
      algorithms = CHECKSUMS.filter(
        (name) => name === named || fields.has(`x-amz-checksum-${name}`),
      );
    } catch (error) {
      if (!(error instanceof AwsError)) {
        throw error;
      }
      // The form is refused by its head, and its content is not needed.
      isRefused = true;
    }
    return rest;
  }

  function scan(chunk: Buffer): Buffer[] {
    let rest = chunk;
    if (state === "head" && delimiter) {
      rest = readHead(chunk, delimiter);
    }
    if (state !== "file" || !delimiter) {
      return [];
    }
    // Only the seam is copied.
    const seam = Buffer.concat([held, rest.subarray(0, delimiter.length - 1)]);
    const inSeam = seam.indexOf(delimiter);
    if (inSeam >= 0) {
      state = "closed";
      return nonEmpty([seam.subarray(0, inSeam)]);
    }
    const end = rest.indexOf(delimiter);
    if (end >= 0) {
      state = "closed";
      return nonEmpty([held, rest.subarray(0, end)]);
    }
    if (rest.length < delimiter.length) {
      const whole = Buffer.concat([held, rest]);
      const keep = Math.max(whole.length - delimiter.length + 1, 0);
      held = Buffer.from(whole.subarray(keep));
      return nonEmpty([whole.subarray(0, keep)]);
    }
    const before = held;
    const keep = rest.length - delimiter.length + 1;
    held = Buffer.from(rest.subarray(keep));
    return nonEmpty([before, rest.subarray(0, keep)]);
  }

  return {
    algorithms: () => algorithms,
    push(chunk) {
      const content = scan(chunk);
      return isRefused ? [] : content;
    },
    end: () => (state === "closed" && delimiter ? Buffer.concat([head, delimiter]) : head),
  };
}

function nonEmpty(pieces: Buffer[]): Buffer[] {
  return pieces.filter(({ length }) => length > 0);
}
