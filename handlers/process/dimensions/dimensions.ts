/** Pixels, as a viewer shows the image. */
export interface Dimensions {
  width: number;
  height: number;
}

/** EXIF orientations from 5 to 8 turn the image by 90 degrees. */
export function turned({ width, height }: Dimensions, orientation: number | undefined): Dimensions {
  return orientation !== undefined && orientation >= 5 && orientation <= 8
    ? { width: height, height: width }
    : { width, height };
}

/** Undefined unless both are whole numbers of pixels: files may say anything. */
export function validDimensions(found: Dimensions | undefined): Dimensions | undefined {
  const isValid = (pixels: number) => Number.isSafeInteger(pixels) && pixels > 0;
  return found !== undefined && isValid(found.width) && isValid(found.height)
    ? { width: found.width, height: found.height }
    : undefined;
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Bytes as text of one character each. */
export function latin1(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString(
    "latin1",
    start,
    end,
  );
}
