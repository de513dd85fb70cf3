import fs from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import type { StreamLog } from "../../../dynamodb/streams/streamLog";
import { inFolder, insert, insertOf, itemOf, keyOf, openLog, REGION } from "../fixtures";

describe("stream log", () => {
  const idsOf = (log: StreamLog, after = 0): unknown[] => {
    const ids: unknown[] = [];
    for (let entry = log.entryAfter(after); entry; entry = log.entryAfter(entry.position)) {
      ids.push(entry.record.dynamodb.Keys.event_id?.S);
    }
    return ids;
  };

  it("makes stream records of AWS's shape", () => {
    const log = openLog();

    log.append({
      eventName: "MODIFY",
      keys: keyOf("a"),
      oldImage: itemOf("a"),
      newImage: itemOf("a", "processed"),
    })(true);

    const record = log.entryAfter(0)?.record;
    expect(record).to.deep.include({
      eventName: "MODIFY",
      eventVersion: "1.1",
      eventSource: "aws:dynamodb",
      awsRegion: REGION,
      eventSourceARN: log.streamArn,
    });
    expect(record?.eventID).to.match(/^[0-9a-f]{32}$/);
    expect(record?.dynamodb).to.deep.include({
      Keys: keyOf("a"),
      OldImage: itemOf("a"),
      NewImage: itemOf("a", "processed"),
      StreamViewType: "NEW_AND_OLD_IMAGES",
    });
    expect(record?.dynamodb.SequenceNumber).to.match(/^\d{21}$/);
    // Names and values: 34 for each copy of the key, 20 and 21 for the two statuses.
    expect(record?.dynamodb.SizeBytes).to.equal(3 * 34 + 20 + 21);
    const age = Date.now() / 1000 - (record?.dynamodb.ApproximateCreationDateTime ?? 0);
    expect(age).to.be.within(0, 60);
  });

  it("gives the images that the view type names", () => {
    const imagesOf = (streamViewType: "KEYS_ONLY" | "NEW_IMAGE" | "OLD_IMAGE"): string[] => {
      const log = openLog({ streamViewType });
      const change = { eventName: "MODIFY", keys: keyOf("a") } as const;
      log.append({ ...change, oldImage: itemOf("a", "x"), newImage: itemOf("a") })(true);
      return Object.keys(log.entryAfter(0)?.record.dynamodb ?? {}).filter((n) =>
        n.includes("Image"),
      );
    };

    expect(imagesOf("KEYS_ONLY")).to.deep.equal([]);
    expect(imagesOf("NEW_IMAGE")).to.deep.equal(["NewImage"]);
    expect(imagesOf("OLD_IMAGE")).to.deep.equal(["OldImage"]);
  });

  it("shows a record when its row and those of all earlier records are written", () => {
    const log = openLog();
    const first = log.append(insertOf("a"));
    const second = log.append(insertOf("b"));

    second(true);
    expect(idsOf(log)).to.deep.equal([]);

    first(true);
    expect(idsOf(log)).to.deep.equal(["a", "b"]);
  });

  it("marks a record whose row could not be written", () => {
    const log = openLog();

    log.append(insertOf("a"))(false);

    expect(log.entryAfter(0)?.written).to.equal(false);
  });

  it("wakes a reader when a record arrives", async () => {
    const log = openLog();
    const waiting = log.waitAfter(0, new AbortController().signal);

    insert(log, "a");

    await waiting;
    expect(idsOf(log)).to.deep.equal(["a"]);
  });

  it("removes a record from memory when both mappings have passed it, not before", () => {
    const log = openLog();
    const process = log.openReader("process", "TRIM_HORIZON", 1);
    const notify = log.openReader("notify", "TRIM_HORIZON", 1);
    insert(log, "a", "b");

    process.advance(0, 2);
    expect(idsOf(log)).to.deep.equal(["a", "b"]);

    notify.advance(0, 1);
    expect(idsOf(log)).to.deep.equal(["b"]);
  });

  it("begins at the oldest record or after the newest, by the starting position", () => {
    const log = openLog();
    insert(log, "a", "b");

    expect(log.openReader("old", "TRIM_HORIZON", 1).positions).to.deep.equal([0]);
    expect(log.openReader("new", "LATEST", 1).positions).to.deep.equal([2]);
  });

  it("refuses a third mapping, until one of the two is closed", () => {
    const log = openLog();
    const first = log.openReader("process", "LATEST", 1);
    log.openReader("notify", "LATEST", 1);

    expect(() => log.openReader("audit", "LATEST", 1)).to.throw(
      /"audit" would be the third reader .* after process and notify/,
    );

    first.close();
    expect(() => log.openReader("audit", "LATEST", 1)).not.to.throw();
  });

  describe("with a folder", () => {
    it("has a record in its file before the row is written", () =>
      inFolder((folder) => {
        const killed = openLog({ folder });
        killed.append(insertOf("a"));

        const log = openLog({ folder });

        expect(idsOf(log)).to.deep.equal(["a"]);
        killed.close();
        log.close();
      }));

    it("drops records whose rows were not written, also before later changes of the row", () =>
      inFolder(async (folder) => {
        const rows = new Map([
          ["written", itemOf("written")],
          ["changed", itemOf("changed", "processed")],
          ["unknown", itemOf("unknown", "other")],
        ]);
        const killed = openLog({ folder });
        for (const id of ["written", "lost", "changed", "changed", "unknown"]) {
          killed.append(insertOf(id, id === "changed" ? "never" : undefined));
        }
        killed.append(insertOf("changed"));
        killed.append({
          eventName: "MODIFY",
          keys: keyOf("changed"),
          oldImage: itemOf("changed"),
          newImage: itemOf("changed", "processed"),
        });
        killed.append({ eventName: "REMOVE", keys: keyOf("written"), oldImage: itemOf("written") });

        const log = openLog({ folder });
        await log.check((keys) => Promise.resolve(rows.get(String(keys.event_id?.S))));

        expect(
          [1, 2, 3, 4, 5, 6, 7, 8].filter((position) => log.entryAfter(position - 1)?.written),
        ).to.deep.equal([1, 5, 6, 7]);
        expect(log.lastPosition).to.equal(8);
        killed.close();
        log.close();
      }));

    it("resumes from each mapping's checkpoint, with the next sequence number", () =>
      inFolder((folder) => {
        const before = openLog({ folder });
        const process = before.openReader("process", "TRIM_HORIZON", 1);
        const notify = before.openReader("notify", "TRIM_HORIZON", 1);
        insert(before, "a", "b", "c");
        process.advance(0, 3);
        notify.advance(0, 2);
        before.close();

        const log = openLog({ folder });
        insert(log, "d");

        const positions = ["process", "notify"].map(
          (id) => log.openReader(id, "TRIM_HORIZON", 1).positions[0],
        );
        expect(positions).to.deep.equal([3, 2]);
        expect(idsOf(log, 3)).to.deep.equal(["d"]);
        expect(log.lastPosition).to.equal(4);
        log.close();
      }));

    it("drops records that all have passed from the file at start, and never reuses a number", () =>
      inFolder((folder) => {
        const before = openLog({ folder });
        const reader = before.openReader("process", "TRIM_HORIZON", 1);
        insert(before, "a", "b", "c", "d", "e");
        reader.advance(0, 2);
        before.close();
        const lines = (): number =>
          fs.readFileSync(join(folder, "records.jsonl"), "utf8").split("\n").length - 1;

        const middle = openLog({ folder });
        expect(lines()).to.equal(3);
        middle.openReader("process", "TRIM_HORIZON", 1).advance(0, 5);
        middle.close();

        openLog({ folder }).close();
        expect(lines()).to.equal(0);

        const log = openLog({ folder });
        expect(log.lastPosition).to.equal(5);
        log.close();
      }));

    it("keeps records that a mapping opened later has not passed", () =>
      inFolder((folder) => {
        const before = openLog({ folder });
        before.openReader("process", "TRIM_HORIZON", 1);
        before.openReader("notify", "TRIM_HORIZON", 1);
        insert(before, "a", "b");
        before.close();

        const log = openLog({ folder });
        log.openReader("process", "TRIM_HORIZON", 1).advance(0, 2);

        const notify = log.openReader("notify", "TRIM_HORIZON", 1);
        expect(idsOf(log, notify.positions[0])).to.deep.equal(["a", "b"]);
        log.close();
      }));

    it("skips an incomplete last line of a file, and continues after the others", () =>
      inFolder((folder) => {
        const before = openLog({ folder });
        insert(before, "a", "b");
        before.close();
        fs.appendFileSync(join(folder, "records.jsonl"), '{"eventID":"5f');

        const torn = openLog({ folder });
        insert(torn, "c");
        torn.close();

        const log = openLog({ folder });
        expect(idsOf(log)).to.deep.equal(["a", "b", "c"]);
        log.close();
      }));

    it("names the file and line that it cannot read", () =>
      inFolder((folder) => {
        fs.writeFileSync(join(folder, "records.jsonl"), "nonsense\n");

        expect(() => openLog({ folder })).to.throw(/Line 1 of .*records\.jsonl/);
      }));

    it("does not let its file grow with passed records", () =>
      inFolder((folder) => {
        const log = openLog({ folder });
        const reader = log.openReader("process", "TRIM_HORIZON", 1);
        const filler = "x".repeat(20_000);
        for (let n = 1; n <= 200; n += 1) {
          insert(log, `${n}${filler}`);
          reader.advance(0, n);
        }

        expect(fs.statSync(join(folder, "records.jsonl")).size).to.be.below(2_000_000);
        expect(log.entryAfter(0)).to.equal(undefined);
        log.close();
      }));

    it("repeats records rather than losing one when the number of shards changes", () =>
      inFolder((folder) => {
        const before = openLog({ folder });
        const reader = before.openReader("process", "TRIM_HORIZON", 2);
        insert(before, "a", "b", "c");
        reader.advance(0, 3);
        reader.advance(1, 1);
        before.close();

        const log = openLog({ folder });
        expect(log.openReader("process", "TRIM_HORIZON", 3).positions).to.deep.equal([1, 1, 1]);
        log.close();
      }));
  });
});
