/**
 * Sends a file of 2 GiB in parts through a run with a data folder, and reads it back; reports the memory
 * of the run's process and the facts of the file's event. Ends with 1 where anything is not as it should be.
 *
 *     npm run large
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { Command, InvalidArgumentError } from "commander";
import { partCountOf, partLengthOf } from "../../runtime/multipart/parts";
import { type Runner, startRunner } from "../../testing/startProcess";
import { contentOf, createChecksum } from "./content";
import { type Manager, managerOf, putPart, type StoredPart } from "./manager";
import { childrenOf, peakOf } from "./memory";

const GIB = 1024 ** 3;

/** Bytes; what the process may have at most. */
const MAX_MEMORY = 400e6;

interface Options {
  gib: number;
  atOnce: number;
}

interface Upload {
  event_id: string;
  key: string;
  uploadId: string;
}

interface Shown {
  event: {
    event_status: string;
    event_info: { Size?: number; Metadata?: Record<string, string> };
    event_result?: { checksum?: string; checksum_algorithm?: string; type?: string };
  };
  download?: { url: string };
}

const megabytes = (bytes: number) => `${Math.round(bytes / 1e6)} MB`;

async function timed<T>(what: string, step: () => Promise<T>): Promise<T> {
  const from = performance.now();
  const result = await step();
  console.log(`${what}: ${((performance.now() - from) / 1000).toFixed(1)} s`);
  return result;
}

async function checksumOf(size: number): Promise<string> {
  const checksum = await createChecksum();
  for (let number = 1; number <= partCountOf(size); number++) {
    checksum.update(contentOf(number, partLengthOf(size, number) ?? 0));
  }
  return checksum.end();
}

/** Sends all parts, several at a time. */
async function sendParts(
  manager: Manager,
  { uploadId, key }: Upload,
  { size, atOnce }: { size: number; atOnce: number },
): Promise<StoredPart[]> {
  const count = partCountOf(size);
  const query = new URLSearchParams({ key, size: String(size) }).toString();
  const parts: StoredPart[] = [];
  let last = 0;
  const sender = async () => {
    while (last < count) {
      const PartNumber = ++last;
      const route = `GET /s3/multipart/${uploadId}/${PartNumber}?${query}`;
      const { url } = await manager.ask<{ url: string }>(route, 200);
      const ETag = await putPart(url, contentOf(PartNumber, partLengthOf(size, PartNumber) ?? 0));
      parts.push({ PartNumber, ETag });
    }
  };
  await Promise.all(Array.from({ length: atOnce }, sender));
  return parts.sort((a, b) => a.PartNumber - b.PartNumber);
}

async function notified(manager: Manager, { event_id }: Upload): Promise<Shown> {
  for (;;) {
    const { events } = await manager.ask<{ events: Shown["event"][] }>("GET /events?limit=1", 200);
    if (events.some(({ event_status }) => ["notified", "failed"].includes(event_status))) {
      return await manager.ask<Shown>(`GET /events/${event_id}`, 200);
    }
    await pause(100);
  }
}

async function readBack(url: string): Promise<{ size: number; checksum: string }> {
  const checksum = await createChecksum();
  let size = 0;
  const { body } = await fetch(url);
  for await (const chunk of (body ?? []) as AsyncIterable<Uint8Array>) {
    checksum.update(chunk);
    size += chunk.length;
  }
  return { size, checksum: checksum.end() };
}

/** @returns what is not as it should be */
async function sendFile(runner: Runner, { gib, atOnce }: Options): Promise<string[]> {
  const size = Math.round(gib * GIB);
  const pid = runner.process.pid ?? 0;
  const ready = await timed("start", () => runner.json(({ type }) => type === "ready"));
  const manager = managerOf(ready.outputs as Record<string, unknown>);
  const memory = () =>
    `${megabytes(peakOf(pid))} at most, its children ${megabytes(childrenOf(pid))}`;
  console.log(`memory of the process: ${memory()}`);
  const expected = await timed("checksum", () => checksumOf(size));
  const upload = await manager.ask<Upload>("POST /s3/multipart", 201, {
    filename: "large.bin",
    type: "application/octet-stream",
    metadata: { size, purpose: "memory" },
  });
  const parts = await timed(`${partCountOf(size)} parts, ${atOnce} at a time`, () =>
    sendParts(manager, upload, { size, atOnce }),
  );
  console.log(`memory of the process: ${memory()}`);
  const { uploadId, key } = upload;
  const route = `POST /s3/multipart/${uploadId}/complete?${new URLSearchParams({ key }).toString()}`;
  const body = { parts, size, checksum_crc64nvme: expected };
  await timed("complete", () => manager.ask(route, 200, body));
  const { event, download } = await timed("until notified", () => notified(manager, upload));
  const read = await timed("read back", () => readBack(download?.url ?? ""));
  const peak = peakOf(pid);
  console.log(`memory of the process: ${memory()}`);
  console.log(`event: ${JSON.stringify(event)}`);
  const checks: [what: string, found: unknown, wanted: unknown][] = [
    ["event_status", event.event_status, "notified"],
    ["event_info.Size", event.event_info.Size, size],
    ["event_info.Metadata", JSON.stringify(event.event_info.Metadata), '{"purpose":"memory"}'],
    ["event_result.checksum_algorithm", event.event_result?.checksum_algorithm, "CRC64NVME"],
    ["event_result.checksum", event.event_result?.checksum, expected],
    ["the size of what was read back", read.size, size],
    ["the checksum of what was read back", read.checksum, expected],
    ["memory below 400 MB", peak < MAX_MEMORY, true],
  ];
  return checks
    .filter(([, found, wanted]) => found !== wanted)
    .map(([what, found, wanted]) => `${what}: ${String(found)}, not ${String(wanted)}`);
}

/** The first start after an install also serializes the callbacks, once: its memory is reported apart. */
async function fillCaches(caches: Record<string, string>): Promise<void> {
  const runner = startRunner(["--port", "0", "--json"], undefined, caches);
  try {
    await runner.json(({ type }) => type === "ready");
    console.log(
      `a first start, nothing cached: ${megabytes(peakOf(runner.process.pid ?? 0))} at most`,
    );
    runner.process.kill("SIGINT");
    await runner.exited;
  } finally {
    await runner.dispose();
  }
}

async function main(options: Options): Promise<void> {
  const folder = mkdtempSync(path.join(tmpdir(), "s3-uploader-large-"));
  const caches = { XDG_CACHE_HOME: folder, NODE_COMPILE_CACHE: path.join(folder, "compiled") };
  await fillCaches(caches);
  const data = path.join(folder, "data");
  const runner = startRunner(["--port", "0", "--json", "--data", data], undefined, caches);
  try {
    const problems = await sendFile(runner, options);
    runner.process.kill("SIGINT");
    const code = await runner.exited;
    if (code !== 0) {
      problems.push(`the run ended with ${String(code)}: ${runner.errors()}`);
    }
    console.log(problems.length === 0 ? "all as it should be" : problems.join("\n"));
    process.exitCode = problems.length === 0 ? 0 : 1;
  } finally {
    await runner.dispose();
    rmSync(folder, { recursive: true, force: true });
  }
}

function positive(text: string): number {
  const value = Number(text);
  if (!(value > 0 && value <= 1000)) {
    throw new InvalidArgumentError("It is a number above 0.");
  }
  return value;
}

const { gib, atOnce } = new Command("npm run large --")
  .description(
    "Sends a large file in parts through a local run, and measures the run's memory (Linux).",
  )
  .option("--gib <number>", "the file's size, in GiB", positive, 2)
  .option("--at-once <number>", "parts at a time", positive, 6)
  .parse()
  .opts<Options>();

main({ gib, atOnce }).catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
