import { randomBytes } from "node:crypto";
import { appendFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { startRun } from "../../start/run";
import { countParts, uploadKilled } from "../../testing/commandLine/killedUpload";
import type { Part, PartOptions } from "../part";
import { round } from "../statistics";

/** A large file whose upload was killed, and continued by the same command. */
export interface ResumeFigures {
  bytes: number;
  parts: number;
  /** Those that S3 had when the second command began. */
  resumedParts: number;
  /** Parts that S3 got, those that it got twice with each. */
  uploadPartCalls: number;
  sentTwice: number;
  /** Of the commands, with their start. */
  killedSeconds: number;
  resumedSeconds: number;
}

const MIB = 1024 ** 2;

const PART_BYTES = 5 * MIB;

/** The share of its parts after which the first command is killed. */
const KILLED_AT = 0.6;

/** @throws when the file does not arrive */
export async function measureResume(bytes: number): Promise<ResumeFigures> {
  const folder = mkdtempSync(path.join(tmpdir(), "bench-resume-"));
  const file = path.join(folder, "large.bin");
  for (let written = 0; written < bytes; written += MIB) {
    appendFileSync(file, randomBytes(MIB));
  }
  const counter = countParts();
  // With the throttle of a deployed stack, which the requests for signatures have to keep.
  const run = await startRun({
    port: 0,
    intercept: (call, forward) => {
      counter.count(call);
      return forward();
    },
  });
  try {
    const parts = Math.ceil(bytes / PART_BYTES);
    const { result, sent, seconds } = await uploadKilled(run, counter, {
      file,
      cache: folder,
      parts: Math.floor(parts * KILLED_AT),
    });
    if (result.ok !== true || sent.size !== parts) {
      throw new Error(`The file did not arrive: ${JSON.stringify(result)}`);
    }
    const times = [...sent.values()];
    return {
      bytes,
      parts,
      resumedParts: Number(result.resumed_parts),
      uploadPartCalls: times.reduce((sum, each) => sum + each, 0),
      sentTwice: times.filter((each) => each > 1).length,
      killedSeconds: seconds[0],
      resumedSeconds: seconds[1],
    };
  } finally {
    await run.stop();
    rmSync(folder, { recursive: true });
  }
}

/** The bench's part `resume`: 1 GiB by the command line, killed at 60 % and started again. */
export async function resume({ progress, quick = false }: PartOptions): Promise<Part> {
  const mib = quick ? 100 : 1024;
  progress(`resume: ${mib} MiB`);
  const figures = await measureResume(mib * MIB);
  return {
    name: "resume",
    json: figures,
    sections: [
      {
        title: "A large file by the command line, killed at 60 % and started again",
        note: [
          "Calls of UploadPart at the local run's S3; a part that was under way at the kill may be sent",
          "twice. Seconds of both commands with their start; client, S3 and Lambdas share the machine.",
        ].join("\n"),
        columns: ["MiB", "parts", "there", "calls", "sent twice", "killed after s", "rest s"],
        rows: [
          [
            mib,
            figures.parts,
            figures.resumedParts,
            figures.uploadPartCalls,
            figures.sentTwice,
            round(figures.killedSeconds, 1),
            round(figures.resumedSeconds, 1),
          ],
        ],
      },
    ],
  };
}
