import { BMP } from "image-size/types/bmp";
import { DDS } from "image-size/types/dds";
import { GIF } from "image-size/types/gif";
import { ICNS } from "image-size/types/icns";
import { ICO } from "image-size/types/ico";
import { J2C } from "image-size/types/j2c";
import { JP2 } from "image-size/types/jp2";
import { JXL } from "image-size/types/jxl";
import { JXLStream } from "image-size/types/jxl-stream";
import { KTX } from "image-size/types/ktx";
import { PNG } from "image-size/types/png";
import { PSD } from "image-size/types/psd";
import { TGA } from "image-size/types/tga";
import { WEBP } from "image-size/types/webp";
import type { FileRanges } from "../fileRanges";
import { type Dimensions, validDimensions } from "./dimensions";
import { heifDimensions } from "./heif";
import { jpegDimensions } from "./jpeg";
import { netpbmDimensions } from "./netpbm";
import { svgDimensions } from "./svg";
import { tiffDimensions } from "./tiff";

/** The package's functions for formats whose dimensions are near their beginning. */
function formatOf(type: string, isBoxed: boolean) {
  switch (type) {
    case "image/apng":
    case "image/png":
      return PNG;
    case "image/bmp":
      return BMP;
    case "image/gif":
      return GIF;
    case "image/icns":
      return ICNS;
    case "image/j2c":
      return J2C;
    case "image/jp2":
      return JP2;
    case "image/jxl":
      return isBoxed ? JXL : JXLStream;
    case "image/ktx":
      return KTX;
    case "image/vnd.adobe.photoshop":
      return PSD;
    case "image/vnd.microsoft.icon":
      return ICO;
    case "image/vnd.ms-dds":
      return DDS;
    case "image/x-tga":
      return TGA;
    case "image/webp":
      return WEBP;
  }
  return undefined;
}

/** What these formats' numbers have at most: negative ones are read as larger. */
const MAX_PIXELS = 2 ** 31 - 1;

function headDimensions(head: Uint8Array, type: string): Dimensions | undefined {
  try {
    const found = formatOf(type, head[0] === 0)?.calculate(head);
    // An icon's largest image.
    const shown =
      found?.images?.reduce((one, other) => (other.width > one.width ? other : one)) ?? found;
    return shown && Math.max(shown.width, shown.height) <= MAX_PIXELS ? shown : undefined;
  } catch {
    // It throws for damaged and truncated images.
    return undefined;
  }
}

function measure(ranges: FileRanges, type: string) {
  switch (type) {
    case "image/jpeg":
      return jpegDimensions(ranges);
    case "image/heic":
    case "image/heif":
    case "image/avif":
    case "image/heic-sequence":
    case "image/heif-sequence":
      return heifDimensions(ranges);
    case "image/svg+xml":
      return svgDimensions(ranges);
  }
  if (type.startsWith("image/x-portable-")) {
    return netpbmDimensions(ranges.head);
  }
  const order = ranges.head[0];
  return order === 0x49 || order === 0x4d
    ? tiffDimensions(ranges)
    : headDimensions(ranges.head, type);
}

/**
 * The dimensions of an image, as a viewer shows it: cropped and turned as the file says. Undefined
 * where the file does not say it, or not within what may be read.
 *
 * @param type canonical
 */
export async function imageDimensions(
  ranges: FileRanges,
  type: string,
): Promise<Dimensions | undefined> {
  return type.startsWith("image/") ? validDimensions(await measure(ranges, type)) : undefined;
}
