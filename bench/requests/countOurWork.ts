import { setTimeout } from "node:timers/promises";
import { startRun } from "../../start/run";
import { UNTHROTTLED } from "../../testing/unthrottled";
import { billOf, totalsOf } from "../cost/bill";
import { picture, uploadFile } from "../uploads";
import type { UploadWork } from "./uploadWork";
import { createWorkCounter } from "./workCounter";

/** For one upload, until it is `notified`. */
const TIMEOUT_MS = 30_000;

function medianWork(works: UploadWork[]): UploadWork {
  const dollars = (work: UploadWork) => totalsOf(billOf(work)).withMail;
  const middle = works.toSorted((a, b) => dollars(a) - dollars(b))[works.length >> 1];
  if (!middle) {
    throw new Error("There is no upload to count.");
  }
  return middle;
}

/**
 * Counts the work of single uploads, one after the other, and returns the upload with the median
 * bill: on a busy machine a connection may time out, and its call be retried.
 *
 * @throws when an upload is not accepted, or not `notified` within half a minute
 */
export async function countOurWork(uploads: number): Promise<UploadWork> {
  const counter = createWorkCounter();
  let notified: (() => void) | undefined;
  const run = await startRun({
    port: 0,
    config: { ...UNTHROTTLED, digestSeconds: "0" },
    ...counter.options,
    onEvent: (event) => {
      counter.options.onEvent(event);
      if (event.type === "status" && event.event.event_status === "notified") {
        notified?.();
      }
    },
  });
  try {
    await counter.attach(run);
    const bytes = picture();
    const works: UploadWork[] = [];
    for (let i = 1; i <= uploads; i += 1) {
      counter.reset();
      const done = new Promise<true>((resolve) => {
        notified = () => {
          resolve(true);
        };
      });
      await uploadFile(String(run.outputs.uploadUrl), "sample.jpg", bytes);
      const end = await Promise.race([done, setTimeout(TIMEOUT_MS, false, { ref: false })]);
      if (!end) {
        throw new Error(`Upload ${i} was not notified in ${TIMEOUT_MS / 1000} seconds.`);
      }
      await run.idle();
      works.push(counter.workOf(1));
    }
    return medianWork(works);
  } finally {
    await run.stop();
  }
}
