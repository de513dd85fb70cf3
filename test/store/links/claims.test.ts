import { expect } from "chai";
import fc from "fast-check";
import { type Claim, PLACED } from "../../../store/links/claim";
import { abandonClaim, giveBackLapsed } from "../../../store/links/giveBack";
import { openUntil, takeClaim } from "../../../store/links/places";
import { beginCompleting, holdOpen, stopCompleting } from "../../../store/links/progress";
import { findClaim, findLink, findRepeat } from "../../../store/links/read";
import { LONG_AGO, openTestLinks, runOut, type TestLinks } from "./claimedLinks";
import { claimOf } from "./rows";

const TRAITS = { name: "a.txt", size: 5, lastModified: "1", type: "text/plain" };

const unfinished = () => Promise.resolve(true);

describe("The claims of a link", () => {
  let links: TestLinks;

  before(async () => {
    links = await openTestLinks();
  });

  afterEach(() => {
    links.beforeRequest = () => Promise.resolve();
    links.afterRequest = () => undefined;
  });

  after(() => links.close());

  const taken = async (linkId: string) => (await findLink(links.store, linkId))?.taken;

  /** The claim as it is now. */
  const read = async ({ link_id, event_id }: Claim) => {
    const claim = await findClaim(links.store, link_id, event_id);
    if (!claim) {
      throw new Error("There is no such claim.");
    }
    return claim;
  };

  async function take(linkId: string, fields: Partial<Claim> = {}) {
    const claim = claimOf(linkId, fields);
    expect(await takeClaim(links.store, claim)).to.equal("taken");
    return claim;
  }

  it("are as many as the link has places, however many come at once", async () => {
    const { link_id } = await links.newLink({ max_files: 50 });

    const outcomes = await Promise.all(
      Array.from({ length: 200 }, () => takeClaim(links.store, claimOf(link_id))),
    );

    expect(outcomes.filter((outcome) => outcome === "taken")).to.have.length(50);
    expect(outcomes.filter((outcome) => outcome === "used_up")).to.have.length(150);
    expect(await taken(link_id)).to.equal(50);
    expect(await links.claimsOf(link_id)).to.have.length(50);
  });

  it("get no place in a link that has expired, was revoked, or is none", async () => {
    const expired = await links.newLink({ expires_at: new Date(Date.now() - 1).toISOString() });
    const revoked = await links.newLink({ revoked_at: new Date().toISOString() });

    for (const { link_id } of [expired, revoked, { link_id: "none" }]) {
      expect(await takeClaim(links.store, claimOf(link_id))).to.equal("used_up");
      expect(await links.claimsOf(link_id)).to.deep.equal([]);
    }
    expect(await findLink(links.store, "none")).to.equal(undefined);
  });

  it("find the one claim of a repeated request, also of requests at once", async () => {
    const { link_id } = await links.newLink({ max_files: 2 });
    const claims = Array.from({ length: 10 }, () => claimOf(link_id));

    const outcomes = await Promise.all(
      claims.map((claim) => takeClaim(links.store, claim, { traits: TRAITS })),
    );

    expect(outcomes.sort()).to.deep.equal([...Array<string>(9).fill("repeated"), "taken"]);
    const [only] = await links.claimsOf(link_id);
    expect((await findRepeat(links.store, link_id, TRAITS))?.event_id).to.equal(only?.event_id);
    for (const other of [{ name: "b.txt" }, { size: 6 }, { lastModified: "2" }, { type: "a/b" }]) {
      expect(await findRepeat(links.store, link_id, { ...TRAITS, ...other })).to.equal(undefined);
    }
    expect(await taken(link_id)).to.equal(1);
  });

  it("replace what a repeated request finds, where it is of no use", async () => {
    const { link_id } = await links.newLink();
    const first = claimOf(link_id);
    const second = claimOf(link_id);
    await takeClaim(links.store, first, { traits: TRAITS });

    const repeat = { traits: TRAITS, replaces: first.event_id };
    expect(await takeClaim(links.store, second, repeat)).to.equal("taken");
    // Another request had the same thought.
    expect(await takeClaim(links.store, claimOf(link_id), repeat)).to.equal("repeated");
    expect((await findRepeat(links.store, link_id, TRAITS))?.event_id).to.equal(second.event_id);
  });

  it("give their places back when they lapse, and take one again when they go on", async () => {
    const { link_id } = await links.newLink({ max_files: 2 });
    const lapsed = await take(link_id, { open_until: LONG_AGO });
    await take(link_id);

    expect(await giveBackLapsed(links.store, link_id, unfinished)).to.equal(1);
    expect(await giveBackLapsed(links.store, link_id, unfinished)).to.equal(0);
    expect(await taken(link_id)).to.equal(1);
    expect(await read(lapsed))
      .to.include({ state: "lapsed" })
      .and.not.to.have.property("open_until");

    expect(await holdOpen(links.store, await read(lapsed))).to.equal("taken");
    const { open_until = "" } = await read(lapsed);
    expect(Date.parse(open_until)).to.be.above(Date.now() + 15 * 60_000);
    expect(await taken(link_id)).to.equal(2);
  });

  it("get no place again in a link that is full by then", async () => {
    const { link_id } = await links.newLink({ max_files: 1 });
    const lapsed = await take(link_id, { open_until: LONG_AGO });
    await giveBackLapsed(links.store, link_id, unfinished);
    await take(link_id);

    for (const goOn of [
      async () => holdOpen(links.store, await read(lapsed)),
      async () => beginCompleting(links.store, await read(lapsed), "digest"),
    ]) {
      expect(await goOn()).to.equal("used_up");
      expect(await read(lapsed)).to.include({ state: "lapsed" });
    }
  });

  it("lapse by the hundred", async () => {
    const { link_id } = await links.newLink();
    await Promise.all(
      Array.from({ length: 101 }, (_, index) =>
        take(link_id, { open_until: index === 0 ? openUntil() : LONG_AGO }),
      ),
    );

    expect(await giveBackLapsed(links.store, link_id, unfinished)).to.equal(100);
    expect(await taken(link_id)).to.equal(1);
  });

  it("are held open by one write a minute", async () => {
    const { link_id } = await links.newLink();
    const claim = await take(link_id);
    const operations: string[] = [];
    links.beforeRequest = (operation) => {
      operations.push(operation);
      return Promise.resolve();
    };

    await holdOpen(links.store, claim);
    expect(operations).to.deep.equal([]);
    await holdOpen(links.store, { ...claim, open_until: openUntil(Date.now() - 61_000) });
    expect(operations).to.deep.equal(["UpdateItem"]);
  });

  it("lapse while they complete only if S3 still has the parts", async () => {
    const { link_id } = await links.newLink();
    const [dead, stored] = [await take(link_id), await take(link_id)];
    for (const claim of [dead, stored]) {
      await beginCompleting(links.store, claim, "digest");
      await runOut(links.store, claim);
    }

    const isUnfinished = (claim: Claim) => Promise.resolve(claim.event_id === dead.event_id);
    expect(await giveBackLapsed(links.store, link_id, isUnfinished)).to.equal(1);

    expect(await read(dead))
      .to.include({ state: "lapsed" })
      .and.not.to.have.property("parts_digest");
    expect(await read(stored))
      .to.include({ state: "completing", parts_digest: "digest" })
      .and.not.to.have.property("open_until");
    expect(await taken(link_id)).to.equal(1);
  });

  it("complete of one list of parts; after S3's refusal, of another", async () => {
    const { link_id } = await links.newLink();
    const claim = await take(link_id);

    expect(await beginCompleting(links.store, claim, "one")).to.equal("taken");
    expect(await beginCompleting(links.store, claim, "two")).to.equal("repeated");
    expect(await beginCompleting(links.store, await read(claim), "one")).to.equal("taken");
    expect(await beginCompleting(links.store, await read(claim), "two")).to.equal("repeated");
    expect(await abandonClaim(links.store, claim)).to.equal(false);

    // Two requests are at work: the refusal of one says nothing of the other.
    await stopCompleting(links.store, claim, "one");
    expect(await read(claim)).to.include({ state: "completing", parts_digest: "one" });
    await stopCompleting(links.store, claim, "two");
    expect(await read(claim)).to.include({ state: "completing", parts_digest: "one" });
    await stopCompleting(links.store, claim, "one");
    expect(await read(claim))
      .to.include({ state: "open" })
      .and.not.to.have.property("parts_digest");
    expect(await beginCompleting(links.store, await read(claim), "two")).to.equal("taken");
    expect(await taken(link_id)).to.equal(1);
  });

  it("have exactly the places that are taken, whoever changes them from whatever they had read", async () => {
    const operations: Record<string, (claim: Claim) => Promise<unknown>> = {
      hold: (claim) => holdOpen(links.store, claim),
      lapse: async (claim) => {
        await runOut(links.store, claim);
        await giveBackLapsed(links.store, claim.link_id, unfinished);
      },
      abandon: (claim) => abandonClaim(links.store, claim),
      begin: (claim) => beginCompleting(links.store, claim, "digest"),
      stop: (claim) => stopCompleting(links.store, claim, "digest"),
    };
    /** States from which an operation is called: the others are refused before. */
    const from: Record<string, Claim["state"][]> = {
      hold: ["open", "lapsed"],
      abandon: ["open", "lapsed"],
      begin: ["open", "lapsed", "completing"],
    };
    const steps = fc.array(
      fc.record({
        operation: fc.constantFrom("take", ...Object.keys(operations)),
        claim: fc.nat({ max: 3 }),
        /** How many steps ago it read the claim. */
        age: fc.nat({ max: 3 }),
      }),
      { maxLength: 25 },
    );
    await fc.assert(
      fc.asyncProperty(steps, async (all) => {
        const { link_id } = await links.newLink({ max_files: 3 });
        /** What was read of each claim, oldest first. */
        const reads: Claim[][] = [];
        for (const { operation, claim: index, age } of all) {
          const seen = reads[index % Math.max(reads.length, 1)];
          const claim = seen?.[Math.max(seen.length - 1 - age, 0)];
          if (operation === "take") {
            const made = claimOf(link_id);
            if ((await takeClaim(links.store, made)) === "taken") {
              reads.push([made]);
            }
          } else if (claim && (from[operation]?.includes(claim.state) ?? true)) {
            await operations[operation]?.(claim);
          }
          for (const each of reads) {
            const [first] = each;
            each.push(...(first ? [await read(first)] : []));
          }
          const placed = reads.filter((each) => PLACED.includes(each.at(-1)?.state ?? "aborted"));
          expect(await taken(link_id))
            .to.equal(placed.length)
            .and.to.be.at.most(3);
        }
      }),
      { numRuns: 25 },
    );
  });

  it("count once where a request's answer is lost", async () => {
    const { link_id } = await links.newLink({ max_files: 2 });
    let lost = 0;
    const claim = claimOf(link_id);
    links.afterRequest = (operation) => {
      if (operation === "TransactWriteItems" && lost === 0) {
        lost += 1;
        throw Object.assign(new Error("socket hang up"), { code: "ECONNRESET" });
      }
    };

    expect(await takeClaim(links.store, claim)).to.equal("taken");

    expect(lost).to.equal(1);
    expect(await taken(link_id)).to.equal(1);
  });
});
