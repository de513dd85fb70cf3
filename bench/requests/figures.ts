import type { UploadWork } from "./uploadWork";

/** The program, by its upload API and by signed uploads, and the naive one of bench/naive. */
export const PIPELINES = ["ours", "signed", "naive"] as const;

export type Pipeline = (typeof PIPELINES)[number];

/** One upload after the other, each when the one before is `notified`; or all as fast as possible. */
export const LOADS = ["single", "burst"] as const;

/** A burst by signed uploads tells no more than one of the upload API. */
export const PIPELINES_OF: Record<Load, readonly Pipeline[]> = {
  single: PIPELINES,
  burst: ["ours", "naive"],
};

export type Load = (typeof LOADS)[number];

/** The work of one upload, as the mean of several. */
export interface MeasuredWork {
  pipeline: Pipeline;
  load: Load;
  uploads: number;
  work: UploadWork;
}
