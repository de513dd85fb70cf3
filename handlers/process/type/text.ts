/** Bytes that text does not have: control characters but tab, line feed, form feed, return, escape. */
function isControl(byte: number): boolean {
  return byte < 0x20 && byte !== 9 && byte !== 10 && byte !== 12 && byte !== 13 && byte !== 0x1b;
}

/** `utf-16le` or `utf-16be`, where every other byte is 0, as in text of Latin letters. */
function utf16Of(bytes: Uint8Array): "utf-16le" | "utf-16be" | undefined {
  const zeros: [even: number, odd: number] = [0, 0];
  const looked = Math.min(bytes.length, 1024);
  for (let index = 0; index < looked; index += 1) {
    if (bytes[index] === 0) {
      zeros[index % 2 === 0 ? 0 : 1] += 1;
    }
  }
  const [even, odd] = zeros;
  if (looked < 8 || Math.max(even, odd) < looked * 0.4 || Math.min(even, odd) > 0) {
    return undefined;
  }
  return odd > even ? "utf-16le" : "utf-16be";
}

function decode(bytes: Uint8Array, encoding: string): string {
  return new TextDecoder(encoding).decode(bytes);
}

/**
 * The text that a file begins with; undefined when its bytes are not text. An encoding that nothing
 * tells is read as Latin 1: the characters that formats are recognised by are in ASCII.
 *
 * @param bytes from the file's beginning
 * @param isWhole whether they are the whole file
 */
export function textOf(bytes: Uint8Array, isWhole: boolean): string | undefined {
  const [first, second, third] = bytes;
  if (first === 0xef && second === 0xbb && third === 0xbf) {
    return bytes.subarray(3).some(isControl) ? undefined : decode(bytes, "utf-8");
  }
  const marked =
    first === 0xff && second === 0xfe
      ? "utf-16le"
      : first === 0xfe && second === 0xff
        ? "utf-16be"
        : utf16Of(bytes);
  if (marked !== undefined) {
    const text = decode(bytes.subarray(0, bytes.length - (bytes.length % 2)), marked);
    // A mark of two bytes is also the beginning of other formats.
    return /[\0-\x08\x0e-\x1a\x1c-\x1f\ufffe\uffff]/.test(text) ? undefined : text;
  }
  // MS-DOS ended text files with a byte of its own.
  const end = isWhole && bytes.at(-1) === 0x1a ? bytes.length - 1 : bytes.length;
  for (let index = 0; index < end; index += 1) {
    if (isControl(bytes[index] ?? 0)) {
      return undefined;
    }
  }
  return Buffer.from(bytes.buffer, bytes.byteOffset, end).toString("latin1");
}
