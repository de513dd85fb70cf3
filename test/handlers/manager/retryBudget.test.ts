import type { APIGatewayProxyEvent, Context } from "aws-lambda";
import { expect } from "chai";
import type { ManagerContext } from "../../../handlers/manager/request";
import { retryEvents } from "../../../handlers/manager/retryEvents";
import { forEachOrThrow } from "../../../runtime/concurrency";
import { advanceEvent } from "../../../store/transitions";
import { type CountedEvents, openCountedEvents } from "../../store/counts/countedEvents";

interface Answer {
  matched: number;
  moved: number;
  held_back?: boolean;
  next_cursor: string | null;
}

const FAILED = 300;

describe("a retry of more failed events than the pipeline takes up", () => {
  let events: CountedEvents;

  beforeEach(async () => {
    events = await openCountedEvents();
    await forEachOrThrow(Array.from({ length: FAILED }), async () => {
      await events.put(60, "failed");
    });
  });

  afterEach(() => events.close());

  async function retry(cursor: string | null, stuckSeconds = 900): Promise<Answer> {
    const { store } = events;
    const manager = { store, cursorSecret: "secret", stuckSeconds } as unknown as ManagerContext;
    const multiValueQueryStringParameters = {
      status: ["failed"],
      ...(cursor !== null && { cursor: [cursor] }),
    };
    const event = { multiValueQueryStringParameters } as unknown as APIGatewayProxyEvent;
    // So little that the request does not wait.
    const context = { getRemainingTimeInMillis: () => 10_000 } as unknown as Context;
    const { body } = await retryEvents(manager, {
      event,
      path: { event_id: "", upload_id: "", part_number: "", link_id: "" },
      context,
    });
    return JSON.parse(body) as Answer;
  }

  it("stops at the budget, and goes on by its cursor when the retried ones advance", async () => {
    const first = await retry(null);
    const second = await retry(first.next_cursor);
    const third = await retry(second.next_cursor);

    expect([first.moved, second.moved, third.moved]).to.deep.equal([250, 6, 0]);
    expect(second.held_back).to.equal(true);
    expect(third).to.deep.include({ matched: 0, held_back: true });
    expect(third.next_cursor).to.equal(second.next_cursor);

    const retried = (await events.rows()).filter(({ event_status }) => event_status === "uploaded");
    expect(retried).to.have.lengthOf(256);
    await forEachOrThrow(retried, async (event) => {
      await advanceEvent(events.store, event, "processed", { by: "process" });
    });
    const rest = await retry(third.next_cursor);

    expect(rest).to.deep.include({ moved: FAILED - 256, next_cursor: null });
    expect(rest).not.to.have.property("held_back");
  });

  it("no longer waits for the retried ones when the setting stuckSeconds is over", async () => {
    const first = await retry(null);
    const second = await retry(first.next_cursor);
    expect(second).to.deep.include({ moved: 6, held_back: true });

    const rest = await retry(second.next_cursor, 0);

    expect(rest).to.deep.include({ moved: FAILED - 256, next_cursor: null });
  });
});
