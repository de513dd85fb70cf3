import type { Section } from "./part";

type Cell = string | number;

/** Digits in groups of three: 1,234,567.8. */
function textOf(cell: Cell): string {
  return typeof cell === "number"
    ? cell.toLocaleString("en-US", { maximumFractionDigits: 2 })
    : cell;
}

/** A column is aligned to the right when all of its cells are numbers. */
function numericColumns({ columns, rows }: Section): boolean[] {
  return columns.map((_, i) => rows.length > 0 && rows.every((row) => typeof row[i] === "number"));
}

interface Grid {
  lines: string[][];
  widths: number[];
  numeric: boolean[];
}

/** @param escape of a cell's text in the output format */
function gridOf(section: Section, escape: (text: string) => string): Grid {
  const { columns, rows } = section;
  const lines = [columns, ...rows.map((row) => row.map(textOf))].map((line) => line.map(escape));
  const widths = columns.map((_, i) => Math.max(3, ...lines.map((line) => line[i]?.length ?? 0)));
  return { lines, widths, numeric: numericColumns(section) };
}

function padded({ widths, numeric }: Grid, line: string[]): string[] {
  return widths.map((width, i) => {
    const text = line[i] ?? "";
    return numeric[i] ? text.padStart(width) : text.padEnd(width);
  });
}

/** A section for a terminal: title, aligned table, note. */
export function terminalTable(section: Section): string {
  const grid = gridOf(section, (text) => text);
  const [head = [], ...body] = grid.lines.map((line) => padded(grid, line).join("  ").trimEnd());
  const rule = grid.widths.map((width) => "-".repeat(width)).join("  ");
  const note = section.note === undefined ? [] : ["", section.note];
  return [section.title, "", head, rule, ...body, ...note].flat().join("\n");
}

/** A section in Markdown, formatted like Prettier's output. */
export function markdownTable(section: Section): string {
  const grid = gridOf(section, (text) => text.replaceAll("|", "\\|"));
  const [head = "", ...body] = grid.lines.map((line) => `| ${padded(grid, line).join(" | ")} |`);
  const rule = grid.widths.map((width, i) =>
    grid.numeric[i] ? `${"-".repeat(width - 1)}:` : "-".repeat(width),
  );
  const note = section.note === undefined ? [] : ["", section.note];
  return [`### ${section.title}`, "", head, `| ${rule.join(" | ")} |`, ...body, ...note].join("\n");
}
