import { readFileSync } from "node:fs";
import * as path from "node:path";
import type { UploadWork } from "../requests/uploadWork";

/** The content of uploadWork.json: the work of a single upload. */
export interface CheckedInWork {
  /** ISO date. */
  countedOn: string;
  ours: UploadWork;
  /** Describes the naive pipeline, and how it was counted. */
  naiveIs: string;
  naive: UploadWork;
}

/** Reads uploadWork.json; `npm run bench -- --only requests` counts again. */
export function readWork(): CheckedInWork {
  return JSON.parse(readFileSync(path.join(__dirname, "uploadWork.json"), "utf8")) as CheckedInWork;
}
