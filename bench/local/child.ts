/**
 * A local run in a process of its own. bench/local/runner.ts starts it, and gets its messages.
 */
import { startRun } from "../../start/run";
import { UNTHROTTLED } from "../../testing/unthrottled";
import { putRows } from "../rows";

/** The process's only argument, as JSON. */
export interface RunnerJob {
  /** Settings, by name. */
  config: Record<string, string>;
  /** Finished events to put into the table before the first upload. */
  rows: number;
}

/** The messages of the process to its parent. */
export type RunnerMessage =
  | { type: "ready"; uploadUrl: string }
  | { type: "notified" }
  | { type: "mail" }
  | { type: "error"; message: string }
  /** The last message; `peakBytes` is the peak memory of the process. */
  | { type: "stopped"; peakBytes: number };

function send(message: RunnerMessage): void {
  process.send?.(message);
}

async function main({ config, rows }: RunnerJob): Promise<void> {
  let serving = false;
  const run = await startRun({
    port: 0,
    config: { ...UNTHROTTLED, ...config },
    onEvent: (event) => {
      if (event.type === "error") {
        send(event);
      }
      if (event.type === "mail") {
        send({ type: "mail" });
      }
      if (serving && event.type === "status" && event.event.event_status === "notified") {
        send({ type: "notified" });
      }
    },
  });
  await putRows(run.dynamoDb, String(run.outputs.tableName), rows);
  await run.idle();
  serving = true;
  process.once("message", () => {
    void run.stop().then(() => {
      send({ type: "stopped", peakBytes: process.resourceUsage().maxRSS * 1024 });
      process.disconnect();
    });
  });
  send({ type: "ready", uploadUrl: String(run.outputs.uploadUrl) });
}

void main(JSON.parse(process.argv[2] ?? "") as RunnerJob);
