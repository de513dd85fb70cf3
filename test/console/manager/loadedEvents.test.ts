import { expect } from "chai";
import fc from "fast-check";
import {
  compareEvents,
  hasGap,
  type LoadedEvents,
  withName,
  withNewest,
  withNextPage,
  withSpan,
} from "../../../console/manager/events/loadedEvents";
import type { FileEvent } from "../../../events/event";
import { processedEvent } from "../../../testing/events";

/** An event with this place in time; several may share one. */
function eventAt(second: number, id: number): FileEvent {
  return processedEvent({
    event_id: String(id),
    event_timestamp: new Date(second * 1000).toISOString(),
    updated_at: new Date(0).toISOString(),
  });
}

/** What `GET /events` answers. */
function pageOf(events: FileEvent[], limit: number, after?: string | null) {
  const sorted = [...events].sort(compareEvents);
  const [time = "", id = ""] = after?.split(" ") ?? [];
  const position = { event_timestamp: time, event_id: id };
  const rest = after ? sorted.filter((event) => compareEvents(event, position) > 0) : sorted;
  const page = rest.slice(0, limit);
  const last = page.at(-1);
  const isEnd = page.length === rest.length;
  return {
    events: page,
    next_cursor: isEnd || !last ? null : `${last.event_timestamp} ${last.event_id}`,
  };
}

type Step =
  | { kind: "put"; second: number }
  | { kind: "delete" | "change"; pick: number }
  | { kind: "poll" | "more"; limit: number }
  | { kind: "span"; pick: number; length: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant("put" as const), second: fc.nat(40) }),
  fc.record({ kind: fc.constantFrom("delete", "change"), pick: fc.nat() }),
  fc.record({ kind: fc.constantFrom("poll", "more"), limit: fc.integer({ min: 1, max: 6 }) }),
  fc.record({ kind: fc.constant("span" as const), pick: fc.nat(), length: fc.nat(5) }),
);

/** A list of events and an operator's view of it. */
class Model {
  events: FileEvent[] = [];
  loaded: LoadedEvents = { events: [], next: null };
  private ids = 0;

  take(next: Step): void {
    switch (next.kind) {
      case "put":
        this.ids += 1;
        this.events.push(eventAt(next.second, this.ids));
        break;
      case "delete":
        this.events.splice(next.pick % Math.max(1, this.events.length), 1);
        break;
      case "change": {
        const index = next.pick % Math.max(1, this.events.length);
        const event = this.events[index];
        if (event) {
          const time = new Date(Date.parse(event.updated_at) + 1).toISOString();
          this.events[index] = { ...event, updated_at: time };
        }
        break;
      }
      case "poll": {
        const page = pageOf(this.events, next.limit);
        this.loaded = withNewest(this.loaded, page);
        expect(this.loaded.events.slice(0, page.events.length)).to.deep.equal(page.events);
        break;
      }
      case "more":
        if (this.loaded.next !== null) {
          const page = pageOf(this.events, next.limit, this.loaded.next);
          this.loaded = withNextPage(this.loaded, page);
        }
        break;
      case "span": {
        const { events } = this.loaded;
        const newest = events[next.pick % Math.max(1, events.length)]?.event_timestamp;
        const oldest = events[(next.pick % Math.max(1, events.length)) + next.length];
        if (newest !== undefined && oldest) {
          const span = { newest, oldest: oldest.event_timestamp };
          const read = pageOf(this.events, 1000).events.filter(
            ({ event_timestamp: time }) => time <= span.newest && time >= span.oldest,
          );
          this.loaded = withSpan(this.loaded, span, read);
        }
      }
    }
    this.check();
  }

  /** In order, without a double; and all events that were there are known up to the list's end. */
  private check(): void {
    const { events } = this.loaded;
    for (const [index, event] of events.entries()) {
      const before = events[index - 1];
      expect(!before || compareEvents(before, event) < 0, "order").to.equal(true);
    }
  }

  /** A poll that reads all shows what there is. */
  settle(): void {
    this.take({ kind: "poll", limit: 1000 });
    expect(this.loaded).to.deep.equal({ events: pageOf(this.events, 1000).events, next: null });
    expect(withNewest(this.loaded, pageOf(this.events, 1000))).to.equal(this.loaded);
  }
}

describe("the loaded events of the console", () => {
  it("are in order, each once, after any polls, pages, spans and changes", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const model = new Model();
        for (const next of steps) {
          model.take(next);
        }
        model.settle();
      }),
      { numRuns: 300 },
    );
  });

  it("have no gap: paging on gives every event that stayed", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), fc.nat(8), (steps, limit) => {
        const model = new Model();
        for (const next of steps) {
          model.take(next);
        }
        model.take({ kind: "poll", limit: limit + 1 });
        while (model.loaded.next !== null) {
          model.take({ kind: "more", limit: limit + 1 });
        }
        const known = new Set(model.loaded.events.map(({ event_id }) => event_id));
        // Late events below the newest page are found by the span that is read with each poll.
        const last = pageOf(model.events, limit + 1).events.at(-1);
        const newest = model.events.filter((event) => !last || compareEvents(event, last) <= 0);
        expect(newest.every(({ event_id }) => known.has(event_id))).to.equal(true);
      }),
      { numRuns: 300 },
    );
  });

  it("begin anew where more events came than a page has", () => {
    const old = pageOf(
      [1, 2, 3].map((second) => eventAt(second, second)),
      10,
    );
    const loaded = withNewest({ events: [], next: null }, old);
    const page = pageOf(
      [1, 2, 3, 11, 12, 13].map((second) => eventAt(second, second)),
      2,
    );

    expect(hasGap(loaded, page)).to.equal(true);
    expect(withNewest(loaded, page)).to.deep.equal({ events: page.events, next: page.next_cursor });
  });

  it("show an event that has left its place, and one that came late, in a span", () => {
    const [a, b, c] = [eventAt(3, 1), eventAt(2, 2), eventAt(1, 3)];
    const late = eventAt(2, 4);
    const loaded = { events: [a, b, c], next: "more" };
    const span = { newest: b.event_timestamp, oldest: b.event_timestamp };

    expect(withSpan(loaded, span, [late]).events).to.deep.equal([a, late, c]);
    expect(withSpan(loaded, span, [b])).to.equal(loaded);
    expect(withSpan(loaded, span, [])).to.deep.equal({ events: [a, c], next: "more" });
  });

  it("are found by a part of their name or id, whatever its case", () => {
    const named = (FileName: string | undefined, event_id: string) =>
      processedEvent({ event_id, event_info: { Bucket: "files", Key: "a/Key.txt", FileName } });
    const events = [
      named("Übersicht.PDF", "1a"),
      named("<img src=x>", "2b"),
      named(undefined, "3c"),
    ];
    const found = (text: string) => withName(events, text).map(({ event_id }) => event_id);

    expect(found(" übersicht")).to.deep.equal(["1a"]);
    expect(found("<IMG")).to.deep.equal(["2b"]);
    expect(found("key")).to.deep.equal(["3c"]);
    expect(found("2B")).to.deep.equal(["2b"]);
    expect(withName(events, " ")).to.equal(events);
  });
});
