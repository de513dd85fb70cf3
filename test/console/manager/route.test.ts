import { expect } from "chai";
import fc from "fast-check";
import {
  eventHref,
  eventsHref,
  type Filter,
  linkHref,
  routeOf,
} from "../../../console/manager/route";
import { EVENT_STATUSES } from "../../../events/event";

describe("the routes of the console", () => {
  it("read what they write, for any filter and id", () => {
    const text = fc.string({ minLength: 1, unit: "grapheme" });
    const filter = fc.record<Filter>(
      {
        status: fc.constantFrom(...EVENT_STATUSES),
        from: text,
        to: text,
        link_id: text,
        name: text,
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(filter, text, (given, id) => {
        const route = routeOf(eventsHref(given));
        expect(route).to.deep.equal({ page: "events", filter: { status: undefined, ...given } });
        expect(routeOf(eventHref(id))).to.deep.equal({ page: "event", eventId: id });
        expect(routeOf(linkHref(id))).to.deep.equal({ page: "link", linkId: id });
      }),
    );
  });

  it("are the list of all events for anything else", () => {
    const all = { page: "events", filter: { status: undefined } };
    for (const hash of ["", "#", "#/", "#/nothing", "#/events?status=done", "#/events/%E0%A4%A"]) {
      expect(routeOf(hash), hash).to.deep.equal(all);
    }
  });
});
