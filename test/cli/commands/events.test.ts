import { expect } from "chai";
import { deleteEvent } from "../../../cli/commands/delete";
import { listEvents } from "../../../cli/commands/list";
import { retryEvents } from "../../../cli/commands/retry";
import { showEvent } from "../../../cli/commands/show";
import { showStats } from "../../../cli/commands/stats";
import { createManagerClient } from "../../../cli/manager/managerClient";
import { apiError, type FakeManager, someEvent, startFakeManager } from "../fakeManager";

describe("the commands for events", () => {
  let fake: FakeManager;
  let lines: string[];
  let pauses: number[];

  beforeEach(async () => {
    fake = await startFakeManager();
    lines = [];
    pauses = [];
  });
  afterEach(() => fake.close());

  function context(json = false) {
    const manager = createManagerClient({ managerUrl: fake.url, managerKey: fake.key }, (ms) => {
      pauses.push(ms);
      return Promise.resolve();
    });
    return { manager, json, write: (line: string) => lines.push(line) };
  }

  function limits(): (string | undefined)[] {
    return fake.seen.map(({ query }) => query.limit);
  }

  async function failureOf(work: Promise<void>): Promise<unknown> {
    return work.catch((error: unknown) => error);
  }

  it("lists twenty events by default, and says that there are more", async () => {
    fake.events = Array.from({ length: 21 }, (_, n) => someEvent(`event-${n}`));

    await listEvents(context(), {});

    expect(lines).to.have.lengthOf(22);
    expect(lines.at(-1)).to.match(/^There are more/);
    expect(limits()).to.deep.equal(["20"]);
  });

  it("lists as many pages as the limit needs, under one head", async () => {
    fake.events = Array.from({ length: 1300 }, (_, n) => someEvent(`event-${n}`));

    await listEvents(context(), { limit: 1200 });

    expect(limits()).to.deep.equal(["500", "500", "200"]);
    expect(lines).to.have.lengthOf(1 + 1200 + 1);
    expect(new Set(lines.slice(1, 1201).map((line) => line.indexOf("78.0 kB"))).size).to.equal(1);
  });

  it("lists all events, past empty pages, one JSON object a line", async () => {
    fake.events = [someEvent("one"), someEvent("two"), someEvent("three")];
    fake.pageSize = 1;
    fake.faults = { "GET /events": [{ status: 200, body: { events: [], next_cursor: "0" } }] };

    await listEvents(context(true), { all: true });

    expect(lines.map((line) => JSON.parse(line) as unknown)).to.deep.equal(fake.events);
  });

  it("passes the options on, and nothing else", async () => {
    const filter = {
      status: "failed",
      from: "2026-11-21",
      to: "2026-11-22",
      order: "asc",
    } as const;

    await listEvents(context(), { ...filter, limit: 3 });

    expect(fake.seen[0]?.query).to.deep.equal({ ...filter, limit: "3" });
    expect(lines).to.deep.equal(["There are no such events."]);
  });

  it("lists the files of one upload link", async () => {
    await listEvents(context(), { link: "link-1" });

    expect(fake.seen[0]?.query).to.deep.equal({ link_id: "link-1", limit: "20" });
  });

  it("fits the terminal, and shows a failed event's error at any width", async () => {
    const last_error = { code: "NoSuchKey", message: "The object is gone. ".repeat(9), step: "x" };
    const id = "01a1f874-3e4b-7c3a-9d52-6f0b8e2c4a17";
    const FileName = `${"long ".repeat(20)}name.txt`;
    fake.events = [
      someEvent(id, {
        event_status: "failed",
        last_error,
        event_info: { Bucket: "uploads", Key: "k", FileName, ContentType: "text/plain", Size: 7 },
      }),
    ];
    for (const width of [72, 82, 100, 120, 172, 200]) {
      lines.splice(0);

      await listEvents({ ...context(), width }, {});

      expect(
        lines.filter((line) => line.length > width),
        String(width),
      ).to.deep.equal([]);
      const text = lines.join("\n");
      expect(text, String(width)).to.contain(id).and.contain("long ");
      expect(text, String(width)).to.match(/NoSuchKey: The obj/);
    }
  });

  it("shows a failed event's error, and replaces control characters", async () => {
    fake.events = [
      someEvent("bad", {
        event_status: "failed",
        last_error: { code: "NoSuchKey", message: "gone", step: "process" },
        event_info: { Bucket: "uploads", Key: "k", FileName: "a\u001b[2Jb\u202e写真" },
      }),
    ];

    await listEvents(context(), {});

    expect(lines[1]).to.match(/ a�\[2Jb�写真 +NoSuchKey: gone$/);
  });

  it("shows one event in full, with a link to its file", async () => {
    fake.events = [
      someEvent("one", {
        event_result: { size: 3, type: "text/plain", words: 7 } as never,
        event_history: [
          { status: "created", time: "2026-11-26T10:00:00.000Z", function: "record" },
          { status: "created", time: "2026-11-26T10:20:00.500Z", function: "sweep", attempt: 1 },
          { status: "failed", time: "2026-11-26T10:20:01.000Z", function: "process", code: "Gone" },
        ],
      }),
    ];

    await showEvent(context(), "one");
    await showEvent(context(true), "one");

    const json = lines.pop() ?? "";
    const text = lines.join("\n");
    for (const shown of [
      /^id +one$/m,
      /^status +notified$/m,
      /^result: words +7$/m,
      /^history +2026-11-26 10:00:00\.000 {2}created by record$/m,
      /^ +2026-11-26 10:20:00\.500 {2}created by sweep \(redelivery 1\)$/m,
      /^ +2026-11-26 10:20:01\.000 {2}failed by process: Gone$/m,
    ]) {
      expect(text).to.match(shown);
    }
    expect(text).to.contain(`${fake.url}/file/one`);
    expect(JSON.parse(json)).to.have.nested.property("event.event_id", "one");
  });

  it("shows an event's upload link and metadata", async () => {
    const event_info = {
      Bucket: "uploads",
      Key: "k",
      Metadata: { customer: "M\u00fcller", n: "7" },
    };
    fake.events = [someEvent("one", { link_id: "link-1", event_info })];

    await showEvent(context(), "one");

    expect(lines.join("\n"))
      .to.match(/^upload link +link-1$/m)
      .and.match(/^metadata: customer +Müller$/m)
      .and.match(/^metadata: n +7$/m);
  });

  it("says why an event has no link", async () => {
    const last_error = { code: "ObjectReplaced", message: "It was overwritten.", step: "process" };
    fake.events = [someEvent("one", { event_status: "failed", last_error, no_alarm: true })];

    await showEvent(context(), "one");

    expect(lines.join("\n")).to.match(/^download +none: It is object_replaced\.$/m);
    expect(lines.join("\n")).to.not.contain("link ends at");
  });

  it("retries one event, and reports a refusal", async () => {
    fake.events = [
      someEvent("bad", { event_status: "failed", failed_from: "uploaded" }),
      someEvent("good"),
    ];

    await retryEvents(context(), "bad", {});
    const refusal = await failureOf(retryEvents(context(), "good", {}));

    expect(lines).to.deep.equal(["bad is uploaded again, and goes on from there."]);
    expect(refusal).to.include({ code: "not_failed", status: 409 });
  });

  it("retries all failed events in several requests, and prints the sum", async () => {
    fake.retryPages = [
      { matched: 5, moved: 3, not_moved: { already_moved: 2 } },
      { matched: 4, moved: 2, not_moved: { already_moved: 1, not_retryable: 1 } },
    ];

    await retryEvents(context(), undefined, { from: "2026-11-21", dryRun: true });

    expect(lines).to.deep.equal([
      "5 of 9 failed events would be retried; not moved: 3 already_moved, 1 not_retryable.",
    ]);
    expect(fake.seen.map(({ query }) => query)).to.deep.equal([
      { status: "failed", from: "2026-11-21", dry_run: "true" },
      { status: "failed", from: "2026-11-21", dry_run: "true", cursor: "1" },
    ]);
  });

  it("reports the retries before an error", async () => {
    fake.retryPages = [
      { matched: 5, moved: 5, not_moved: {} },
      { matched: 4, moved: 2, not_moved: {} },
    ];
    const ok = { dry_run: false, matched: 5, moved: 5, not_moved: {}, next_cursor: "1" };
    fake.faults = {
      "POST /events/retry": [{ status: 200, body: ok }, apiError(500, "server_error")],
    };

    const failure = await failureOf(retryEvents(context(), undefined, {}));

    expect(failure).to.include({ code: "server_error" });
    expect(lines).to.deep.equal(["Before it stopped: 5 of 5 failed events are retried."]);
  });

  it("reports the retries, then fails for those that could not be written", async () => {
    fake.retryPages = [
      { matched: 5, moved: 3, not_moved: { write_failed: 2 } },
      { matched: 4, moved: 4, not_moved: {} },
    ];

    const failure = await failureOf(retryEvents(context(), undefined, {}));

    expect(failure).to.include({ code: "write_failed" });
    expect(lines).to.deep.equal(["7 of 9 failed events are retried; not moved: 2 write_failed."]);
  });

  it("deletes an event, with any characters in its id", async () => {
    fake.events = [someEvent("a/b?c")];

    await deleteEvent(context(), "a/b?c");

    expect(fake.events).to.deep.equal([]);
    expect(lines).to.deep.equal(["a/b?c is deleted, with its file."]);
  });

  it("counts the events, and shows the age of the oldest unfinished one", async () => {
    await showStats(context());

    const text = lines.join("\n");
    expect(text)
      .to.match(/^notified +41$/m)
      .and.match(/^total +45$/m);
    expect(text).to.contain("old-one, uploaded, begun 3 minutes ago");
  });

  it("retries reads after transient errors, and changes only when they were throttled", async () => {
    fake.events = [someEvent("one")];
    fake.faults = {
      "GET /events/one": [
        "reset",
        apiError(500, "server_error"),
        apiError(429, "too_many_requests"),
      ],
      "DELETE /events/one": [
        apiError(429, "too_many_requests", { "retry-after": "7" }),
        apiError(500, "server_error"),
      ],
    };

    await showEvent(context(true), "one");
    const readPauses = pauses.splice(0);
    const failure = await failureOf(deleteEvent(context(), "one"));

    expect(lines).to.have.lengthOf(1);
    expect(readPauses).to.have.lengthOf(3);
    expect(failure).to.include({ code: "server_error" });
    expect(pauses).to.deep.equal([7000]);
  });
});
