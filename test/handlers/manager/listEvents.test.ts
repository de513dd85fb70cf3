import { BatchWriteItemCommand } from "@aws-sdk/client-dynamodb";
import { expect } from "chai";
import { EVENT_STATUSES, type FileEvent } from "../../../events/event";
import { newUpload, UPLOAD_PREFIX } from "../../../events/identity";
import { newItem } from "../../../events/item";
import { forEachConcurrently } from "../../../runtime/concurrency";
import { type Managed, startManaged } from "./managed";

const ROWS = 1_000;

interface Page {
  events: FileEvent[];
  next_cursor: string | null;
}

/** An event of some hour of the day before. */
function someEvent(index: number): FileEvent {
  const { event_id, object_key } = newUpload(UPLOAD_PREFIX, `${index}.txt`);
  const time = Date.UTC(2026, 10, 20) + (index % 977) * 60_000;
  const event_timestamp = new Date(time).toISOString();
  const event_status = EVENT_STATUSES[index % EVENT_STATUSES.length] ?? "failed";
  return {
    event_id,
    event_timestamp,
    event_status,
    updated_at: event_timestamp,
    event_info: { Bucket: "a-bucket", Key: object_key, Size: index },
  };
}

describe("the pages of the event manager", function () {
  let managed: Managed;
  const events = Array.from({ length: ROWS }, (_, index) => someEvent(index));

  before(async () => {
    managed = await startManaged();
    // Without a notify Lambda, events stay in their status.
    managed.run.closeStreams();
    const batches = Array.from({ length: ROWS / 25 }, (_, batch) =>
      events.slice(batch * 25).slice(0, 25),
    );
    const failures = await forEachConcurrently(batches, 8, async (batch) => {
      const puts = batch.map((event) => ({ PutRequest: { Item: newItem(event) } }));
      const RequestItems = { [String(managed.run.outputs.tableName)]: puts };
      await managed.dynamo.send(new BatchWriteItemCommand({ RequestItems }));
    });
    expect(failures).to.deep.equal([]);
  });

  after(() => managed.stop());

  async function page(query: string): Promise<Page> {
    const { status, body } = await managed.ask(`GET /events?${query}`);
    expect(status, JSON.stringify(body)).to.equal(200);
    return body as unknown as Page;
  }

  async function walk(query: string, between: () => Promise<unknown>): Promise<FileEvent[]> {
    const found: FileEvent[] = [];
    let cursor: string | null = null;
    do {
      const { events: some, next_cursor }: Page = await page(
        cursor === null ? query : `${query}&cursor=${encodeURIComponent(cursor)}`,
      );
      found.push(...some);
      cursor = next_cursor;
      await between();
    } while (cursor !== null);
    return found;
  }

  function sorted(some: FileEvent[], order: "asc" | "desc"): string[] {
    const keys = some.map(({ event_timestamp, event_id }) => `${event_timestamp} ${event_id}`);
    return order === "asc" ? keys.sort() : keys.sort().reverse();
  }

  function keysOf(some: FileEvent[]): string[] {
    return some.map(({ event_timestamp, event_id }) => `${event_timestamp} ${event_id}`);
  }

  for (const order of ["asc", "desc"] as const) {
    it(`return each failed event once, ${order}, during uploads`, async () => {
      const expected = events.filter(({ event_status }) => event_status === "failed");

      const found = await walk(`status=failed&order=${order}&limit=50`, () =>
        managed.upload("meanwhile.txt"),
      );

      expect(keysOf(found)).to.deep.equal(sorted(expected, order));
      await managed.expectStatsToAgree({ streamsClosed: true });
    });
  }

  it("return the events of all statuses between two times", async () => {
    const [from, to] = ["2026-11-20T03:00:00.000Z", "2026-11-20T06:00:00.000Z"];
    const expected = events.filter(
      ({ event_timestamp }) => event_timestamp >= from && event_timestamp < to,
    );

    const found = await walk(`from=${from}&to=${to}&order=asc&limit=77`, () => Promise.resolve());

    expect(expected.length).to.be.greaterThan(150);
    expect(keysOf(found)).to.deep.equal(sorted(expected, "asc"));
  });

  it("reject a cursor that was altered, or is of another query", async () => {
    const { next_cursor } = await page("status=failed&limit=5");
    const cursor = next_cursor ?? "";
    const altered = cursor.replace(/.$/, (last) => (last === "A" ? "B" : "A"));
    for (const query of [
      `status=failed&limit=5&cursor=${altered}`,
      `status=notified&limit=5&cursor=${cursor}`,
      `status=failed&order=asc&limit=5&cursor=${cursor}`,
    ]) {
      const { status, body } = await managed.ask(`GET /events?${query}`);
      expect(status).to.equal(400);
      expect((body as { error: { code: string } }).error.code).to.equal("invalid_cursor");
    }
    expect((await page(`status=failed&limit=7&cursor=${cursor}`)).events).to.have.length(7);
  });
});
