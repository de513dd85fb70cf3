import { hash } from "node:crypto";
import { expect } from "chai";
import fc from "fast-check";
import { createChunkCutter, readTrailers } from "../../../s3/body/chunks";
import type { Cutter } from "../../../s3/body/cutter";
import { createFormCutter } from "../../../s3/forms/formCutter";
import { findFile, readPostForm } from "../../../s3/forms/postForm";

const TYPE = "multipart/form-data; boundary=B";

/** Feeds a body in pieces of these sizes, over and over. */
function cut(cutter: Cutter, body: Buffer, sizes: readonly number[]) {
  const content: Buffer[] = [];
  for (let at = 0, turn = 0; at < body.length; turn += 1) {
    const size = sizes[turn % sizes.length] ?? 1;
    content.push(...cutter.push(body.subarray(at, at + size)));
    at += size;
  }
  return { content: Buffer.concat(content), rest: cutter.end() };
}

const sizes = fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 5 });

function part(name: string, value: string): string {
  return `--B\r\nContent-Disposition: form-data; name="${name}"; filename="f"\r\n\r\n${value}\r\n`;
}

/** The outcome of a form, refusals included. */
function outcome(read: () => unknown): unknown {
  try {
    return read();
  } catch (error) {
    return String(error);
  }
}

describe("the form cutter", () => {
  // Many of these contain parts of the delimiter.
  const text = fc
    .array(fc.constantFrom("\r", "\n", "-", "--", "B", "\r\n--", "x", "é", "\r\n--A"), {
      maxLength: 12,
    })
    .map((pieces) => pieces.join(""));

  it("finds the file and the refusals that the whole form has, however it arrives", () => {
    const form = fc
      .record({
        preamble: fc.constantFrom("", "preamble\r\n"),
        fields: fc.array(fc.tuple(fc.constantFrom("key", "acl", "x-amz-meta-a"), text), {
          maxLength: 3,
        }),
        file: text,
        end: fc.constantFrom("--B--\r\n", "--B--", "--B\r\nmore", "", "--"),
      })
      .map(
        ({ preamble, fields, file, end }) =>
          preamble +
          fields.map(([name, value]) => part(name, value)).join("") +
          part("file", file) +
          end,
      );
    fc.assert(
      fc.property(form, sizes, (sent, pieces) => {
        const body = Buffer.from(sent);
        const { content, rest } = cut(createFormCutter(TYPE), body, pieces);

        const whole = outcome(() => {
          const { key, fields, file } = readPostForm(TYPE, { body });
          return { key, fields: [...fields], file: (file as Buffer).toString() };
        });
        const spooled = outcome(() => {
          const { key, fields } = readPostForm(TYPE, { body: rest });
          return { key, fields: [...fields], file: content.toString() };
        });
        expect(spooled).to.deep.equal(whole);
      }),
    );
  });

  it("keeps neither a form without a boundary nor one without a file", () => {
    const noise = Buffer.alloc(3 << 20, "x");

    expect(cut(createFormCutter("multipart/form-data"), noise, [65536]).content).to.have.length(0);
    const { content, rest } = cut(createFormCutter(TYPE), noise, [65536]);
    expect(content).to.have.length(0);
    expect(rest.length).to.be.below((1 << 20) + 65537);
  });

  it("goes on behind the fields that were read, and does not begin anew with each piece", () => {
    const fields = part("key", "k") + part("acl", "private");
    const delimiter = Buffer.from("\r\n--B");
    const found = findFile(Buffer.from(`${fields}--B\r\nContent-Disp`), delimiter);

    expect(found).to.deep.equal({ after: fields.length + "--B".length });
    const whole = Buffer.from(fields + part("file", "content"));
    expect(findFile(whole, delimiter, fields.length + "--B".length)).to.deep.equal({
      start: whole.indexOf("content"),
    });
  });

  it("names the checksums that the fields have or announce", () => {
    const named = (name: string, value: string) => {
      const cutter = createFormCutter(TYPE);
      cutter.push(Buffer.from(part("key", "k") + part(name, value) + part("file", "content")));
      return cutter.algorithms();
    };

    expect(named("x-amz-checksum-sha1", "AAAA")).to.deep.equal(["sha1"]);
    expect(named("x-amz-checksum-algorithm", "CRC32")).to.deep.equal(["crc32"]);
    expect(named("acl", "private")).to.deep.equal([]);
  });
});

describe("the chunk cutter", () => {
  function cutChunks(body: Buffer, pieces: readonly number[], isSigned = false) {
    const cutter = createChunkCutter({ isSigned });
    const { content } = cut(cutter, body, pieces);
    const frame = cutter.frame?.();
    if (!frame) {
      throw new Error("There is no frame.");
    }
    return { content, frame };
  }

  it("joins the chunks and keeps the trailers, however they arrive", () => {
    const chunks = fc.array(fc.string({ minLength: 1 }), { maxLength: 5 });
    fc.assert(
      fc.property(chunks, sizes, fc.constantFrom("", "\n", "\r\n"), (texts, pieces, end) => {
        const body = Buffer.concat([
          ...texts.map((text) => {
            const bytes = Buffer.from(text);
            return Buffer.concat([
              Buffer.from(`${bytes.length.toString(16)};an-extension\r\n`),
              bytes,
              Buffer.from("\r\n"),
            ]);
          }),
          Buffer.from(`0\r\nX-Amz-Checksum-Crc32: AAAAAA==\r\n\r\n${end === "\r\n" ? end : ""}`),
        ]);

        const { content, frame } = cutChunks(body, pieces);

        expect(content.toString()).to.equal(texts.join(""));
        expect(readTrailers(frame)).to.deep.equal([["x-amz-checksum-crc32", "AAAAAA=="]]);
      }),
    );
  });

  it("keeps size, signature and hash of each signed chunk", () => {
    const signature = "5".repeat(64);
    const bytes = Buffer.alloc(9000, "x");
    const body = Buffer.concat([
      Buffer.from(`2328;chunk-signature=${signature}\r\n`),
      bytes,
      Buffer.from(`\r\n0;chunk-signature=${signature}\r\n\r\n`),
    ]);

    const { content, frame } = cutChunks(body, [1000], true);

    expect(content.equals(bytes)).to.equal(true);
    expect(frame.error).to.equal(undefined);
    expect(frame.chunks).to.deep.equal([
      { size: 9000, signature, sha256: hash("sha256", bytes) },
      { size: 0, signature, sha256: hash("sha256", "") },
    ]);
  });

  const BROKEN: [body: string, code: string][] = [
    ["4\r\nbo", "IncompleteBody"],
    ["4\r\nbody\r\n", "IncompleteBody"],
    ["4\r\nbodyX\r\n0\r\n\r\n", "IncompleteBody"],
    ["4\r\nbody\r0\r\n\r\n", "IncompleteBody"],
    ["zz\r\nbody\r\n0\r\n\r\n", "IncompleteBody"],
    ["-6\r\nbody\r\n0\r\n\r\n", "IncompleteBody"],
    ["+4\r\nbody\r\n0\r\n\r\n", "IncompleteBody"],
    ["0x4\r\nbody\r\n0\r\n\r\n", "IncompleteBody"],
    [" 4\r\nbody\r\n0\r\n\r\n", "IncompleteBody"],
    ["4 \r\nbody\r\n0\r\n\r\n", "IncompleteBody"],
    ["4.0\r\nbody\r\n0\r\n\r\n", "IncompleteBody"],
    ["4\nbody\n0\n\n", "IncompleteBody"],
    ["ffffffffffffffff\r\nbody\r\n0\r\n\r\n", "IncompleteBody"],
    ["", "IncompleteBody"],
    ["0\r\n", "IncompleteBody"],
    ["0\r\na:b\r\n", "IncompleteBody"],
    ["0\r\na:b", "IncompleteBody"],
    ["0\r\n\r\na:b\r\n\r\n", "IncompleteBody"],
    ["0\r\na\r\n\r\n", "MalformedTrailerError"],
    ["0\r\n:b\r\n\r\n", "MalformedTrailerError"],
    [`0\r\n${"a:b\r\n".repeat(4000)}\r\n`, "MalformedTrailerError"],
  ];
  for (const [body, code] of BROKEN) {
    it(`refuses ${JSON.stringify(body.slice(0, 40))}`, () => {
      for (const size of [1, 3, body.length]) {
        const { frame } = cutChunks(Buffer.from(body), [size]);

        expect(() => readTrailers(frame))
          .to.throw()
          .with.property("code", code);
      }
    });
  }

  const signed = (size: string, content = "") =>
    `${size};chunk-signature=${"0".repeat(64)}\r\n${content}\r\n`;
  for (const [what, body, code] of [
    ["a chunk without a signature", `4\r\nbody\r\n${signed("0")}`, "IncompleteBody"],
    ["a last chunk without a signature", `${signed("4", "body")}0\r\n\r\n`, "IncompleteBody"],
    [
      "a signature of another form",
      `4;chunk-signature=abc\r\nbody\r\n${signed("0")}`,
      "IncompleteBody",
    ],
    [
      "a small chunk before another one",
      signed("4", "body") + signed("4", "body") + signed("0"),
      "InvalidChunkSizeError",
    ],
  ] as const) {
    it(`refuses ${what} in a signed body`, () => {
      const { frame } = cutChunks(Buffer.from(body), [5], true);

      expect(() => readTrailers(frame))
        .to.throw()
        .with.property("code", code);
    });
  }

  it("keeps no line that never ends", () => {
    const { content, frame } = cutChunks(Buffer.alloc(1 << 20, "0"), [65536]);

    expect(content).to.have.length(0);
    expect(frame.error?.code).to.equal("IncompleteBody");
    expect(frame.trailer.length).to.be.lessThan(2000);
  });
});
