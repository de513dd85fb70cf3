import { type Dimensions, latin1 } from "./dimensions";

/** Where the header of a Netpbm file ends at the latest, comments included. */
const HEADER_BYTES = 4096;

/** https://netpbm.sourceforge.net/doc/ppm.html, for P7 https://netpbm.sourceforge.net/doc/pam.html */
export function netpbmDimensions(head: Uint8Array): Dimensions | undefined {
  const text = latin1(head, 0, HEADER_BYTES).replace(/#[^\r\n]*/g, "");
  const [, width, height] =
    /^P[1-6]\s+(\d{1,9})\s+(\d{1,9})\s/.exec(text) ??
    (text.startsWith("P7")
      ? ["", /^WIDTH (\d{1,9})$/m.exec(text)?.[1], /^HEIGHT (\d{1,9})$/m.exec(text)?.[1]]
      : []);
  return width === undefined || height === undefined
    ? undefined
    : { width: Number(width), height: Number(height) };
}
