import { expect } from "chai";
import { measureWork } from "../../../bench/requests/requests";
import { requestsPart } from "../../../bench/requests/tables";
import type { UploadWork } from "../../../bench/requests/uploadWork";

const WORK: UploadWork = {
  invocations: { upload: 1 },
  gbSeconds: {},
  requests: { "s3:PutObject": 1 },
  tableWriteUnits: 3,
  indexWriteUnits: 5,
  indexWriteUnitsByStatus: {},
  readUnits: 1.5,
  mails: 1,
  logBytes: 1000,
  restRequests: 1,
};

describe("The count of an upload's AWS work", () => {
  it("matches the documented work of a single upload", async () => {
    const work = await measureWork("ours", "single", 2);

    expect(work.invocations).to.deep.equal({ upload: 1, record: 1, process: 1, notify: 1 });
    expect(work.requests).to.include({ "s3:PutObject": 1, "s3:GetObject": 1 });
    expect(work.tableWriteUnits + work.indexWriteUnits).to.equal(8);
    // The sweeper reads half a unit more for each upload, later.
    expect(work).to.include({ readUnits: 1, mails: 1 });
  });

  it("matches the documented work of a signed upload", async () => {
    const work = await measureWork("signed", "single", 2);

    expect(work.invocations).to.deep.equal({ manager: 1, record: 1, process: 1, notify: 1 });
    const tables = Object.entries(work.requests).filter(([name]) => name.startsWith("dynamodb:"));
    expect(Object.fromEntries(tables)).to.deep.equal({
      "dynamodb:BatchGetItem": 1,
      // The row, and that its event was not deleted.
      "dynamodb:TransactWriteItems": 1,
      "dynamodb:UpdateItem": 2,
    });
    // A transaction writes twice, and its check costs two.
    expect(work.tableWriteUnits + work.indexWriteUnits).to.equal(8 + 3);
    expect(work).to.include({ readUnits: 1, mails: 1 });
  });

  it("counts both stream Lambdas for every change of the naive pipeline's table", async () => {
    const { invocations, readUnits, mails } = await measureWork("naive", "single", 2);

    expect(invocations).to.include({ upload: 1, record: 1 });
    // A Lambda that is late gets a row's second and third change, or first and second, in one batch.
    expect(invocations.process).to.be.within(2, 3);
    expect(invocations.notify).to.be.within(2, 3);
    expect({ readUnits, mails }).to.deep.equal({ readUnits: 3, mails: 1 });
  });

  it("counts fewer mails than files in our burst", async () => {
    const { mails } = await measureWork("ours", "burst", 8);

    expect(mails).to.be.within(1 / 8, 7 / 8);
  });
});

describe("The table of an upload's AWS work", () => {
  it("has the ratio of each figure, and figures of only one pipeline", () => {
    const naive = { ...WORK, readUnits: 3, requests: { "dynamodb:GetItem": 2, "s3:PutObject": 1 } };
    const { sections } = requestsPart([
      { pipeline: "ours", load: "single", uploads: 20, work: WORK },
      { pipeline: "signed", load: "single", uploads: 20, work: { ...WORK, readUnits: 1 } },
      { pipeline: "naive", load: "single", uploads: 20, work: naive },
    ]);

    const rows = sections[0]?.rows ?? [];
    expect(sections).to.have.length(1);
    expect(rows).to.deep.include(["read units", 1.5, 1, 3, "0.50"]);
    expect(rows).to.deep.include(["dynamodb:GetItem", 0, 0, 2, "0.00"]);
  });
});
