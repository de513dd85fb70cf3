import { expect } from "chai";
import { AwsError } from "local-aws";
import { forEachConcurrently } from "../../../runtime/concurrency";
import { eventIdsIn, type Managed, startManaged } from "./managed";

/** More than a page of a retry, 250. */
const UPLOADS = 260;

interface RetryAnswer {
  dry_run: boolean;
  matched: number;
  moved: number;
  not_moved: Record<string, number>;
  next_cursor: string | null;
}

describe("a retry of all failed events", function () {
  let managed: Managed;
  let broken = true;
  const ids: string[] = [];

  before(async () => {
    managed = await startManaged({
      intercept: (call, forward) => {
        // As with a wrong bucket policy: a permanent error, so the events fail.
        if (broken && call.operation === "s3:GetObject") {
          throw new AwsError("AccessDenied", 403, "Access Denied");
        }
        return forward();
      },
    });
    const numbers = Array.from({ length: UPLOADS }, (_, index) => index);
    await forEachConcurrently(numbers, 16, async (number) => {
      ids.push(await managed.upload(`file-${number}.txt`));
    });
    await managed.run.idle();
  });

  after(() => managed.stop());

  async function retry(query = ""): Promise<RetryAnswer> {
    const { status, body } = await managed.ask(`POST /events/retry?status=failed${query}`);
    expect(status).to.equal(200);
    return body as unknown as RetryAnswer;
  }

  it("changes nothing as a dry run, then retries each event once and brings all to notified", async () => {
    // Prepare: all have failed, and a dry run changes nothing.
    const failed = await managed.rows();
    expect(failed.map(({ event_status }) => event_status)).to.deep.equal(ids.map(() => "failed"));
    const nothing = { not_moved: {}, next_cursor: null };
    expect(await retry("&dry_run=true")).to.deep.equal({
      dry_run: true,
      matched: UPLOADS,
      moved: UPLOADS,
      ...nothing,
    });
    expect(await managed.rows()).to.deep.equal(failed);
    await managed.expectStatsToAgree();

    // Act: one alone, then all others by two concurrent requests.
    broken = false;
    const [firstId = ""] = ids;
    const one = await managed.ask(`POST /events/${firstId}/retry`);
    const both = await Promise.all([retry(), retry()]);
    await managed.run.idle();

    // Assess: each was retried once, is notified, and was published once.
    expect(one.body).to.deep.equal({ event_id: firstId, event_status: "uploaded" });
    expect(both.reduce((sum, { moved }) => sum + moved, 0)).to.equal(UPLOADS - 1);
    for (const { matched, moved, not_moved } of both) {
      const { already_moved = 0, ...others } = not_moved;
      expect(others).to.deep.equal({});
      expect(moved + already_moved).to.equal(matched);
    }
    const rows = await managed.rows();
    expect(rows.map(({ event_status }) => event_status)).to.deep.equal(ids.map(() => "notified"));
    for (const row of rows) {
      expect(row).not.to.have.any.keys("failed_from", "last_error", "attempts", "alarmed_at");
    }
    const notices = (await managed.mails()).filter(({ subject }) => !subject.includes("failed"));
    expect(eventIdsIn(notices).sort()).to.deep.equal([...ids].sort());
    await managed.expectStatsToAgree();
    expect(await retry()).to.deep.equal({ dry_run: false, matched: 0, moved: 0, ...nothing });
  });
});
