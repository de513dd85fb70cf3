import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { Packing, SerializedCallback } from "../components/lambda/bundleCache";

/** Frees at once what V8 would free only when the heap has grown by as much again. */
function collectGarbage(): void {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  setFlagsFromString("--no-expose-gc");
  collect();
}

/** Serializes the callbacks of a load, and frees what that leaves. */
export interface Serializations {
  run: (packing: Packing) => Promise<SerializedCallback>;
  /** After the load: frees what a load that ran any has left, so that what follows finds room in the heap. */
  tidy: () => void;
}

export function createSerializations(): Serializations {
  let running = 0;
  let hasRun = false;
  return {
    async run(packing) {
      running += 1;
      hasRun = true;
      try {
        return await packing.serialize();
      } finally {
        running -= 1;
        // The last leaves 150 MB of syntax trees, and then waits for the bundler's process.
        if (running === 0) {
          setImmediate(collectGarbage);
        }
      }
    },
    tidy() {
      if (hasRun) {
        collectGarbage();
      }
    },
  };
}
