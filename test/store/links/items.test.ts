import { expect } from "chai";
import fc from "fast-check";
import { type Claim, claimItem, fromClaimItem } from "../../../store/links/claim";
import { fromLinkItem, linkItem, linkStatus, type UploadLink } from "../../../store/links/link";
import { linkIds, times, unicode, uploadIdentities } from "../../events/arbitraries";

const isoTimes = times.map((time) => new Date(time).toISOString());

const texts = fc
  .dictionary(fc.string({ unit: fc.constantFrom("a", "b", "-"), minLength: 1 }), unicode)
  .map((entries) => ({ ...entries }));

const links: fc.Arbitrary<UploadLink> = fc.record(
  {
    link_id: linkIds,
    created_at: isoTimes,
    expires_at: isoTimes,
    max_files: fc.nat(),
    max_bytes: fc.nat({ max: Number.MAX_SAFE_INTEGER }),
    content_types: fc.array(fc.string()),
    metadata: texts,
    note: unicode,
    revoked_at: isoTimes,
    taken: fc.nat(),
    stored: fc.nat(),
  },
  {
    requiredKeys: ["link_id", "created_at", "expires_at", "taken", "stored"],
    noNullPrototype: true,
  },
);

const claims: fc.Arbitrary<Claim> = fc
  .tuple(
    uploadIdentities,
    fc.record(
      {
        link_id: linkIds,
        object_key: unicode,
        upload_id: fc.string(),
        file_name: unicode,
        content_type: fc.string(),
        size: fc.nat({ max: Number.MAX_SAFE_INTEGER }),
        part_size: fc.nat(),
        state: fc.constantFrom("open", "completing", "stored", "lapsed", "aborted"),
        parts_digest: fc.string(),
        completing_calls: fc.nat(),
        metadata: texts,
        created_at: isoTimes,
        open_until: isoTimes,
      },
      {
        requiredKeys: [
          "link_id",
          "object_key",
          "upload_id",
          "file_name",
          "content_type",
          "state",
          "created_at",
        ],
        noNullPrototype: true,
      },
    ),
  )
  .map(([identity, claim]) => ({ ...identity, ...claim }));

describe("The table of links", () => {
  it("returns each link as it was stored", () => {
    fc.assert(
      fc.property(links, (link) => {
        expect(fromLinkItem(linkItem(link))).to.deep.equal(link);
      }),
    );
  });

  it("returns each claim as it was stored", () => {
    fc.assert(
      fc.property(claims, (claim) => {
        expect(fromClaimItem(claimItem(claim))).to.deep.equal(claim);
      }),
    );
  });

  it("keeps a claim longer than its upload and any event of it, and a link longer than its claims", () => {
    const day = 24 * 60 * 60;
    const created_at = "2026-11-01T00:00:00.000Z";
    const expires_at = "2026-12-01T00:00:00.000Z";
    const created = Date.parse(created_at) / 1000;
    const removedAt = ({ removed_at }: { removed_at?: { N?: string } }) => Number(removed_at?.N);

    const claimed = (at: string) =>
      removedAt(
        claimItem({
          link_id: "019a0000-abcd-7abc-8abc-abcdefabcdef",
          event_id: "019a0000-abcd-8abc-8abc-abcdefabcdef",
          event_timestamp: at,
          object_key: "links/a.txt",
          upload_id: "upload",
          file_name: "a.txt",
          content_type: "text/plain",
          state: "open",
          created_at: at,
        }),
      );
    const link_id = "019a0000-abcd-7abc-8abc-abcdefabcdef";
    const row = removedAt(linkItem({ link_id, created_at, expires_at, taken: 0, stored: 0 }));

    // 30 days of upload, 6 hours of retries, 14 days in the dead-letter queue.
    expect(claimed(created_at)).to.be.above(created + (30 + 0.25 + 14) * day);
    expect(row).to.be.above(claimed(expires_at));
  });
});

describe("A link's status", () => {
  const now = Date.parse("2026-11-26T12:00:00.000Z");
  const link: UploadLink = {
    link_id: "019a0000-abcd-7abc-8abc-abcdefabcdef",
    created_at: "2026-11-26T11:00:00.000Z",
    expires_at: "2026-11-26T12:00:00.001Z",
    max_files: 2,
    taken: 1,
    stored: 0,
  };

  it("is open until it expires, its places are taken or somebody revokes it", () => {
    expect(linkStatus(link, now)).to.equal("open");
    expect(linkStatus(link, now + 1)).to.equal("expired");
    expect(linkStatus({ ...link, taken: 2 }, now)).to.equal("used_up");
    expect(linkStatus({ ...link, max_files: undefined, taken: 2 }, now)).to.equal("open");
    const revoked = { ...link, taken: 2, revoked_at: "2026-11-26T11:30:00.000Z" };
    expect(linkStatus(revoked, now + 1)).to.equal("revoked");
  });
});
