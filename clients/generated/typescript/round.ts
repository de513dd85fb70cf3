import { readFileSync } from "node:fs";

/** What a run prepares for a program: clients/generated/input.ts. */
export interface Input {
  managerUrl: string;
  managerKey: string;
  /** The upload API's URL before `/upload`. */
  uploadBaseUrl: string;
  /** A failed event. */
  failedId: string;
  /** A span with one more failed event. */
  from: string;
  to: string;
}

export const input = JSON.parse(readFileSync(process.argv[2] ?? "", "utf8")) as Input;

interface Event {
  event_id: string;
  event_status: string;
  event_info: { Size?: number; FileName?: string };
}

/** What the round needs of a generated client; each method has the client's own types. */
export interface Client {
  upload(bytes: Blob, filename: string): Promise<{ event_id: string; size: number }>;
  /** @param cursor of the page before */
  list(limit: number, cursor?: string): Promise<{ events: Event[]; next_cursor: string | null }>;
  get(id: string): Promise<{ event: Event; download?: { url: string } }>;
  createUpload(
    file: { filename: string; size: number },
    key: string,
  ): Promise<{
    event_id: string;
    event_status?: string;
    method?: string;
    url?: string;
    headers?: Record<string, string>;
  }>;
  retry(id: string): Promise<{ event_status: string }>;
  retryMany(from: string, to: string): Promise<{ matched: number; moved: number }>;
  delete(id: string): Promise<void>;
  stats(): Promise<{ total: number; counts: { notified: number } }>;
  /** Makes a request for an event that does not exist. @returns the error's code */
  errorCode(id: string): Promise<string | undefined>;
}

const TIMEOUT_MS = 60_000;

function assertEqual(actual: unknown, expected: unknown, what: string): void {
  const [one, other] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (one !== other) {
    throw new Error(`${what}: expected ${other}, got ${one}`);
  }
}

/** Calls until the event has been notified. */
async function notified(client: Client, id: string): ReturnType<Client["get"]> {
  for (const end = Date.now() + TIMEOUT_MS; ;) {
    const details = await client.get(id).catch((error: unknown) => {
      // The bucket's event has not arrived yet.
      if (Date.now() > end) {
        throw error;
      }
      return undefined;
    });
    if (details?.event.event_status === "notified") {
      return details;
    }
    if (Date.now() > end) {
      throw new Error(`The event ${id} is not notified, but ${JSON.stringify(details)}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** Makes the whole round, and prints each check as a line of JSON. */
export async function round(client: Client): Promise<void> {
  const check = async (name: string, run: () => Promise<void>) => {
    const error = await run().then(
      () => undefined,
      (thrown: unknown) => String((thrown as Error).stack ?? JSON.stringify(thrown)),
    );
    console.log(JSON.stringify({ name, error }));
  };
  const text = "bytes of a round: ü";
  const bytes = new Blob([text]);
  let id = "";
  await check("upload bytes, one event with its link", async () => {
    const answer = await client.upload(bytes, "round.txt");
    assertEqual(answer.size, bytes.size, "the size");
    id = answer.event_id;
    const { event, download } = await notified(client, id);
    assertEqual(event.event_info.FileName, "round.txt", "the name");
    assertEqual(await (await fetch(download?.url ?? "")).text(), text, "the file");
  });
  await check("a signed upload, and its repetition once it has arrived", async () => {
    const file = { filename: "signed.txt", size: bytes.size };
    const key = `round-${id}`;
    const { event_id, method, url = "", headers = {} } = await client.createUpload(file, key);
    const { "Content-Length": length, ...others } = headers;
    assertEqual(length, String(bytes.size), "the signed length");
    const { status } = await fetch(url, { method, headers: others, body: bytes });
    assertEqual(status, 200, "S3's status");
    await notified(client, event_id);
    const again = await client.createUpload(file, key);
    assertEqual([again.event_id, again.url], [event_id, undefined], "the repetition");
    assertEqual(again.event_status, "notified", "the status of the repetition");
  });
  await check("a size above 2^32", async () => {
    const answer = await client.createUpload({ filename: "a", size: 5 * 1024 ** 3 }, `large-${id}`);
    assertEqual(answer.headers?.["Content-Length"], "5368709120", "the signed length");
  });
  await check("a list with a filter, by its cursor", async () => {
    const first = await client.list(1);
    assertEqual(first.events.length, 1, "events on the first page");
    const second = await client.list(1, first.next_cursor ?? "");
    const ids = [...first.events, ...second.events].map(({ event_id }) => event_id);
    assertEqual(new Set(ids).size, 2, "events on two pages");
  });
  await check("retry, and an error", async () => {
    const { event_status } = await client.retry(input.failedId);
    assertEqual(event_status, "processed", "the status");
    const code = await client.errorCode("00000000-0000-4000-8000-000000000000");
    assertEqual(code, "event_not_found", "the error's code");
  });
  await check("bulk retry of a span", async () => {
    const { matched, moved } = await client.retryMany(input.from, input.to);
    assertEqual([matched, moved], [1, 1], "matched and moved");
  });
  await check("delete", async () => {
    await client.delete(id);
    assertEqual(await client.errorCode(id), "event_not_found", "the error's code");
  });
  await check("stats", async () => {
    const { total, counts } = await client.stats();
    assertEqual(total >= counts.notified && counts.notified >= 1, true, "the counts");
  });
}
