import { expect } from "chai";
import { type Progress, progressLine, Rate, showProgress } from "../../chaos/progress";

const PROGRESS: Progress = { phase: "uploading", uploads: 200, sent: 120, settled: 100 };

describe("the progress of a chaos run", () => {
  it("is a line with bar, uploads, settled events, rate and memory", () => {
    expect(progressLine(PROGRESS, 12.34)).to.match(
      /^\[#{10}\.{10}\] uploading: 120 of 200 uploads sent, 100 events settled, 12\.3\/s, \d+ MB$/,
    );
  });

  it("has the rate of the last minute", () => {
    const rate = new Rate();
    for (let second = 0; second <= 120; second += 1) {
      rate.add(second <= 60 ? 0 : (second - 60) * 5, second * 1000);
    }

    expect(rate.perSecond).to.equal(5);
    expect(new Rate().perSecond).to.equal(0);
  });

  it("clears its line on a terminal, and leaves none elsewhere", () => {
    const written: string[] = [];
    const write = (text: string) => written.push(text);
    showProgress(() => PROGRESS, { perSecond: 0 }, { isTTY: true, write })();
    showProgress(() => PROGRESS, { perSecond: 0 }, { write })();

    expect(written).to.deep.equal(["\r\u001b[K"]);
  });
});
