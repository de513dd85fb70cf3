import { GetItemCommand, PutItemCommand } from "@aws-sdk/client-dynamodb";
import { expect } from "chai";
import { v7 as uuidv7 } from "uuid";
import type { FileEvent } from "../../../events/event";
import type { Item } from "../../../events/item";
import { type Claim, claimItem, claimKey, fromClaimItem } from "../../../store/links/claim";
import { putLinkEvent } from "../../../store/links/confirm";
import { fromLinkItem, linkItem, linkKey, type UploadLink } from "../../../store/links/link";
import { putTombstone } from "../../../store/tombstones";
import { type CountedEvents, openCountedEvents } from "../counts/countedEvents";
import { claimOf, linkOf } from "./rows";

describe("The row of a link's file", () => {
  let events: CountedEvents;

  beforeEach(async () => {
    events = await openCountedEvents();
  });

  afterEach(() => events.close());

  async function put(item: Item): Promise<void> {
    const { dynamo, linksTableName } = events.store;
    await dynamo.send(
      new PutItemCommand({
        TableName: linksTableName,
        Item: item as PutItemCommand["input"]["Item"],
      }),
    );
  }

  async function get(Key: ReturnType<typeof linkKey>): Promise<Item | undefined> {
    const { dynamo, linksTableName } = events.store;
    const { Item: item } = await dynamo.send(
      new GetItemCommand({ TableName: linksTableName, Key }),
    );
    return item;
  }

  async function putLink(changes: Partial<UploadLink> = {}): Promise<UploadLink> {
    const link = linkOf({ taken: 1, ...changes });
    await put(linkItem(link));
    return link;
  }

  /** A claim, and the event of its file as the bucket tells of it. */
  function newClaim(link_id: string, changes: Partial<Claim> = {}) {
    const claim = claimOf(
      link_id,
      {
        content_type: "application/pdf",
        state: "completing",
        parts_digest: "digest",
        metadata: { customer: "4711" },
        ...changes,
      },
      "a.pdf",
    );
    const { event_id, event_timestamp, object_key } = claim;
    const event: FileEvent & { link_id: string } = {
      event_id,
      event_timestamp,
      link_id,
      event_status: "created",
      event_info: { Bucket: "files", Key: object_key, Size: 5, FileName: "a.pdf" },
      updated_at: event_timestamp,
    };
    return { claim, event };
  }

  async function putClaim(link_id: string, changes?: Partial<Claim>) {
    const made = newClaim(link_id, changes);
    await put(claimItem(made.claim));
    return made;
  }

  async function countsOf({ link_id }: UploadLink) {
    const item = await get(linkKey(link_id));
    const { taken, stored } = fromLinkItem(item ?? {});
    return { taken, stored };
  }

  async function stateOf({ link_id, event_id }: Claim) {
    const item = await get(claimKey(link_id, event_id));
    return item && fromClaimItem(item);
  }

  it("has the link, and the type and the metadata of its claim, which is stored from then on", async () => {
    const link = await putLink({ taken: 3 });
    const { claim, event } = await putClaim(link.link_id);

    expect(await putLinkEvent(events.store, event, "record")).to.equal("written");

    const [row] = await events.rows();
    expect(row).to.deep.include({
      link_id: link.link_id,
      event_status: "created",
      event_info: {
        ...event.event_info,
        ContentType: "application/pdf",
        Metadata: { customer: "4711" },
      },
    });
    expect(await countsOf(link)).to.deep.equal({ taken: 3, stored: 1 });
    const confirmed = await stateOf(claim);
    expect(confirmed?.state).to.equal("stored");
    // It can lapse no more.
    expect(confirmed).not.to.have.property("open_until");
    expect(confirmed).to.have.property("parts_digest", "digest");
  });

  for (const state of ["lapsed", "aborted"] as const) {
    it(`takes a place again where its claim was ${state}, in a full link too`, async () => {
      const link = await putLink({ taken: 1, max_files: 1 });
      const { claim, event } = await putClaim(link.link_id, { state, open_until: undefined });

      expect(await putLinkEvent(events.store, event, "record")).to.equal("written");

      expect(await countsOf(link)).to.deep.equal({ taken: 2, stored: 1 });
      expect((await stateOf(claim))?.state).to.equal("stored");
    });
  }

  it("counts once, however often its event arrives", async () => {
    const link = await putLink();
    const { event } = await putClaim(link.link_id);

    const outcomes = await Promise.all(
      [1, 2, 3].map(() => putLinkEvent(events.store, event, "record")),
    );
    outcomes.push(await putLinkEvent(events.store, event, "sweep"));

    expect(outcomes.sort()).to.deep.equal(["exists", "exists", "exists", "written"]);
    expect(await countsOf(link)).to.deep.equal({ taken: 1, stored: 1 });
    expect(await events.rows()).to.have.length(1);
  });

  it("counts with all others that are stored at the same time", async () => {
    const link = await putLink({ taken: 12 });
    const claims = await Promise.all(Array.from({ length: 12 }, () => putClaim(link.link_id)));

    await Promise.all(claims.map(({ event }) => putLinkEvent(events.store, event, "record")));

    expect(await countsOf(link)).to.deep.equal({ taken: 12, stored: 12 });
    expect(await events.rows()).to.have.length(12);
  });

  it("is not written, nor counted, after the event was deleted", async () => {
    const link = await putLink();
    const { claim, event } = await putClaim(link.link_id);
    await putTombstone(events.store, event);

    expect(await putLinkEvent(events.store, event, "record")).to.equal("deleted");

    expect(await events.rows()).to.deep.equal([]);
    expect(await countsOf(link)).to.deep.equal({ taken: 1, stored: 0 });
    expect((await stateOf(claim))?.state).to.equal("completing");
  });

  it("is written without a claim, with the link of the key", async () => {
    const link = await putLink();
    const { event } = newClaim(link.link_id);

    expect(await putLinkEvent(events.store, event, "record")).to.equal("written");

    const [row] = await events.rows();
    expect(row).to.deep.include({ link_id: link.link_id, event_info: event.event_info });
    expect(await countsOf(link)).to.deep.equal({ taken: 1, stored: 0 });
  });

  it("is written where the link is removed already, and confirms its claim", async () => {
    const { claim, event } = await putClaim(uuidv7());

    expect(await putLinkEvent(events.store, event, "record")).to.equal("written");

    expect(await events.rows()).to.have.length(1);
    expect((await stateOf(claim))?.state).to.equal("stored");
    expect(await get(linkKey(claim.link_id))).to.equal(undefined);
  });

  it("that was removed is written again, and not counted again", async () => {
    const link = await putLink();
    const { event } = await putClaim(link.link_id);
    await putLinkEvent(events.store, event, "record");
    await events.removeRow(event);

    expect(await putLinkEvent(events.store, event, "record")).to.equal("written");

    expect(await countsOf(link)).to.deep.equal({ taken: 1, stored: 1 });
  });

  it("counts exactly where its claim lapses while it is written", async () => {
    const link = await putLink({ taken: 1 });
    const { claim, event } = await putClaim(link.link_id, { state: "open" });
    let isLapsed = false;
    events.before = async ({ operation }) => {
      if (operation === "TransactWriteItems" && !isLapsed) {
        isLapsed = true;
        await put(claimItem({ ...claim, state: "lapsed", open_until: undefined }));
        await putLink({ ...link, taken: 0 });
      }
    };

    expect(await putLinkEvent(events.store, event, "record")).to.equal("written");

    expect(await countsOf(link)).to.deep.equal({ taken: 1, stored: 1 });
    expect((await stateOf(claim))?.state).to.equal("stored");
  });
});
