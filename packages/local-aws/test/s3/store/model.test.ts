import { expect } from "chai";
import fc from "fast-check";
import { BUCKET, errorCode, MIN_PART_SIZE, openScene, PLAIN, type Scene, text } from "./fixtures";

/** What the store does, in a Map of contents by key. */
interface Model {
  objects: Map<string, string>;
  /** The deleted object's file may be removed only after these were read. */
  reading: { expected: string; actual: Promise<string> }[];
}

type Step = (scene: Scene, model: Model) => unknown;

const keys = fc.constantFrom("a", "a/b", "a//b", "../b", "é", "😀", "\uffff");
const contents = fc.string({ maxLength: 40 });

const put = fc
  .tuple(keys, contents, fc.boolean())
  .map(([key, content, onlyIfAbsent]): Step => async ({ store }, { objects }) => {
    const options = onlyIfAbsent ? { ifNoneMatch: "*" } : {};
    const code = await errorCode(() =>
      store.put(BUCKET, key, Buffer.from(content), PLAIN, options),
    );
    const refused = onlyIfAbsent && objects.has(key);
    expect(code).to.equal(refused ? "PreconditionFailed" : "none");
    if (!refused) {
      objects.set(key, content);
    }
  });

const remove = keys.map((key): Step => ({ store }, { objects }) => {
  expect(store.delete(BUCKET, key)).to.equal(objects.delete(key));
});

const copy = fc.tuple(keys, keys).map(([from, to]): Step => async ({ store }, { objects }) => {
  const content = objects.get(from);
  const code = await errorCode(() =>
    store.copy({ bucket: BUCKET, key: from }, { bucket: BUCKET, key: to }),
  );
  expect(code).to.equal(content === undefined ? "NoSuchKey" : "none");
  if (content !== undefined) {
    objects.set(to, content);
  }
});

const upload = fc
  .tuple(keys, contents, fc.boolean())
  .map(([key, end, reopens]): Step => async (scene, model) => {
    const start = "x".repeat(MIN_PART_SIZE);
    const address = scene.store.createUpload({ bucket: BUCKET, key, ...PLAIN });
    scene.store.putPart(address, 7, Buffer.from(end));
    scene.store.putPart(address, 2, Buffer.from("replaced"));
    scene.store.putPart(address, 2, Buffer.from(start));
    scene.store.putPart(address, 9, Buffer.from("unused"));
    if (reopens) {
      await finishReading(model);
      await scene.reopen();
    }
    const { parts } = scene.store.listParts(address, { maxParts: 2 });
    scene.store.completeUpload(address, parts);
    model.objects.set(key, start + end);
  });

const tag = keys.map((key): Step => async ({ store }, { objects }) => {
  const code = await errorCode(() => {
    store.setTags(BUCKET, key, { key });
  });
  expect(code).to.equal(objects.has(key) ? "none" : "NoSuchKey");
});

const stream = keys.map((key): Step => ({ store }, { objects, reading }) => {
  const expected = objects.get(key);
  if (expected !== undefined) {
    reading.push({ expected, actual: text(store.get(BUCKET, key).stream()) });
  }
});

const reopen = fc.constant<Step>(async (scene, model) => {
  await finishReading(model);
  await scene.reopen();
});

async function finishReading({ reading }: Model): Promise<void> {
  for (const { expected, actual } of reading.splice(0)) {
    expect(await actual).to.equal(expected);
  }
}

describe("the object store and a plain Map", () => {
  it("hold the same objects after any series of calls", async () => {
    const steps = fc.array(fc.oneof(put, put, remove, copy, upload, tag, stream, reopen), {
      maxLength: 40,
    });
    await fc.assert(
      fc.asyncProperty(steps, async (series) => {
        const scene = openScene();
        const model: Model = { objects: new Map(), reading: [] };
        try {
          for (const step of [...series, () => finishReading(model), () => scene.reopen()]) {
            await step(scene, model);
            const names = scene.store.list(BUCKET).objects.map(({ key }) => key);
            expect(names).to.deep.equal(
              [...model.objects.keys()].sort((a, b) =>
                Buffer.compare(Buffer.from(a), Buffer.from(b)),
              ),
            );
            for (const [key, content] of model.objects) {
              expect(scene.store.get(BUCKET, key).read().toString()).to.equal(content);
            }
          }
          const parts = [...model.objects.keys()].map(
            (key) => scene.store.head(BUCKET, key).parts?.length ?? 1,
          );
          expect(scene.files()).to.have.lengthOf(parts.reduce((sum, each) => sum + each, 0));
        } finally {
          await scene.close();
        }
      }),
      { numRuns: 50 },
    );
  });
});
