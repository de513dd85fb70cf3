import * as path from "node:path";
import type { Metadata } from "../../events/metadata";
import { sleep } from "../http/retries";
import type { Connection } from "../manager/connection";
import { plainText } from "../output/plainText";
import { barProgress, noProgress, type Progress } from "../upload/progress";
import { type Uploader, uploadFile, type UploadResult } from "../upload/uploadFile";
import { uploadRoutesOf } from "../upload/uploadRoutes";
import type { Context } from "./context";

export interface UploadOptions {
  /** Media type of all files. @default by each file's extension */
  type?: string;
  /** Of all files. */
  metadata?: Metadata;
  /** Concurrent uploads. */
  concurrency: number;
  /** Upload files again that were uploaded within a day. */
  new?: boolean;
  /** Wait until the events are notified or failed. */
  wait?: boolean;
}

/** How a file was sent, as the text output says it. */
const WAYS = { direct: "sent directly", presigned: "sent to S3", multipart: "sent to S3 in parts" };

function wayOf({ via, parts, resumed_parts }: UploadResult): string {
  const resumed = `, ${resumed_parts} of ${parts} by an earlier command`;
  return via ? WAYS[via] + (resumed_parts === undefined ? "" : resumed) : "";
}

function lineOf(result: UploadResult): string {
  const { file, ok, event_id, repeated, event_status, error } = result;
  const there = event_status === undefined ? "already there" : `already there, ${event_status}`;
  const parts = ok
    ? ["done  ", file, event_id ?? "", repeated ? there : wayOf(result)]
    : ["failed", file, event_id ?? "", `${error?.message ?? ""} (${error?.code ?? ""})`];
  return plainText(parts.filter(Boolean).join("  "));
}

/** @returns whether all files were uploaded */
async function uploadAll(
  uploader: Uploader,
  files: string[],
  { concurrency, json, progress }: { concurrency: number; json: boolean; progress: Progress },
): Promise<boolean> {
  const waiting = [...files];
  let allUploaded = true;
  const worker = async () => {
    for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) {
      const { progress: fileProgress, end } = progress.begin(file);
      const result = await uploadFile(uploader, file, fileProgress).finally(end);
      allUploaded &&= result.ok;
      progress.line(json ? JSON.stringify(result) : lineOf(result));
    }
  };
  try {
    await Promise.all(Array.from({ length: Math.min(concurrency, files.length) }, worker));
  } finally {
    progress.stop();
  }
  return allUploaded;
}

function progressFor(write: (line: string) => void, json: boolean): Progress {
  if (json) {
    return noProgress(write);
  }
  if (!process.stderr.isTTY) {
    return noProgress(write, (text) => process.stderr.write(`${plainText(text)}\n`));
  }
  return barProgress(process.stdout.isTTY ? undefined : write);
}

/** Resolves a path against the folder in which npm was called: npm runs scripts in the package's. */
function fromCallersFolder(file: string): string {
  const { INIT_CWD: calledIn, npm_lifecycle_event: script } = process.env;
  return script === "events" && calledIn !== undefined && calledIn !== process.cwd()
    ? path.resolve(calledIn, file)
    : file;
}

/**
 * Uploads files, several at a time, and prints a line for each as soon as it is done. Sets exit code
 * 1 when one of them failed.
 */
export async function uploadFiles(
  { manager, json, write }: Context,
  { uploadKey }: Connection,
  files: string[],
  options: UploadOptions,
): Promise<void> {
  const routes = uploadRoutesOf(await manager.description());
  const { type, metadata, new: asNew = false, wait = false, concurrency } = options;
  const uploader = { manager, routes, uploadKey, type, metadata, asNew, wait, sleep };
  const output = { concurrency, json, progress: progressFor(write, json) };
  if (!(await uploadAll(uploader, files.map(fromCallersFolder), output))) {
    process.exitCode = 1;
  }
}
