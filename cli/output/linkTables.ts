import type { Link } from "../manager/linkClient";
import { plainText } from "./plainText";
import { metadataPairs, minuteOf, pairLines, tableLines } from "./tables";
import { formatBytes } from "./units";

const HEAD = ["made (UTC)", "status", "id", "files", "until (UTC)", "note"];

/** Of all columns but the last. */
const WIDTHS = [18, 10, 38, 13, 18];

/** When it ends, or has ended. */
export function untilOf({ expires_at, revoked_at }: Link): string {
  return minuteOf(revoked_at ?? expires_at);
}

/** Such as `3 of 10`. */
function filesOf({ files, max_files }: Link): string {
  return max_files === undefined ? String(files.taken) : `${files.taken} of ${max_files}`;
}

/**
 * The lines of one page of links.
 *
 * @param width characters of the terminal @default every line is as long as it has to be
 */
export function linkTableLines(links: Link[], withHead: boolean, width = Infinity): string[] {
  const left = width - WIDTHS.reduce((sum, each) => sum + each, 0);
  const widths = [...WIDTHS, Number.isFinite(left) ? Math.max(1, left) : null];
  const rows = links.map((link) => [
    minuteOf(link.created_at),
    link.status,
    link.link_id,
    filesOf(link),
    untilOf(link),
    link.note?.replaceAll("\n", " ") ?? "",
  ]);
  return tableLines(
    [...(withHead ? [HEAD] : []), ...rows].map((row) => row.map(plainText)),
    widths,
  );
}

/** One link with all its attributes, a line each. */
export function linkLines(link: Link): string[] {
  const { files, max_files, max_bytes } = link;
  return pairLines([
    ["id", link.link_id],
    ["url", link.url],
    ["status", link.status],
    ["made at", link.created_at],
    ["works until", link.expires_at],
    ["revoked at", link.revoked_at],
    ["files", `${files.stored} stored, ${files.taken - files.stored} under way`],
    ["files at most", max_files],
    ["size at most", max_bytes && `${max_bytes} bytes (${formatBytes(max_bytes)}) each`],
    ["content types", link.content_types?.join(", ")],
    ...metadataPairs(link.metadata),
    ["note", link.note?.replaceAll("\n", " ")],
  ]);
}
