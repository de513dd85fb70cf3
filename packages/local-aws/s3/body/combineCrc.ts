import { CRC_POLYNOMIALS } from "./digests";

/** A piece of a content, with its CRC. */
export interface Piece {
  crc: Buffer;
  /** Bytes. */
  size: number;
}

/**
 * The CRC of a content from those of its pieces, without reading the content: a CRC followed by n
 * zero bytes is its product with x^(8n), modulo the polynomial.
 *
 * @param algorithm crc32, crc32c or crc64nvme
 */
export function combineCrcs(algorithm: string, pieces: readonly Piece[]): Buffer {
  const polynomial = CRC_POLYNOMIALS.get(algorithm);
  if (polynomial === undefined) {
    throw new Error(`${algorithm} is not a CRC.`);
  }
  const bits = algorithm === "crc64nvme" ? 64 : 32;
  const field = createField(polynomial, BigInt(bits));
  // All parts but the last have one size, as a rule.
  const shifts = new Map<number, bigint>();
  let sum = 0n;
  for (const { crc, size } of pieces) {
    const shift = shifts.get(size) ?? field.power(8 * size);
    shifts.set(size, shift);
    sum = field.multiply(sum, shift) ^ BigInt(`0x${crc.toString("hex")}`);
  }
  return Buffer.from(sum.toString(16).padStart(bits / 4, "0"), "hex");
}

/** Polynomials over GF(2) modulo another one, their lowest coefficients in the highest bits. */
function createField(polynomial: bigint, bits: bigint) {
  const one = 1n << (bits - 1n);

  function multiply(a: bigint, b: bigint): bigint {
    let product = 0n;
    let factor = b;
    for (let bit = one; bit > 0n; bit >>= 1n) {
      if ((a & bit) !== 0n) {
        product ^= factor;
      }
      factor = (factor & 1n) === 0n ? factor >> 1n : (factor >> 1n) ^ polynomial;
    }
    return product;
  }

  return {
    multiply,
    /** x to the power of `exponent`. */
    power(exponent: number): bigint {
      let result = one;
      let square = one >> 1n;
      for (let rest = exponent; rest > 0; rest = Math.floor(rest / 2)) {
        if (rest % 2 === 1) {
          result = multiply(result, square);
        }
        square = multiply(square, square);
      }
      return result;
    },
  };
}
