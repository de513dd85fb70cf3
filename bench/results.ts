import { machineLines } from "./machine";
import type { Part } from "./part";
import { markdownTable } from "./table";

const HEAD = `# Figures

Written by \`npm run bench\`. The figures of one table were measured side by side in one run; they are
medians of its repetitions.
`;

const PART_HEADING = /^## (.+)$/m;

function textOfPart({ name, sections }: Part, machine: string[]): string {
  return [`## ${name}`, machine.join("\n"), ...sections.map(markdownTable)].join("\n\n") + "\n";
}

/** The text of each part in results.md, by the part's name. */
function partsIn(text: string): Map<string, string> {
  const parts = new Map<string, string>();
  for (const part of text.split(/^(?=## )/m)) {
    const name = PART_HEADING.exec(part)?.[1];
    if (name !== undefined) {
      parts.set(name, `${part.trimEnd()}\n`);
    }
  }
  return parts;
}

/**
 * The new text of results.md.
 *
 * @param measured parts to add or replace, with this machine and date
 * @param order names of all parts; other parts of the file are dropped
 * @param before the file's text: parts not measured stay, each with its own machine and date
 */
export function resultsText(
  measured: Part[],
  order: string[],
  before = "",
  machine = machineLines(),
): string {
  const texts = partsIn(before);
  for (const part of measured) {
    texts.set(part.name, textOfPart(part, machine));
  }
  return [HEAD, ...order.flatMap((name) => texts.get(name) ?? [])].join("\n");
}
