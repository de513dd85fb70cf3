import { createHash } from "node:crypto";
import { openAsBlob } from "node:fs";
import * as path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { sha256Of, writeRandom } from "../files";
import { assert, assertContains, assertEqual, type Checks, type Suite } from "../suite";
import type { World } from "../world";
import { XmlHttpRequest } from "../xmlHttpRequest";

/** Uppy's own packages as a page would use them, through an upload link. */

/** @uppy/core, as far as it is used: its own types need a browser's, which would count everywhere here. */
interface Uppy {
  use(plugin: unknown, options: object): void;
  addFile(file: { name: string; type: string; data: Blob }): string;
  upload(): Promise<{ successful?: UppyFile[]; failed?: UppyFile[] } | undefined>;
  pauseAll(): void;
  resumeAll(): void;
  cancelAll(): void;
  once(
    event: "s3-multipart:part-uploaded",
    listener: (file: UppyFile, part: { PartNumber: number }) => void,
  ): void;
}

interface UppyFile {
  error?: string | null;
  response?: { body?: { key?: string } };
}

async function defaultOf(packageName: string): Promise<unknown> {
  return ((await import(packageName)) as { default: unknown }).default;
}

const MB = 1024 * 1024;

/** How long an event may take from the upload's end until it is notified. */
const NOTIFIED_MS = 30_000;

interface Link {
  link_id: string;
  url: string;
  files: { taken: number; stored: number };
}

interface Event {
  event_id: string;
  event_status: string;
  link_id?: string;
  event_info: { Key: string; Size: number; Metadata?: Record<string, string> };
}

interface Call {
  method: string;
  /** Without its query. */
  url: string;
  status: number;
  /** Of an error. */
  error?: { code: string; message: string };
}

/** Uppy has a message of its own for every refusal: this keeps the API's. */
function observeFetch(): { calls: Call[]; restore: () => void } {
  const original = globalThis.fetch;
  const calls: Call[] = [];
  globalThis.fetch = async (input, init) => {
    const answer = await original(input, init);
    const error = answer.ok ? undefined : ((await answer.clone().json()) as Call);
    calls.push({
      method: init?.method ?? "GET",
      url: new Request(input).url.split("?")[0] ?? "",
      status: answer.status,
      error: error?.error,
    });
    return answer;
  };
  return {
    calls,
    restore: () => {
      globalThis.fetch = original;
    },
  };
}

async function ask<T>(world: World, method: string, route: string, body?: object): Promise<T> {
  const { managerUrl = "", managerApiKey = "" } = world.outputs;
  const answer = await fetch(managerUrl + route, {
    method,
    headers: { "x-api-key": managerApiKey },
    body: body && JSON.stringify(body),
  });
  const text = await answer.text();
  assert(answer.ok, `${method} ${route}: ${answer.status} ${text}`);
  return JSON.parse(text) as T;
}

function createLink(world: World, fields: object = {}): Promise<Link> {
  return ask(world, "POST", "/links", {
    expires_in: 3600,
    metadata: { customer: "Müller & Söhne", "order-no": "4711" },
    ...fields,
  });
}

/** An Uppy with nothing but the link, and one file of the folder. */
async function uppyWith(url: string, file: string, options: object = { shouldUseMultipart: true }) {
  const UppyCore = (await defaultOf("@uppy/core")) as new (options: object) => Uppy;
  // A refusal is the check's to report.
  const logger = { debug: () => undefined, warn: () => undefined, error: () => undefined };
  const uppy = new UppyCore({ logger });
  uppy.use(await defaultOf("@uppy/aws-s3"), { companionEndpoint: url, ...options });
  uppy.addFile({
    name: path.basename(file),
    type: "application/octet-stream",
    data: await openAsBlob(file),
  });
  return uppy;
}

/** @returns the key that the file has in the bucket */
async function uploaded(uppy: Uppy): Promise<string> {
  const result = await uppy.upload();
  assertEqual(
    result?.failed?.map(({ error }) => error),
    [],
    "what failed",
  );
  const [file] = result?.successful ?? [];
  return String(file?.response?.body?.key);
}

/** Waits until the event of this object is notified. */
async function notified(world: World, { link_id }: Link, key: string): Promise<Event> {
  const deadline = Date.now() + NOTIFIED_MS;
  for (;;) {
    const { events } = await ask<{ events: Event[] }>(world, "GET", `/events?link_id=${link_id}`);
    const event = events.find(({ event_info }) => event_info.Key === key);
    if (event?.event_status === "notified") {
      return event;
    }
    assert(Date.now() < deadline, `No event of ${key} is notified: ${JSON.stringify(events)}`);
    await delay(200);
  }
}

/** Compares a stored file with the sent one, and its row with its link. */
async function assertStored(world: World, link: Link, key: string, file: string): Promise<void> {
  const event = await notified(world, link, key);
  assertEqual(event.link_id, link.link_id, "the row's link");
  assertEqual(
    event.event_info.Metadata,
    { customer: "Müller & Söhne", "order-no": "4711" },
    "the row's metadata",
  );
  const shown = await ask<{ download: { url: string } }>(world, "GET", `/events/${event.event_id}`);
  const stored = await (await fetch(shown.download.url)).bytes();
  assertEqual(createHash("sha256").update(stored).digest("hex"), sha256Of(file), "the hash");
}

async function checkSizes({ world, folder, check }: Checks, link: Link): Promise<void> {
  for (const [size, name] of [
    [MB, "1 MB.bin"],
    [20 * MB + 1, "20 MB ü.bin"],
    [300 * MB, "300 MB.bin"],
  ] as const) {
    await check(`${name}: the file, its link and metadata in its row`, async () => {
      const file = writeRandom(path.join(folder, name), size);
      const key = await uploaded(await uppyWith(link.url, file));
      assertContains(key, `/${name}`, "the key");
      await assertStored(world, link, key, file);
    });
  }
}

/** Resolves once the first part has arrived, with its number. */
function firstPart(uppy: Uppy): Promise<number> {
  return new Promise((resolve) => {
    uppy.once("s3-multipart:part-uploaded", (_file, { PartNumber }) => {
      resolve(PartNumber);
    });
  });
}

async function checkInterruptions({ world, folder, check }: Checks, link: Link): Promise<void> {
  const file = writeRandom(path.join(folder, "interrupted.bin"), 22 * MB);
  await check("paused after a part, and resumed: no stored part is signed again", async () => {
    const { calls, restore } = observeFetch();
    try {
      const transfer = await uppyWith(link.url, file);
      const paused = firstPart(transfer).then((part) => {
        transfer.pauseAll();
        return part;
      });
      const key = uploaded(transfer);
      const part = await paused;
      await delay(500);
      transfer.resumeAll();
      await assertStored(world, link, await key, file);
      const signed = calls.filter(({ url }) => url.endsWith(`/${part}`));
      assertEqual(signed.length, 1, "how often the stored part was signed");
    } finally {
      restore();
    }
  });
  await check("cancelled after a part: S3 has it no more, and its place is free", async () => {
    const { calls, restore } = observeFetch();
    try {
      const before = await ask<Link>(world, "GET", `/links/${link.link_id}`);
      const uppy = await uppyWith(link.url, file);
      const cancelled = firstPart(uppy).then(() => {
        uppy.cancelAll();
      });
      await uppy.upload();
      await cancelled;
      const deadline = Date.now() + NOTIFIED_MS;
      while (!calls.some(({ method }) => method === "DELETE")) {
        assert(Date.now() < deadline, "The upload is not aborted.");
        await delay(50);
      }
      const aborted = calls.find(({ method }) => method === "DELETE");
      assert((aborted?.status ?? 500) < 300, `The abort is answered with ${aborted?.status}.`);
      const after = await ask<Link>(world, "GET", `/links/${link.link_id}`);
      assertEqual(after.files.taken, before.files.taken, "the places in use");
    } finally {
      restore();
    }
  });
}

async function checkRefusals({ world, folder, check }: Checks, link: Link): Promise<void> {
  const empty = writeRandom(path.join(folder, "empty.bin"), 0);
  const small = writeRandom(path.join(folder, "small.bin"), 100);
  for (const [what, file, options] of [
    ["an empty file", empty, { shouldUseMultipart: true }],
    ["a small file without shouldUseMultipart", small, {}],
  ] as const) {
    await check(`${what} is refused, with what to do`, async () => {
      const { calls, restore } = observeFetch();
      try {
        const uppy = await uppyWith(link.url, file, options);
        const result = await uppy.upload();
        assertEqual(result?.failed?.length, 1, "the failed files");
        const [error] = calls.flatMap((call) => call.error ?? []);
        assertEqual(error?.code, "use_multipart", "the code");
        assertContains(error?.message ?? "", "shouldUseMultipart: true", "the message");
      } finally {
        restore();
      }
    });
  }
  await check("a link that is used up refuses the next file", async () => {
    const full = await createLink(world, { max_files: 1 });
    await uploaded(await uppyWith(full.url, small));
    const { calls, restore } = observeFetch();
    try {
      const uppy = await uppyWith(full.url, empty.replace("empty", "small"));
      const result = await uppy.upload();
      assertEqual(result?.failed?.length, 1, "the failed files");
      const [refusal] = calls.filter(({ error }) => error);
      assertEqual([refusal?.status, refusal?.error?.code], [409, "link_used_up"], "the refusal");
    } finally {
      restore();
    }
  });
}

export const uppy: Suite = {
  name: "uppy",
  missing: () => undefined,
  async run(checks) {
    Object.assign(globalThis, { XMLHttpRequest: XmlHttpRequest });
    const link = await createLink(checks.world);
    await checkSizes(checks, link);
    await checkInterruptions(checks, link);
    await checkRefusals(checks, link);
  },
};
