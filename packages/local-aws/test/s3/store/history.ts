import { createHash } from "node:crypto";
import type { ObjectStore } from "../../../s3/store/objectStore";
import { BUCKET, PLAIN } from "./fixtures";

const KEYS = 7;
const CYCLE = 5;

/** Bytes of step `n`'s object, which differ from those of any other step. */
export function contentOf(n: number): Buffer {
  return Buffer.alloc((n * 7919) % 200_000, `${n};`);
}

/** The n-th of a fixed series of writes, overwrites, deletes and multipart uploads. */
export function takeStep(store: ObjectStore, n: number): void {
  const key = `key/../${n % KEYS}`;
  if (n % CYCLE === 0) {
    store.delete(BUCKET, key);
  } else if (n % CYCLE === 1) {
    const address = store.createUpload({ bucket: BUCKET, key, ...PLAIN });
    const parts = [1, 2].map((number) => store.putPart(address, number, partOf(n, number)));
    store.completeUpload(address, parts);
  } else {
    store.put(BUCKET, key, contentOf(n), PLAIN);
  }
}

/** What is in the bucket after steps 1 to `n`: the md5 of each content, by key. */
export function stateAfter(n: number): Record<string, string> {
  const state: Record<string, string> = {};
  for (let step = Math.max(1, n - KEYS + 1); step <= n; step++) {
    const key = `key/../${step % KEYS}`;
    if (step % CYCLE === 0) {
      continue;
    }
    const isMultipart = step % CYCLE === 1;
    const content = isMultipart
      ? Buffer.concat([partOf(step, 1), partOf(step, 2)])
      : contentOf(step);
    state[key] = md5(content);
  }
  return state;
}

/** What is in the bucket, as `stateAfter` has it. */
export function stateOf(store: ObjectStore): Record<string, string> {
  const { objects } = store.list(BUCKET);
  return Object.fromEntries(objects.map(({ key }) => [key, md5(store.get(BUCKET, key).read())]));
}

function partOf(n: number, number: number): Buffer {
  return Buffer.alloc(1000 + n, `${n}:${number};`);
}

function md5(content: Buffer): string {
  return createHash("md5").update(content).digest("hex");
}
