import { expect } from "chai";
import type { Section } from "../../bench/part";
import { markdownTable, terminalTable } from "../../bench/table";

const SECTION: Section = {
  title: "Sizes",
  note: "Of the files.",
  columns: ["what", "bytes", "÷ ours"],
  rows: [
    ["ours", 1234567, 1],
    ["a|b", 89, 0.125],
  ],
};

describe("The bench's tables", () => {
  it("align texts to the left and numbers to the right on a terminal", () => {
    expect(terminalTable(SECTION).split("\n")).to.deep.equal([
      "Sizes",
      "",
      "what      bytes  ÷ ours",
      "----  ---------  ------",
      "ours  1,234,567       1",
      "a|b          89    0.13",
      "",
      "Of the files.",
    ]);
  });

  it("are Markdown in results.md, with heading, aligned table and note", () => {
    expect(markdownTable(SECTION).split("\n")).to.deep.equal([
      "### Sizes",
      "",
      "| what |     bytes | ÷ ours |",
      "| ---- | --------: | -----: |",
      "| ours | 1,234,567 |      1 |",
      "| a\\|b |        89 |   0.13 |",
      "",
      "Of the files.",
    ]);
  });

  it("work without a note, and align a column with any text to the left", () => {
    const rows: Section["rows"] = [[1], ["none"]];

    expect(terminalTable({ title: "T", columns: ["n"], rows }).split("\n")).to.deep.equal([
      "T",
      "",
      "n",
      "----",
      "1",
      "none",
    ]);
  });
});
