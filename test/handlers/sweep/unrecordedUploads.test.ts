import { randomUUID } from "node:crypto";
import { DeleteObjectCommand, type ListObjectsV2Command, type S3Client } from "@aws-sdk/client-s3";
import { expect } from "chai";
import type { EventKey } from "../../../events/event";
import { gracePeriodSeconds } from "../../../events/gracePeriod";
import { UPLOAD_PREFIX, uploadOf } from "../../../events/identity";
import { eventOfListedUpload, type ListedObject } from "../../../events/newEvent";
import { noCounts } from "../../../handlers/sweep/sweepRun";
import { sweepUnrecordedUploads } from "../../../handlers/sweep/unrecordedUploads";
import { putEvent } from "../../../store/rows";
import { putTombstone } from "../../../store/tombstones";
import { uuidv7At } from "../../events/arbitraries";
import { type CountedEvents, openCountedEvents } from "../../store/counts/countedEvents";

const BUCKET = "bucket";
const PAGE = 3;
const STUCK_SECONDS = 900;
const DAY = 86_400;

describe("sweepUnrecordedUploads", () => {
  let events: CountedEvents;
  let keys: string[];
  /** The keys of each page that was listed. */
  let pages: string[][];

  const { info, error } = console;

  beforeEach(async () => {
    // Keeps the sweeper's log off the terminal.
    console.info = console.error = () => undefined;
    events = await openCountedEvents();
    [keys, pages] = [[], []];
  });

  afterEach(async () => {
    Object.assign(console, { info, error });
    await events.close();
  });

  /** A bucket that lists its keys in S3's order, a few at a time. */
  const s3 = {
    send: (command: ListObjectsV2Command | DeleteObjectCommand) => {
      if (command instanceof DeleteObjectCommand) {
        keys = keys.filter((key) => key !== command.input.Key);
        return Promise.resolve({});
      }
      const { input } = command;
      const { StartAfter: after = "", Prefix: prefix = "" } = input;
      const rest = keys.filter((key) => key.startsWith(prefix) && key > after).sort();
      const page = rest.slice(0, PAGE);
      pages.push(page);
      return Promise.resolve({
        Contents: page.map((Key): ListedObject => ({ Key, Size: 1, ETag: '"e"' })),
        IsTruncated: rest.length > PAGE,
      });
    },
  } as unknown as S3Client;

  /** An upload's object of this age. */
  function store(ageSeconds: number, name = "a.txt"): EventKey & { key: string } {
    const time = Date.now() - ageSeconds * 1000;
    const uuid = uuidv7At(time, randomUUID().replaceAll("-", ""));
    const { object_key: key, ...identity } = uploadOf(uuid, UPLOAD_PREFIX, name);
    keys.push(key);
    return { ...identity, key };
  }

  async function sweep(hasTime = () => true): Promise<{ written: number }> {
    const counts = noCounts();
    pages = [];
    const run = { store: events.store, s3, stuckSeconds: STUCK_SECONDS, hasTime, counts };
    await sweepUnrecordedUploads(run, BUCKET);
    return { written: counts.WrittenFromListing };
  }

  async function keysWithRows(): Promise<string[]> {
    return (await events.rows()).map(({ event_info }) => event_info.Key);
  }

  /** Makes the table refuse every write of this upload's row. */
  function refuseRow({ event_id }: EventKey): void {
    events.before = ({ operation, input }) => {
      if (operation === "TransactWriteItems" && JSON.stringify(input).includes(event_id)) {
        throw new Error("The row is refused.");
      }
    };
  }

  async function failureOf(work: Promise<unknown>): Promise<string> {
    return work.then(
      () => "none",
      (error: unknown) => (error as Error).message,
    );
  }

  it("writes the missing row of every upload, of any age", async () => {
    const ages = [800 * DAY, 90 * DAY, DAY, 3600, 1800, 600, 300, 125];
    const uploads = ages.map((age) => store(age));
    const known = eventOfListedUpload(BUCKET, { Key: uploads[3]?.key });
    await putEvent(events.store, known ?? expect.fail(), "record");

    const { written } = await sweep();

    expect(written).to.equal(ages.length - 1);
    expect(await keysWithRows()).to.have.members(uploads.map(({ key }) => key));
  });

  it("deletes an object whose event was deleted, and writes no row for it", async () => {
    const [kept, deleted] = [store(600), store(500)];
    const event = eventOfListedUpload(BUCKET, { Key: deleted.key }) ?? expect.fail();
    await putTombstone(events.store, event);

    const { written } = await sweep();

    expect(written).to.equal(1);
    expect(await keysWithRows()).to.deep.equal([kept.key]);
    expect(keys).to.deep.equal([kept.key]);
  });

  it("checks each upload once, over any number of runs", async () => {
    const old = Array.from({ length: 7 }, (_, i) => store(3600 - i));
    await sweep();
    const asked: string[] = [];
    events.before = ({ operation, input }) => {
      asked.push(`${operation} ${JSON.stringify(input)}`);
    };

    await sweep();
    const newer = store(600);
    const again = await sweep();

    expect(again.written).to.equal(1);
    expect(pages.flat()).to.deep.equal([newer.key]);
    expect(asked.join()).to.contain(newer.event_id);
    for (const { event_id, key } of old) {
      // The last key is the listing's position.
      expect(asked.join().replaceAll(old.at(-1)?.key ?? "", "")).to.not.contain(event_id);
      expect(await keysWithRows()).to.contain(key);
    }
  });

  it("leaves uploads to the API within the grace period", async () => {
    const settled = store(gracePeriodSeconds(STUCK_SECONDS) + 1);
    const fresh = store(gracePeriodSeconds(STUCK_SECONDS) - 5);

    await sweep();
    const before = await keysWithRows();
    events.pass(10);
    await sweep();

    expect(before).to.deep.equal([settled.key]);
    expect(await keysWithRows()).to.have.members([settled.key, fresh.key]);
  });

  it("skips objects that are not uploads, and finds the uploads after them", async () => {
    const foreign = ["uploads/0", "uploads/1/x", "uploads/2", "uploads/2020", "uploads/stranger"];
    keys.push("a", "z", ...foreign);
    const upload = store(600);

    await sweep();

    expect(await keysWithRows()).to.deep.equal([upload.key]);
  });

  it("continues in the next run after running out of time", async () => {
    const uploads = Array.from({ length: 3 * PAGE }, (_, i) => store(3600 - i));
    let left = 1;
    const first = await sweep(() => left-- > 0);

    const second = await sweep();

    expect([first.written, second.written]).to.deep.equal([PAGE, 2 * PAGE]);
    expect(pages.flat()).to.not.contain(uploads[0]?.key);
  });

  it("retries a refused row in every run, and writes all others meanwhile", async () => {
    const uploads = Array.from({ length: 4 * PAGE }, (_, i) => store(3600 - i));
    const refused = uploads[PAGE + 1] ?? expect.fail();
    const others = uploads.filter((upload) => upload !== refused).map(({ key }) => key);
    refuseRow(refused);

    const failures = [await failureOf(sweep()), await failureOf(sweep())];
    const before = await keysWithRows();
    const listed = pages.flat();
    events.before = () => undefined;
    const last = await sweep();

    expect(failures).to.deep.equal(["The row is refused.", "The row is refused."]);
    expect(before).to.have.members(others);
    // Pages before the failed one are complete.
    expect(listed).to.have.members(uploads.slice(PAGE).map(({ key }) => key));
    expect(last.written).to.equal(1);
    await sweep();
    expect(pages.flat()).to.deep.equal([]);
  });

  for (const lost of ["BatchGetItem", "UpdateItem", "Query"]) {
    it(`loses nothing when a run crashes at its ${lost}`, async () => {
      const uploads = Array.from({ length: 2 * PAGE }, (_, i) => store(3600 - i));
      let calls = 0;
      events.before = ({ operation }) => {
        if (operation === lost && (calls += 1) === 1) {
          throw new Error("It crashed.");
        }
      };
      expect(await failureOf(sweep())).to.equal("It crashed.");

      await sweep();

      expect(await keysWithRows()).to.have.members(uploads.map(({ key }) => key));
      await sweep();
      expect(pages.flat()).to.deep.equal([]);
    });
  }

  it("is never moved backwards by a slower sweeper", async () => {
    const uploads = Array.from({ length: 3 * PAGE }, (_, i) => store(3600 - i));
    let release: () => void = () => undefined;
    const released = new Promise<void>((resolve) => (release = resolve));
    let reached: () => void = () => undefined;
    const atItsMark = new Promise<void>((resolve) => (reached = resolve));
    let calls = 0;
    events.before = async ({ operation, input }) => {
      // The first page's position.
      if (operation === "UpdateItem" && input.Key?.kind?.S === "listing" && (calls += 1) === 1) {
        reached();
        await released;
      }
    };
    const slow = sweep(() => calls === 0);
    await atItsMark;
    await sweep();

    release();
    await slow;

    await sweep();
    expect(pages.flat()).to.deep.equal([]);
    expect(await keysWithRows()).to.have.members(uploads.map(({ key }) => key));
  });
});
