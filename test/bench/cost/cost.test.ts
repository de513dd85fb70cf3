import { readFileSync } from "node:fs";
import * as path from "node:path";
import { expect } from "chai";
import { DIGEST_SECONDS, NAIVE_BATCHES, OUR_BATCHES, workAt } from "../../../bench/cost/batches";
import { billOf, totalsOf } from "../../../bench/cost/bill";
import { readWork } from "../../../bench/cost/checkedInWork";
import { cost, RATES } from "../../../bench/cost/cost";
import { DURATIONS } from "../../../bench/model/durations";
import { countOurWork } from "../../../bench/requests/countOurWork";
import type { UploadWork } from "../../../bench/requests/uploadWork";
import { indexWrites } from "../../../bench/requests/workCounter";
import { PROGRAM_DIR } from "../../../start/programDir";
import { ofType, only, recordProgram } from "../../../testing/recordingMocks";

type Ceiling = Record<string, { withMail: number; withoutMail: number }>;

function readCeiling(): Ceiling {
  const file = path.join(PROGRAM_DIR, "bench", "cost", "ceiling.json");
  return (JSON.parse(readFileSync(file, "utf8")) as { dollarsPerMillion: Ceiling })
    .dollarsPerMillion;
}

const { ours, naive } = readWork();

function sum(counts: Record<string, number>): number {
  return Object.values(counts).reduce((total, count) => total + count, 0);
}

function tableRequestsOf({ requests }: UploadWork): number {
  return sum(
    Object.fromEntries(Object.entries(requests).filter(([name]) => name.startsWith("dynamodb:"))),
  );
}

function totalsAt(work: UploadWork, rate: number) {
  return totalsOf(billOf(workAt(work, OUR_BATCHES, rate)));
}

describe("the cost of an upload", () => {
  it("is at most its ceiling, as counted in a run", async function () {
    const ceiling = readCeiling();

    const work = await countOurWork(5);

    const { logBytes, ...counts } = work;
    const { logBytes: logBytesBefore, ...countsBefore } = ours;
    expect(counts, "bench/uploadWork.json").to.deep.equal(countsBefore);
    expect(logBytes).to.be.closeTo(logBytesBefore, 30);
    expect(tableRequestsOf(work), "requests to the table").to.equal(4);
    expect(sum(work.invocations), "invocations").to.equal(4);
    for (const rate of RATES) {
      const totals = totalsAt(work, rate);
      expect(totals.withMail, `with mail, at ${rate}/s`).to.be.at.most(
        ceiling[rate]?.withMail ?? NaN,
      );
      expect(totals.withoutMail, `without mail, at ${rate}/s`).to.be.at.most(
        ceiling[rate]?.withoutMail ?? NaN,
      );
    }
  });

  it("is above the ceiling with one more read, write, log line or invocation", () => {
    const ceiling = readCeiling();
    const dearer: UploadWork[] = [
      { ...ours, readUnits: ours.readUnits + 0.5 },
      { ...ours, tableWriteUnits: ours.tableWriteUnits + 1 },
      { ...ours, indexWriteUnits: ours.indexWriteUnits + 1 },
      { ...ours, logBytes: ours.logBytes + 150 },
      { ...ours, invocations: { ...ours.invocations, another: 1 } },
      { ...ours, requests: { ...ours.requests, "s3:HeadObject": 1 } },
    ];

    for (const rate of RATES) {
      for (const work of dearer) {
        expect(totalsAt(work, rate).withoutMail).to.be.above(ceiling[rate]?.withoutMail ?? NaN);
      }
    }
  });

  it("is the sum of AWS's charges", () => {
    const work: UploadWork = {
      invocations: { upload: 1, process: 1 },
      gbSeconds: { upload: 0.5, process: 0.5 },
      requests: { "s3:PutObject": 1, "s3:GetObject": 1, "sns:Publish": 1, "sqs:SendMessage": 1 },
      tableWriteUnits: 2,
      indexWriteUnits: 2,
      indexWriteUnitsByStatus: {},
      readUnits: 8,
      mails: 1,
      logBytes: 2 ** 30 / 1e6,
      restRequests: 1,
    };

    const totals = totalsOf(billOf(work));

    const expected = 3.5 + 2 * 0.2 + 13.3334 + 5 + 0.4 + 4 * 0.625 + 8 * 0.125 + 0.4 + 0.5 + 0.5;
    expect(totals.withoutMail).to.be.closeTo(expected, 1e-9);
    expect(totals.withMail).to.be.closeTo(expected + 20, 1e-9);
  });

  it("falls with the rate, since files share batches and mails", () => {
    const [slow = NaN, faster = NaN, fast = NaN] = RATES.map(
      (rate) => totalsAt(ours, rate).withMail,
    );

    expect(slow).to.be.above(faster);
    expect(faster).to.be.above(fast);
  });

  it("counts at most one mail a second and shard, or one for each file without digests", () => {
    const rate = 100;
    const shards = 4;

    const digests = workAt(ours, OUR_BATCHES, rate, shards).mails * rate;
    const single = workAt(naive, NAIVE_BATCHES, rate, shards).mails;

    expect(digests).to.be.within(0.9 * shards, shards / DIGEST_SECONDS);
    expect(single).to.equal(1);
  });

  it("is less than a naive pipeline's at every rate", async () => {
    const { json } = await cost({ progress: () => undefined });

    const { ours: our, naive: other } = json as Record<"ours" | "naive", { withMail: number }[]>;
    RATES.forEach((_, i) => {
      expect(our[i]?.withMail).to.be.below(other[i]?.withMail ?? NaN);
    });
  });

  it("uses the registered memory and batches of the program", async () => {
    const recording = await recordProgram();

    const lambdas = ofType(recording, "Function");
    for (const [name, { memoryMegabytes }] of Object.entries(DURATIONS)) {
      const lambda = lambdas.find((candidate) => candidate.name === name);
      expect(lambda?.inputs.memorySize, name).to.equal(memoryMegabytes);
    }
    for (const [name, { batchSize, windowSeconds }] of Object.entries(OUR_BATCHES.lambdas)) {
      const { inputs } = only(recording, "EventSourceMapping", `events-${name}`);
      expect(inputs.batchSize, name).to.equal(batchSize);
      expect(inputs.maximumBatchingWindowInSeconds, name).to.equal(windowSeconds);
    }
  });
});

describe("the writes in an index", () => {
  const index = { keyNames: ["event_status", "event_timestamp"] };
  const row = (status: string, bytes = 10) => ({
    event_id: { S: "id" },
    event_timestamp: { S: "2026-11-01" },
    event_status: { S: status },
    event_info: { S: "x".repeat(bytes) },
  });

  it("are a delete and a put where the key changes, and one where it stays", () => {
    const moved = indexWrites(index, {
      oldImage: row("uploaded"),
      newImage: row("processed", 1500),
    });
    const changed = indexWrites(index, { oldImage: row("failed", 3000), newImage: row("failed") });
    const put = indexWrites(index, { newImage: row("uploaded") });

    expect(moved).to.deep.equal({ uploaded: 1, processed: 2 });
    expect(changed).to.deep.equal({ failed: 3 });
    expect(put).to.deep.equal({ uploaded: 1 });
  });

  it("belong to the row's status, also in a sharded index", () => {
    const sharded = { keyNames: ["status_shard", "event_timestamp"] };
    const inShard = (status: string) => ({ ...row(status), status_shard: { S: `${status}#3` } });

    const moved = indexWrites(sharded, {
      oldImage: inShard("uploaded"),
      newImage: inShard("processed"),
    });

    expect(moved).to.deep.equal({ uploaded: 1, processed: 1 });
  });

  it("are none for a row that lacks a part of the index's key", () => {
    const { event_status: status, ...rest } = row("uploaded");

    const none = indexWrites(index, { newImage: rest });
    const left = indexWrites(index, {
      oldImage: { ...rest, event_status: status },
      newImage: rest,
    });

    expect(none).to.deep.equal({});
    expect(left).to.deep.equal({ uploaded: 1 });
  });
});
