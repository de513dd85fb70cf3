/**
 * Measures the local run: latency of single uploads to their mail, and a burst of uploads.
 *
 *     npm run bench -- [uploads] [clients]
 */
import { readFileSync } from "node:fs";
import * as path from "node:path";
import { type Run, type RunEvent, startRun } from "../local/run";

const SINGLE_UPLOADS = 50;

const picture = readFileSync(path.join(__dirname, "..", "sample.jpg"));

function percentile(values: number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? NaN;
}

async function upload({ outputs }: Run, name: string): Promise<string> {
  const response = await fetch(`${String(outputs.uploadUrl)}?filename=${name}`, {
    method: "POST",
    headers: { "content-type": "image/jpeg" },
    body: picture,
  });
  const body = await response.text();
  if (response.status !== 201) {
    throw new Error(`Upload of ${name}: ${response.status} ${body}`);
  }
  return (JSON.parse(body) as { event_id: string }).event_id;
}

/** Runs the program, with a count of all that it does. */
async function measuredRun(config: Record<string, string>) {
  const invocations: Record<string, number> = {};
  const calls: Record<string, number> = {};
  const listeners = new Set<(event: RunEvent) => void>();
  const startedAt = performance.now();
  const run = await startRun({
    port: 0,
    config,
    onInvocation: ({ functionName }) => {
      const name = functionName.replace(/-[0-9a-f]{7}$/, "");
      invocations[name] = (invocations[name] ?? 0) + 1;
    },
    onCall: ({ operation }) => {
      calls[operation] = (calls[operation] ?? 0) + 1;
    },
    onEvent: (event) => {
      listeners.forEach((listener) => {
        listener(event);
      });
    },
  });
  return { run, invocations, calls, listeners, readyMs: performance.now() - startedAt };
}

/** Milliseconds from the request's first byte to the mail's file, one upload after the other. */
async function singleUploads(): Promise<void> {
  const { run, listeners, readyMs } = await measuredRun({ digestSeconds: "0" });
  const times: number[] = [];
  for (let i = 0; i <= SINGLE_UPLOADS; i += 1) {
    const mailed = new Promise<void>((resolve) => {
      const listener = (event: RunEvent) => {
        if (event.type === "mail") {
          listeners.delete(listener);
          resolve();
        }
      };
      listeners.add(listener);
    });
    const startedAt = performance.now();
    await upload(run, `single-${i}.jpg`);
    await mailed;
    times.push(performance.now() - startedAt);
    await run.cloud.idle();
  }
  const [cold = NaN, ...warm] = times;
  const p = (share: number) => percentile(warm, share).toFixed(0);
  console.log(`start to ready: ${readyMs.toFixed(0)} ms (without loading the runner)`);
  console.log(`upload to mail, digestSeconds 0: first ${cold.toFixed(0)} ms`);
  console.log(`  ${warm.length} warm ones: p50 ${p(0.5)} ms, p95 ${p(0.95)} ms, max ${p(1)} ms`);
  await run.stop();
}

async function burst(uploads: number, clients: number): Promise<void> {
  const { run, invocations, calls, listeners } = await measuredRun({});
  const statuses: Record<string, number> = {};
  let mails = 0;
  const done = new Promise<void>((resolve) => {
    listeners.add((event) => {
      if (event.type === "mail") {
        mails += 1;
      }
      if (event.type === "status") {
        const status = event.event.event_status;
        statuses[status] = (statuses[status] ?? 0) + 1;
        if (status === "notified" && statuses[status] === uploads) {
          resolve();
        }
      }
      if (event.type === "error") {
        console.error(event.message);
      }
    });
  });
  const startedAt = performance.now();
  let next = 0;
  const latencies: number[] = [];
  const client = async () => {
    while (next < uploads) {
      next += 1;
      const sentAt = performance.now();
      await upload(run, `burst-${next}.jpg`);
      latencies.push(performance.now() - sentAt);
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  const uploadedMs = performance.now() - startedAt;
  await done;
  const notifiedMs = performance.now() - startedAt;
  await run.cloud.idle();
  const perUpload = (counts: Record<string, number>) =>
    Object.entries(counts)
      .toSorted(([a], [b]) => a.localeCompare(b))
      .map(([name, count]) => `${name} ${(count / uploads).toFixed(3)}`)
      .join(", ");
  console.log(`${uploads} uploads by ${clients} clients: answered in ${uploadedMs.toFixed(0)} ms`);
  console.log(`  (${((uploads / uploadedMs) * 1000).toFixed(0)} a second,`);
  console.log(`  p50 ${percentile(latencies, 0.5).toFixed(0)} ms,`);
  console.log(`  p95 ${percentile(latencies, 0.95).toFixed(0)} ms),`);
  console.log(`  all notified after ${notifiedMs.toFixed(0)} ms, ${mails} mails`);
  console.log(`  statuses: ${JSON.stringify(statuses)}`);
  console.log(`  invocations for each upload: ${perUpload(invocations)}`);
  console.log(`  requests for each upload: ${perUpload(calls)}`);
  console.log(`  memory of the runner: ${(process.memoryUsage().rss / 1e6).toFixed(0)} MB`);
  await run.stop();
}

async function main(): Promise<void> {
  const [uploads = 1000, clients = 32] = process.argv.slice(2).map(Number);
  await singleUploads();
  await burst(uploads, clients);
}

void main();
