/**
 * The program in a process of its own, for the bench to upload to: started by bench/localProcess.ts,
 * which hears of it by messages.
 */
import { startRun } from "../../start/run";
import { putRows } from "./rows";

/** What the process is started with, as the JSON text of its only argument. */
export interface RunnerJob {
  /** Settings, by name. */
  config: Record<string, string>;
  /** Finished events that are in the table before the first upload. */
  rows: number;
}

/** What the process tells. */
export type RunnerMessage =
  | { type: "ready"; uploadUrl: string }
  | { type: "notified" }
  | { type: "mail" }
  | { type: "error"; message: string }
  /** The last one; memory is the largest that the process has had at any time, in bytes. */
  | { type: "stopped"; peakBytes: number };

function tell(message: RunnerMessage): void {
  process.send?.(message);
}

async function main({ config, rows }: RunnerJob): Promise<void> {
  let serving = false;
  const run = await startRun({
    port: 0,
    config,
    onEvent: (event) => {
      if (event.type === "error") {
        tell(event);
      }
      if (event.type === "mail") {
        tell({ type: "mail" });
      }
      if (serving && event.type === "status" && event.event.event_status === "notified") {
        tell({ type: "notified" });
      }
    },
  });
  await putRows(run.dynamoDb, String(run.outputs.tableName), rows);
  await run.idle();
  serving = true;
  process.once("message", () => {
    void run.stop().then(() => {
      tell({ type: "stopped", peakBytes: process.resourceUsage().maxRSS * 1024 });
      process.disconnect();
    });
  });
  tell({ type: "ready", uploadUrl: String(run.outputs.uploadUrl) });
}

void main(JSON.parse(process.argv[2] ?? "") as RunnerJob);
