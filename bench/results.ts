import { machineLines } from "./machine";
import type { Part } from "./part";
import { markdownTable } from "./table";

const HEAD = `# Figures

Written by \`npm run bench\`. Everything in one table was measured side by side in one run: one
repetition of all after the other, of which the medians are shown.
`;

const PART_HEADING = /^## (.+)$/m;

function textOfPart({ name, sections }: Part, machine: string[]): string {
  return [`## ${name}`, machine.join("\n"), ...sections.map(markdownTable)].join("\n\n") + "\n";
}

/** The text of each part in a file of results, by the part's name. */
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
 * The file of results with these parts in it.
 *
 * @param order all parts' names; a part of the file that is none of them is dropped
 * @param before the file as it is: its other parts stay, each with its own machine and date
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
