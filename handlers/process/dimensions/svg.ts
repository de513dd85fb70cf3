import type { FileRanges } from "../fileRanges";
import { markupOf } from "../type/markup";
import { textOf } from "../type/text";
import type { Dimensions } from "./dimensions";

/** CSS pixels; https://www.w3.org/TR/css-values-3/#absolute-lengths. Fonts have 16. */
const UNITS: Record<string, number> = {
  "": 1,
  px: 1,
  in: 96,
  cm: 96 / 2.54,
  mm: 96 / 25.4,
  q: 96 / 101.6,
  pt: 96 / 72,
  pc: 16,
  em: 16,
  rem: 16,
  ex: 8,
};

/** Undefined for a share of the window, and where there is no length. */
function lengthOf(text = ""): number | undefined {
  const [, value, unit = ""] =
    /^\s*([+-]?[\d.]{1,20}(?:e[+-]?\d{1,3})?)([a-z]*)\s*$/i.exec(text) ?? [];
  const factor = Object.hasOwn(UNITS, unit.toLowerCase()) ? UNITS[unit.toLowerCase()] : undefined;
  return value === undefined || factor === undefined ? undefined : Number(value) * factor;
}

/** A drawing's own size: its width and height, or else that of its view box. */
export function svgDimensions({ head, size }: FileRanges): Dimensions | undefined {
  const markup = markupOf(textOf(head, head.length === size) ?? "");
  if (markup?.root !== "svg") {
    return undefined;
  }
  const { width, height, viewBox = "" } = markup.attributes;
  const [w, h] = [lengthOf(width), lengthOf(height)];
  const [, , boxWidth = NaN, boxHeight = NaN] = viewBox
    .trim()
    .split(/[\s,]+/)
    .map(Number);
  return {
    width: Math.round(w ?? (h === undefined ? boxWidth : (h * boxWidth) / boxHeight)),
    height: Math.round(h ?? (w === undefined ? boxHeight : (w * boxHeight) / boxWidth)),
  };
}
