import type { APIGatewayProxyEvent, Context } from "aws-lambda";
import { expect } from "chai";
import { listEvents } from "../../../handlers/manager/listEvents";
import type { ManagerContext } from "../../../handlers/manager/request";
import { itemOf, processedEvent } from "../../../testing/events";

/** Bytes; Lambda's limit for a synchronous answer. */
const LAMBDA_LIMIT = 6 * 1024 * 1024;

/** A page of 500 events that contain this note. */
async function pageOf(note: string) {
  const rows = Array.from({ length: 500 }, (_, index) => {
    const event_id = `019a0000-abcd-7abc-8abc-${String(index).padStart(12, "0")}`;
    const event = processedEvent({ event_id });
    return itemOf({ ...event, event_info: { ...event.event_info, FileName: note } });
  });
  const send = () => Promise.resolve({ Items: rows });
  const store = { dynamo: { send }, tableName: "events", statusShards: 1 };
  const manager = { store, cursorSecret: "a secret" } as unknown as ManagerContext;
  const query = { status: ["processed"], limit: ["500"] };
  const event = { multiValueQueryStringParameters: query } as unknown as APIGatewayProxyEvent;
  const answer = await listEvents(manager, {
    event,
    path: { event_id: "", upload_id: "", part_number: "", link_id: "" },
    context: {} as Context,
  });
  const { events, next_cursor } = JSON.parse(answer.body) as {
    events: object[];
    next_cursor: string | null;
  };
  return { size: Buffer.byteLength(JSON.stringify(answer)), count: events.length, next_cursor };
}

describe("A page of large events", () => {
  for (const [what, character] of [
    ["quotes", '"'],
    ["letters of three bytes", "€"],
  ] as const) {
    it(`fits Lambda's answer with any content: ${what}`, async () => {
      const { size, count, next_cursor } = await pageOf(character.repeat(6000));
      expect(size).to.be.within(LAMBDA_LIMIT / 2, LAMBDA_LIMIT);
      expect(count).to.be.within(1, 499);
      expect(next_cursor).to.be.a("string");
    });
  }

  it("is complete where it fits", async () => {
    expect(await pageOf('"')).to.include({ count: 500, next_cursor: null });
  });
});
