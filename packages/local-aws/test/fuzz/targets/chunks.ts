import assert from "node:assert/strict";
import { AwsError } from "../../../awsError";
import { createChunkCutter, readTrailers } from "../../../s3/body/chunks";
import type { Target } from "../fuzz";
import { cut, mutateBytes } from "../mutate";
import type { Random } from "../random";

const SIGNATURE = "0123456789abcdef".repeat(4);

const TOKENS = [
  "\r\n",
  "0\r\n",
  "-6\r\n",
  "+5\r\n",
  "0x5\r\n",
  "7fffffffffffffff\r\n",
  "5;a=b\r\n",
  `;chunk-signature=${SIGNATURE}`,
  "x-amz-checksum-crc32:AAAAAA==\r\n",
  "x-amz-copy-source: a/b\r\n",
  "x-amz-trailer-signature:",
];

function encode(random: Random, content: Buffer, isSigned: boolean): Buffer {
  const size = Math.max(1, random.pick([1, 10, 8192]));
  const extension = isSigned ? `;chunk-signature=${SIGNATURE}` : "";
  const pieces: (string | Buffer)[] = [];
  for (let at = 0; at < content.length; at += size) {
    const piece = content.subarray(at, at + size);
    pieces.push(`${piece.length.toString(16)}${extension}\r\n`, piece, "\r\n");
  }
  const trailers = random.chance(0.5) ? "x-amz-checksum-crc32:AAAAAA==\r\n" : "";
  pieces.push(`0${extension}\r\n${trailers}\r\n`);
  return Buffer.concat(pieces.map((piece) => Buffer.from(piece)));
}

/** The decoder of `aws-chunked` bodies: as a whole and in pieces, the result is the same. */
export const chunks: Target = {
  name: "chunks",
  make(random) {
    const isSigned = random.chance(0.5);
    const content = random.bytes(random.pick([0, 1, 30, 300]));
    const valid = encode(random, content, isSigned);
    const isValid = random.chance(0.05);
    const body = isValid ? valid : mutateBytes(random, valid, TOKENS);
    const pieces = cut(random, body);
    const decode = (parts: Buffer[]) => {
      const cutter = createChunkCutter({ isSigned });
      const found = Buffer.concat(parts.flatMap((part) => cutter.push(part)));
      cutter.end();
      const frame = cutter.frame?.();
      assert(frame);
      return { found, frame };
    };
    return {
      input: { isSigned, body: body.toString("latin1") },
      run() {
        const whole = decode([body]);
        const inPieces = decode(pieces);
        assert.deepEqual(inPieces.frame.error?.code, whole.frame.error?.code);
        assert(inPieces.found.equals(whole.found), "In pieces, the content is another one.");
        const trailers = readTrailers(whole.frame);
        assert.deepEqual(readTrailers(inPieces.frame), trailers);
        if (isValid && whole.frame.chunks.length < 3) {
          assert(whole.found.equals(content), "The content is another one.");
        }
      },
    };
  },
  isRefusal: (error) => error instanceof AwsError,
};
