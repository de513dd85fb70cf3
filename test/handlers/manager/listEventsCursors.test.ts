import { expect } from "chai";
import { cursorAt, positionOf } from "../../../handlers/manager/cursor";
import { scopeOf } from "../../../handlers/manager/listEvents";
import type { ManagerContext } from "../../../handlers/manager/request";
import type { EventsQuery } from "../../../store/eventPages";

const MANAGER = { cursorSecret: "a secret" } as ManagerContext;
const POSITION = { event_timestamp: "2026-11-21T20:00:00.000Z", event_id: "019a0000-abcd" };
const QUERY: EventsQuery = {
  status: "failed",
  from: "2026-11-20T00:00:00.000Z",
  to: "2026-11-22T00:00:00.000Z",
  order: "asc",
};

describe("A list's cursor", () => {
  const scope = scopeOf("events", QUERY);

  it("contains its position", () => {
    const cursor = cursorAt(MANAGER, scope, POSITION) ?? "";
    expect(positionOf(MANAGER, scope, cursor)).to.deep.equal(POSITION);
  });

  it("is null after the last page, and not needed for the first", () => {
    expect(cursorAt(MANAGER, scope, undefined)).to.equal(null);
    expect(positionOf(MANAGER, scope, undefined)).to.equal(undefined);
  });

  const others: Record<string, [route: string, query: EventsQuery]> = {
    route: ["retry", QUERY],
    status: ["events", { ...QUERY, status: "notified" }],
    "status of all": ["events", { ...QUERY, status: undefined }],
    link: ["events", { ...QUERY, linkId: "019abc00-0000-7000-8000-000000000000" }],
    from: ["events", { ...QUERY, from: undefined }],
    to: ["events", { ...QUERY, to: "2026-11-23T00:00:00.000Z" }],
    order: ["events", { ...QUERY, order: "desc" }],
    "from for a to": ["events", { ...QUERY, from: QUERY.to, to: QUERY.from }],
  };

  for (const [difference, [route, query]] of Object.entries(others)) {
    it(`is rejected by a query with another ${difference}`, () => {
      const cursor = cursorAt(MANAGER, scope, POSITION) ?? "";
      expect(() => positionOf(MANAGER, scopeOf(route, query), cursor))
        .to.throw()
        .with.property("code", "invalid_cursor");
    });
  }

  it("is rejected when made with another secret", () => {
    const cursor = cursorAt({ ...MANAGER, cursorSecret: "another" }, scope, POSITION) ?? "";
    expect(() => positionOf(MANAGER, scope, cursor))
      .to.throw()
      .with.property("statusCode", 400);
  });
});
