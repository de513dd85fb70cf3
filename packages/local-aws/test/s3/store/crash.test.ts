import { fork } from "node:child_process";
import { once } from "node:events";
import { appendFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "chai";
import { BUCKET, errorCode, openScene, PLAIN, type Scene } from "./fixtures";
import { stateAfter, stateOf } from "./history";

/** Starts the writer at a step, kills it some time later, and gives the last step it has reported. */
async function writeUntilKilled(folder: string, firstStep: number): Promise<number> {
  const child = fork(join(__dirname, "crashingWriter.ts"), [folder, String(firstStep)], {
    execArgv: ["--require", join(__dirname, "../../../../../tooling/register.js")],
  });
  let reported = firstStep - 1;
  child.on("message", (step) => (reported = step as number));
  await once(child, "message");
  await sleep(50 + Math.random() * 100);
  child.kill("SIGKILL");
  await once(child, "close");
  return reported;
}

describe("a crash of the object store", () => {
  let scene: Scene;
  beforeEach(() => {
    scene = openScene();
  });
  afterEach(() => scene.close());

  it("by kill -9 loses nothing that was acknowledged, and shows nothing half written", async () => {
    let step = 0;
    for (let round = 0; round < 3; round++) {
      await scene.store.close();
      const reported = await writeUntilKilled(scene.folder, step + 1);
      const state = stateOf(scene.open());
      // Of steps that were taken, the last report may have been lost.
      const ahead = Array.from({ length: 20 }, (_, at) => reported + at);
      const taken = ahead.find((each) => same(stateAfter(each), state));
      expect(taken, `after step ${reported}: ${JSON.stringify(state)}`).to.not.equal(undefined);
      step = taken ?? reported;
      for (const upload of scene.store.listUploads(BUCKET).uploads) {
        scene.store.abortUpload(upload);
      }
      await scene.reopen();
      const inUse = scene.store
        .list(BUCKET)
        .objects.map(({ key }) => scene.store.head(BUCKET, key).parts?.length ?? 1);
      expect(scene.files()).to.have.lengthOf(inUse.reduce((sum, each) => sum + each, 0));
    }
  });

  it("in the middle of a journal's line undoes that line", async () => {
    const { store, folder } = scene;
    store.put(BUCKET, "key", Buffer.from("content"), PLAIN);
    await store.close();
    appendFileSync(join(folder, "journal"), '{"op":"delete","bucket":"fi');
    const reopened = scene.open();
    expect(reopened.get(BUCKET, "key").read().toString()).to.equal("content");
    reopened.put(BUCKET, "next", Buffer.from("x"), PLAIN);
    const { objects } = (await scene.reopen()).list(BUCKET);
    expect(objects.map(({ key }) => key)).to.deep.equal(["key", "next"]);
  });

  it("leaves files that the next opening removes", async () => {
    await scene.store.close();
    const leftovers = ["files/0123", "spool/upload", "journal.new"].map((name) =>
      join(scene.folder, name),
    );
    for (const path of leftovers) {
      writeFileSync(path, "x");
    }
    scene.open();
    expect(leftovers.filter((path) => existsSync(path))).to.deep.equal([]);
  });

  it("is distinguished from a damaged or newer journal", async () => {
    await scene.store.close();
    const journal = join(scene.folder, "journal");
    const content = readFileSync(journal, "utf8");
    writeFileSync(journal, content.replace("createBucket", 'create"Bucket'));
    expect(() => scene.open()).to.throw("journal:2 is damaged");
    writeFileSync(journal, content.replace('"version":1', '"version":2'));
    expect(() => scene.open()).to.throw("later version");
    writeFileSync(journal, content);
    scene.open();
  });

  it("and reopening compact the journal to the current state", async () => {
    const { store, folder } = scene;
    for (let round = 0; round < 1500; round++) {
      store.put(BUCKET, "key", Buffer.from(`${round}`), PLAIN);
    }
    const upload = store.createUpload({ bucket: BUCKET, key: "open", ...PLAIN });
    store.putPart(upload, 1, Buffer.from("part"));
    store.setLifecycle(BUCKET, "document");
    const { sequencer } = store.put(BUCKET, "gone", Buffer.from(""), PLAIN);
    store.delete(BUCKET, "gone");
    const before = store.head(BUCKET, "key");
    await scene.reopen();
    expect(readFileSync(join(folder, "journal"), "utf8").split("\n")).to.have.lengthOf(7);
    const after = await scene.reopen();
    expect(after.head(BUCKET, "key")).to.deep.equal(before);
    expect(after.get(BUCKET, "key").read().toString()).to.equal("1499");
    expect(after.listParts(upload).parts).to.have.lengthOf(1);
    expect(after.lifecycleOf(BUCKET)).to.equal("document");
    expect(await errorCode(() => after.head(BUCKET, "gone"))).to.equal("NoSuchKey");
    const next = after.put(BUCKET, "key", Buffer.from("x"), PLAIN);
    expect(next.sequencer > sequencer).to.equal(true);
  });
});

function same(a: Record<string, string>, b: Record<string, string>): boolean {
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => a[key] === b[key]);
}
