import { expect } from "chai";
import { machineLines } from "../../bench/machine";
import type { Part } from "../../bench/part";
import { resultsText } from "../../bench/results";

function partOf(name: string, value: number): Part {
  const sections = [{ title: `Of ${name}`, columns: ["value"], rows: [[value]] }];
  return { name, json: [{ value }], sections };
}

const ORDER = ["first", "second", "third"];

describe("The file of results", () => {
  it("has each part with machine and date, in order", () => {
    const parts = [partOf("second", 2), partOf("first", 1)];

    const text = resultsText(parts, ORDER, "", ["- Machine: one"]);

    expect(text).to.match(
      /^# Figures\n[^]*## first\n\n- Machine: one\n\n### Of first\n[^]*\n\n## second\n\n- Machine: one\n/,
    );
    expect(text).not.to.include("## third");
  });

  it("keeps the parts that were not measured, with their machines", () => {
    const before = resultsText(
      [partOf("first", 11), partOf("second", 22), partOf("gone", 33)],
      [...ORDER, "gone"],
      "",
      ["- Machine: old"],
    );

    const text = resultsText([partOf("second", 44)], ORDER, before, ["- Machine: new"]);

    expect(text).to.match(/## first\n\n- Machine: old\n[^]* 11 [^]*## second\n\n- Machine: new\n/);
    expect(text).to.include(" 44 ").and.not.to.include(" 22 ");
    expect(text).not.to.include("gone");
    expect(resultsText([], ORDER, text)).to.equal(text);
  });

  it("lists date, cores, memory, and versions of Node.js and packages", () => {
    const text = machineLines(new Date("2026-11-21T23:00:00Z")).join("\n");

    expect(text).to.match(/^- Measured: 2026-11-21\n- Machine: \d+ cores? \(.+\), [\d.]+ GB, .+\n/);
    expect(text).to.include(`Node.js ${process.version}`);
    expect(text).to.match(/esbuild \d+\.\d+/);
  });
});
