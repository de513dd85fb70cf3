// A process for crash.test.ts to kill: it writes, and says so after each step.
import { createObjectStore } from "../../../s3/store/objectStore";
import { BUCKET, MIN_PART_SIZE } from "./fixtures";
import { takeStep } from "./history";

async function main(): Promise<void> {
  const [folder = "", first = ""] = process.argv.slice(2);
  const store = createObjectStore({ folder, minPartSize: MIN_PART_SIZE });
  store.createBucket(BUCKET);
  for (let step = Number(first); ; step++) {
    takeStep(store, step);
    await new Promise((resolve) => process.send?.(step, resolve));
  }
}

void main();
