import { PutObjectCommand } from "@aws-sdk/client-s3";
import { expect } from "chai";
import { AwsError } from "local-aws";
import { EVENT_STATUSES, type FileEvent } from "../../../events/event";
import type { Item } from "../../../events/item";
import { forEachConcurrently } from "../../../runtime/concurrency";
import { type Managed, startManaged } from "./managed";

const UPLOADS = 24;

describe("a run with statusShards 8", function () {
  let managed: Managed;
  let broken = false;
  /** The rows' images, in the order of the writes. */
  const images: Item[] = [];

  before(async () => {
    managed = await startManaged({
      config: { statusShards: "8" },
      intercept: (call, forward) => {
        if (broken && call.operation === "s3:GetObject") {
          throw new AwsError("AccessDenied", 403, "Access Denied");
        }
        return forward();
      },
    });
    managed.run.dynamoDb.onChange(
      String(managed.run.outputs.tableName),
      ({ newImage }) =>
        (written) => {
          if (written && newImage) {
            images.push(newImage);
          }
        },
    );
  });

  after(() => managed.stop());

  /** Uploads by the API, and some files put directly into the bucket. */
  async function uploadAll(): Promise<void> {
    const numbers = Array.from({ length: UPLOADS }, (_, n) => n);
    const failures = await forEachConcurrently(numbers, 8, async (n) => {
      if (n % 4 > 0) {
        await managed.upload(`file-${n}.txt`);
        return;
      }
      const Bucket = String(managed.run.outputs.bucketName);
      const Key = `straight/${images.length}-${n}.txt`;
      await managed.s3.send(new PutObjectCommand({ Bucket, Key, Body: "1" }));
    });
    expect(failures).to.deep.equal([]);
    await managed.run.idle();
  }

  /** All events of a query, page by page. */
  async function listed(query: string): Promise<FileEvent[]> {
    const events: FileEvent[] = [];
    let cursor = "";
    do {
      const { status, body } = await managed.ask(`GET /events?limit=7&${query}${cursor}`);
      expect(status).to.equal(200);
      const page = body as unknown as { events: FileEvent[]; next_cursor: string | null };
      events.push(...page.events);
      cursor = page.next_cursor === null ? "" : `&cursor=${page.next_cursor}`;
    } while (cursor !== "");
    return events;
  }

  async function expectListsToAgree(): Promise<void> {
    const rows = await managed.rows();
    const place = (row: FileEvent) => `${row.event_timestamp} ${row.event_id}`;
    rows.sort((a, b) => (place(a) < place(b) ? -1 : 1));
    expect(await listed("order=asc")).to.deep.equal(rows);
    expect(await listed("order=desc")).to.deep.equal(rows.toReversed());
    for (const status of EVENT_STATUSES) {
      const expected = rows.filter(({ event_status }) => event_status === status);
      expect(await listed(`order=asc&status=${status}`), status).to.deep.equal(expected);
    }
  }

  function expectShards(): void {
    for (const { event_id: id, event_status: status, status_shard: shard } of images) {
      const number = parseInt(id?.S?.slice(-8) ?? "", 16) % 8;
      expect(shard).to.deep.equal({ S: `${status?.S ?? ""}#${number}` });
    }
  }

  function statusesSeen(): string[] {
    return [...new Set(images.map(({ event_status: status }) => status?.S ?? ""))];
  }

  it("brings files to notified, each row in its shard at each step", async () => {
    await uploadAll();

    const rows = await managed.rows();
    expect(rows.map(({ event_status }) => event_status)).to.deep.equal(
      Array(UPLOADS).fill("notified"),
    );
    expect(statusesSeen()).to.have.members(["created", "uploaded", "processed", "notified"]);
    expectShards();
    expect(new Set(images.map(({ status_shard: shard }) => shard?.S)).size).to.be.above(8);
    await expectListsToAgree();
    await managed.expectStatsToAgree();
  });

  it("retries, lists, counts and deletes failed events", async () => {
    images.length = 0;
    broken = true;
    await uploadAll();
    broken = false;
    expect(await listed("status=failed")).to.have.length(UPLOADS);
    await expectListsToAgree();
    await managed.expectStatsToAgree();

    const { body } = await managed.ask("POST /events/retry?status=failed");
    await managed.run.idle();

    expect(body).to.deep.include({ matched: UPLOADS, moved: UPLOADS, next_cursor: null });
    expect(await listed("status=failed")).to.deep.equal([]);
    expect(statusesSeen()).to.have.members([...EVENT_STATUSES]);
    expectShards();
    const [{ event_id: id } = { event_id: "" }] = await listed("status=notified");
    expect((await managed.ask(`DELETE /events/${id}`)).status).to.equal(204);
    await expectListsToAgree();
    await managed.expectStatsToAgree();
  });
});
