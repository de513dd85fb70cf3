import * as path from "node:path";
import { type RunEvent, startRun } from "../../start/run";
import { UNTHROTTLED } from "../../testing/unthrottled";
import type { MeasurePart } from "../part";
import { picture, uploadFile, uploadFiles, uploadSigned } from "../uploads";
import { type Load, LOADS, type MeasuredWork, type Pipeline, PIPELINES_OF } from "./figures";
import { requestsPart } from "./tables";
import type { UploadWork } from "./uploadWork";
import { createWorkCounter } from "./workCounter";

const UPLOADS: Record<Load, number> = { single: 20, burst: 500 };

const BURST_CLIENTS = 32;

const PROGRAM_FILES: Record<Pipeline, string | undefined> = {
  ours: undefined,
  signed: undefined,
  naive: path.join(__dirname, "..", "naive", "index.ts"),
};

/** Counts the rows that became `notified`. */
function notifiedRows() {
  const waiting: { count: number; resolve: () => void }[] = [];
  let seen = 0;
  return {
    onEvent(event: RunEvent) {
      if (event.type === "status" && event.event.event_status === "notified") {
        seen += 1;
        waiting
          .filter(({ count }) => count <= seen)
          .forEach(({ resolve }) => {
            resolve();
          });
      }
    },
    /** Resolves when this many rows are `notified`. */
    reach: (count: number) =>
      new Promise<void>((resolve) => {
        if (count <= seen) {
          resolve();
        }
        waiting.push({ count, resolve });
      }),
  };
}

/**
 * Runs a pipeline on this machine, uploads files, and counts the work until the last row is
 * `notified`.
 *
 * @param uploads default: 20 single ones, 500 in a burst
 * @throws when the run reports an error
 */
export async function measureWork(
  pipeline: Pipeline,
  load: Load,
  uploads = UPLOADS[load],
): Promise<UploadWork> {
  const counter = createWorkCounter();
  const notified = notifiedRows();
  const errors: string[] = [];
  const run = await startRun({
    ...counter.options,
    port: 0,
    programFile: PROGRAM_FILES[pipeline],
    // Single files need no digest; a burst has the default one.
    config: load === "single" ? { digestSeconds: "0" } : UNTHROTTLED,
    onEvent: (event) => {
      counter.options.onEvent(event);
      notified.onEvent(event);
      if (event.type === "error") {
        errors.push(event.message);
      }
    },
  });
  try {
    await counter.attach(run);
    const uploadUrl = String(run.outputs.uploadUrl);
    if (load === "burst") {
      await uploadFiles(uploadUrl, uploads, BURST_CLIENTS);
    } else {
      const bytes = picture();
      for (let i = 1; i <= uploads; i += 1) {
        const name = `single-${i}.jpg`;
        await (pipeline === "signed"
          ? uploadSigned(run.outputs, name, bytes)
          : uploadFile(uploadUrl, name, bytes));
        await notified.reach(i);
        await run.idle();
      }
    }
    await notified.reach(uploads);
    await run.idle();
    if (errors[0] !== undefined) {
      throw new Error(`The run of "${pipeline}" has failed: ${errors[0]}`);
    }
    return counter.workOf(uploads);
  } finally {
    await run.stop();
  }
}

/** The bench's part `requests`: the AWS work of an upload, beside the naive pipeline's. */
export const requests: MeasurePart = async ({ progress }) => {
  const measured: MeasuredWork[] = [];
  for (const load of LOADS) {
    for (const pipeline of PIPELINES_OF[load]) {
      progress(`requests: ${pipeline}, ${load}`);
      const work = await measureWork(pipeline, load);
      measured.push({ pipeline, load, uploads: UPLOADS[load], work });
    }
  }
  return requestsPart(measured);
};
