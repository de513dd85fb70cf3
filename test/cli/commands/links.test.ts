import { expect } from "chai";
import { createLink, listLinks, revokeLink, showLink } from "../../../cli/commands/links";
import { createManagerClient } from "../../../cli/manager/managerClient";
import { apiError, type FakeManager, someLink, startFakeManager } from "../fakeManager";

describe("the commands for links", () => {
  let fake: FakeManager;
  let lines: string[];

  beforeEach(async () => {
    fake = await startFakeManager();
    lines = [];
  });
  afterEach(() => fake.close());

  function context(json = false, width?: number) {
    const connection = { managerUrl: fake.url, managerKey: fake.key };
    const manager = createManagerClient(connection, () => Promise.resolve());
    return { manager, json, width, write: (line: string) => lines.push(line) };
  }

  it("makes a link with the options given alone, and prints its URL", async () => {
    await createLink(context(), { expiresIn: 3600 });
    await createLink(context(), {
      expiresIn: 604_800,
      maxFiles: 10,
      maxBytes: 5_000_000_000,
      contentTypes: ["image/jpeg"],
      metadata: { customer: "4711" },
      note: "Photos",
    });

    expect(lines).to.deep.equal([
      "https://links.example.com/stage/ticket-of-link-1",
      "Link link-1 works until 2026-11-28 21:00 (UTC).",
      "https://links.example.com/stage/ticket-of-link-2",
      "Link link-2 works until 2026-11-28 21:00 (UTC).",
    ]);
    expect(fake.seen.map(({ text }) => JSON.parse(text) as unknown)).to.deep.equal([
      { expires_in: 3600 },
      {
        expires_in: 604_800,
        max_files: 10,
        max_bytes: 5_000_000_000,
        content_types: ["image/jpeg"],
        metadata: { customer: "4711" },
        note: "Photos",
      },
    ]);
  });

  it("makes one link where answers are lost, by one Idempotency-Key", async () => {
    fake.faults = { "POST /links": ["lost answer", apiError(503, "storage_unavailable")] };

    await createLink(context(true), { expiresIn: 60 });
    await createLink(context(true), { expiresIn: 60 });

    const keys = fake.seen.map(({ headers }) => headers["idempotency-key"]);
    expect(keys).to.have.lengthOf(4);
    expect(new Set(keys.slice(0, 3)).size).to.equal(1);
    expect(keys[3]).to.not.equal(keys[0]);
  });

  it("lists links in pages, under one head, as wide as the terminal", async () => {
    fake.pageSize = 1;
    fake.links = [
      someLink("one", { max_files: 10, note: "Photos of the damage ".repeat(9) }),
      someLink("two", { status: "revoked", revoked_at: "2026-11-22T08:00:00.000Z" }),
    ];

    await listLinks(context(false, 120), { all: true });

    expect(lines).to.have.lengthOf(3);
    expect(lines[0]).to.match(/^made \(UTC\) +status +id +files +until \(UTC\) +note$/);
    expect(lines[1]).to.match(/^2026-11-21 21:00 +open +one +3 of 10 +2026-11-28 21:00 +Photos/);
    expect(lines[2]).to.match(/^2026-11-21 21:00 +revoked +two +3 +2026-11-22 08:00$/);
    expect(lines.filter(({ length }) => length > 120)).to.deep.equal([]);
  });

  it("shows a link with its URL and its limits", async () => {
    fake.links = [
      someLink("one", {
        max_bytes: 5_000_000_000,
        content_types: ["image/jpeg", "image/png"],
        metadata: { customer: "4711" },
        note: "Photos\nof\u001b[2J",
      }),
    ];

    await showLink(context(), "one");

    const text = lines.join("\n");
    for (const shown of [
      /^url +https:\/\/links\.example\.com\/stage\/ticket-of-one$/m,
      /^files +2 stored, 1 under way$/m,
      /^size at most +5000000000 bytes \(5\.0 GB\) each$/m,
      /^content types +image\/jpeg, image\/png$/m,
      /^metadata: customer +4711$/m,
      /^note +Photos of�\[2J$/m,
    ]) {
      expect(text).to.match(shown);
    }
  });

  it("revokes a link", async () => {
    fake.links = [someLink("one")];

    await revokeLink(context(), "one");

    expect(fake.links[0]?.status).to.equal("revoked");
    expect(lines[0]).to.match(/^one is revoked: /);
  });

  it("prints each link as one line of JSON", async () => {
    await createLink(context(true), { expiresIn: 60 });
    await listLinks(context(true), {});
    await showLink(context(true), "link-1");
    await revokeLink(context(true), "link-1");

    const printed = lines.map((line) => JSON.parse(line) as unknown);
    expect(printed).to.deep.equal([
      ...Array<unknown>(3).fill(someLink("link-1")),
      someLink("link-1", { status: "revoked", revoked_at: "2026-11-22T08:00:00.000Z" }),
    ]);
  });

  it("says that there are no links, or no such one", async () => {
    await listLinks(context(), {});
    const failure: unknown = await showLink(context(), "lost").catch((error: unknown) => error);

    expect(lines).to.deep.equal(["There are no links."]);
    expect(failure).to.include({ code: "link_not_found", status: 404 });
  });
});
