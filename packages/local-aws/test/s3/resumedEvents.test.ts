import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { createS3, type ObjectCreated } from "../../s3/engine";
import { createObjectStore, type ObjectStore } from "../../s3/store/objectStore";

describe("The event of an object whose process ended right after the write", () => {
  let folder: string;
  let store: ObjectStore | undefined;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "resumed-events-"));
  });
  afterEach(async () => {
    await store?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  /** The events that a new process sends for objects of earlier ones. */
  async function resumed(): Promise<ObjectCreated[]> {
    await store?.close();
    store = createObjectStore({ folder });
    const events: ObjectCreated[] = [];
    const s3 = createS3({ store, region: "us-east-1" });
    s3.onObjectCreated((event) => {
      events.push(event);
    });
    s3.resume();
    return events;
  }

  it("is sent at the next start, once, as that of the write", async () => {
    store = createObjectStore({ folder });
    store.createBucket("files");
    const { sequencer, eTag } = store.put("files", "a b.txt", Buffer.from("abc"), { headers: {} });
    store.put("files", "told.txt", Buffer.from("x"), { headers: {} });
    store.announced(store.head("files", "told.txt").sequencer);
    store.put(
      "files",
      "taken-over.txt",
      Buffer.from("x"),
      { headers: {} },
      { modified: new Date(0) },
    );

    const [event, ...more] = await resumed();

    expect(more).to.deep.equal([]);
    expect(event).to.include({ bucket: "files", key: "a b.txt", size: 3, sequencer, eTag });
    expect(event).to.have.property("eventName", "ObjectCreated:Put");
    expect(await resumed()).to.deep.equal([]);
  });
});
