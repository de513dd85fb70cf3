import { readFileSync } from "node:fs";
import * as path from "node:path";
import { setTimeout } from "node:timers/promises";
import { PROGRAM_DIR } from "../../start/programDir";
import { type Run, startRun } from "../../start/run";
import { billOf, totalsOf } from "../cost/cost";
import { createWorkCounter } from "./countWork";
import type { UploadWork } from "./work";

/** A machine so slow that an upload takes longer is broken. */
const PATIENCE_MS = 30_000;

async function upload({ outputs }: Run, body: Buffer, name: string): Promise<void> {
  const response = await fetch(`${String(outputs.uploadUrl)}?filename=${name}`, {
    method: "POST",
    headers: { "content-type": "image/jpeg" },
    body,
  });
  if (response.status !== 201) {
    throw new Error(`The upload of ${name} got ${response.status}: ${await response.text()}`);
  }
}

function inTheMiddle(works: UploadWork[]): UploadWork {
  const dollars = (work: UploadWork) => totalsOf(billOf(work)).withMail;
  const middle = works.toSorted((a, b) => dollars(a) - dollars(b))[works.length >> 1];
  if (!middle) {
    throw new Error("Without an upload there is nothing to count.");
  }
  return middle;
}

/**
 * Counts the work of uploads that come one after the other, each when all is done of the one before,
 * and takes the upload in the middle by its bill: on a busy machine a connection may time out, and
 * its call be made twice.
 *
 * @throws when an upload is not taken, or is not `notified` in half a minute
 */
export async function countOurWork(uploads: number): Promise<UploadWork> {
  const counter = createWorkCounter();
  let notified: (() => void) | undefined;
  const run = await startRun({
    port: 0,
    config: { digestSeconds: "0" },
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
    const picture = readFileSync(path.join(PROGRAM_DIR, "sample.jpg"));
    const works: UploadWork[] = [];
    for (let i = 1; i <= uploads; i += 1) {
      counter.reset();
      const done = new Promise<true>((resolve) => {
        notified = () => {
          resolve(true);
        };
      });
      await upload(run, picture, "sample.jpg");
      const end = await Promise.race([done, setTimeout(PATIENCE_MS, false, { ref: false })]);
      if (!end) {
        throw new Error(`Upload ${i} was not notified in ${PATIENCE_MS / 1000} seconds.`);
      }
      await run.idle();
      works.push(counter.workOf(1));
    }
    return inTheMiddle(works);
  } finally {
    await run.stop();
  }
}
