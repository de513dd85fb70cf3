import { plainText } from "./plainText";
import type { Progress } from "./progress";
import { type Uploader, uploadFile, type UploadResult } from "./upload";

const WAYS = { direct: "sent directly", presigned: "sent by presigned form" };

function lineOf({ file, ok, event_id, via, error }: UploadResult): string {
  const parts = ok
    ? ["done  ", file, event_id ?? "", via ? WAYS[via] : ""]
    : ["failed", file, event_id ?? "", `${error?.message ?? ""} (${error?.code ?? ""})`];
  return plainText(parts.filter(Boolean).join("  "));
}

/**
 * Sends the files, several at a time; a line for each as soon as it is through.
 *
 * @returns whether all of them went well
 */
export async function uploadFiles(
  uploader: Uploader,
  files: string[],
  { concurrency, json, progress }: { concurrency: number; json: boolean; progress: Progress },
): Promise<boolean> {
  const waiting = [...files];
  let allWell = true;
  const worker = async () => {
    for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) {
      const { progress: fileProgress, end } = progress.begin(file);
      const result = await uploadFile(uploader, file, fileProgress).finally(end);
      allWell &&= result.ok;
      progress.line(json ? JSON.stringify(result) : lineOf(result));
    }
  };
  try {
    await Promise.all(Array.from({ length: Math.min(concurrency, files.length) }, worker));
  } finally {
    progress.stop();
  }
  return allWell;
}
