import { expect } from "chai";
import { barLine } from "../../../cli/upload/progress";
import { measureSpeed } from "../../../cli/upload/speed";

describe("the bar of a file", () => {
  const state = { file: "film.mp4", phase: "sending", done: 431e6, total: 1.1e9 };

  it("shows speed and time left", () => {
    const line = barLine({ ...state, speed: () => 23.4e6 }, 120);

    expect(line).to.equal(
      "█████████░░░░░░░░░░░░░░░  39% sending 431.0 MB of 1.1 GB  23.4 MB/s  0:29 left  film.mp4",
    );
  });

  it("shows neither while nothing is known, and no time for a stalled upload", () => {
    const unknown = barLine({ ...state, speed: () => undefined }, 120);
    const stalled = barLine({ ...state, speed: () => 0 }, 120);

    expect(unknown).to.match(/1\.1 GB {2}film\.mp4$/);
    expect(stalled).to.match(/1\.1 GB {2}0 B\/s {2}film\.mp4$/);
  });

  it("never wraps, and keeps what is before the name", () => {
    for (const width of [20, 60, 80]) {
      const file = "long ".repeat(50);
      const line = barLine({ ...state, file, speed: () => 12345.6 }, width);

      expect(line.length, String(width)).to.equal(width - 1);
    }
    const hours = barLine({ ...state, speed: () => 1e5 }, 80);
    expect(hours).to.match(/^█{3}░{7} .* 1:51:30 left {2}film/);
  });
});

describe("the speed of an upload", () => {
  it("is that of the last ten seconds", () => {
    let now = 0;
    const speed = measureSpeed(() => now);
    speed.add(1000);
    expect(speed.current()).to.equal(undefined);

    for (; now < 20_000; now += 1000) {
      speed.add(500);
    }
    expect(speed.current()).to.be.within(400, 600);

    now += 40_000;
    expect(speed.current()).to.be.below(150);
  });

  it("is zero, not below, where parts have to be sent again", () => {
    let now = 0;
    const speed = measureSpeed(() => now);
    speed.add(1000);
    now = 2000;
    speed.add(-5000);

    expect(speed.current()).to.equal(0);
  });
});
