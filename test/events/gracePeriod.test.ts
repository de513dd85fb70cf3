import { expect } from "chai";
import { freshUploadSeconds, gracePeriodSeconds, isFreshUpload } from "../../events/gracePeriod";

describe("the grace period of uploads", () => {
  it("ends later than an upload is fresh, for all settings", () => {
    for (const stuckSeconds of [1, 4, 60, 480, 900, 86_400]) {
      const margin = gracePeriodSeconds(stuckSeconds) - freshUploadSeconds(stuckSeconds);
      expect(margin, `stuckSeconds ${stuckSeconds}`).to.be.at.least(1);
    }
    expect([freshUploadSeconds(900), gracePeriodSeconds(900)]).to.deep.equal([60, 120]);
  });

  it("treats only objects put within the given seconds of the time in their key as fresh", () => {
    const put = { eventName: "ObjectCreated:Put", eventTime: "2026-11-21T20:01:00.000Z" };

    expect(isFreshUpload(put, "2026-11-21T20:00:00.000Z", 60)).to.equal(true);
    expect(isFreshUpload(put, "2026-11-21T20:02:00.000Z", 60)).to.equal(true);
    expect(isFreshUpload(put, "2026-11-21T19:59:59.999Z", 60)).to.equal(false);
    const post = { ...put, eventName: "ObjectCreated:Post" };
    expect(isFreshUpload(post, "2026-11-21T20:00:00.000Z", 60)).to.equal(false);
  });
});
