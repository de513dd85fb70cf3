import { expect } from "chai";
import { median, quantile, round } from "../../bench/statistics";

describe("The bench's statistics", () => {
  it("take the middle value, or the mean of the two middle ones", () => {
    expect(median([9, 1, 5])).to.equal(5);
    expect(median([10, 4, 1, 2])).to.equal(3);
    expect(median([7])).to.equal(7);
  });

  it("interpolate a quantile between its neighbours, without changing the values", () => {
    const values = [40, 10, 30, 20, 50];

    expect([0, 0.25, 0.95, 1].map((share) => quantile(values, share))).to.deep.equal([
      10, 20, 48, 50,
    ]);
    expect(values).to.deep.equal([40, 10, 30, 20, 50]);
  });

  it("are NaN for no values", () => {
    expect(Number.isNaN(median([]))).to.equal(true);
  });

  it("round to a number of digits", () => {
    expect([round(1.25, 1), round(1234.56)]).to.deep.equal([1.3, 1235]);
  });
});
