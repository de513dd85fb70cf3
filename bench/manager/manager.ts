import { startRun } from "../../start/run";
import { UNTHROTTLED } from "../../testing/unthrottled";
import type { Part, PartOptions } from "../part";
import { mixedRow, putRows } from "../rows";
import { quantile, round } from "../statistics";
import { picture, uploadFile } from "../uploads";

/** The cost of the manager's calls on a table of this size. */
export interface ManagerFigures {
  rows: number;
  /** Pages of 100 failed events that were read, while uploads went on. */
  pages: number;
  /** Milliseconds. */
  pageMs: { p50: number; p99: number };
  /** Requests to the table for each page. */
  requestsPerPage: number;
  /** Milliseconds of `GET /stats`. */
  statsMs: { p50: number; p99: number };
  /** Requests to both tables for each `GET /stats`. */
  requestsPerStats: number;
}

const SIZES = [1_000, 10_000, 100_000];

const LIMIT = 100;

const STATS_CALLS = 50;

/** Small tables are read repeatedly, for as many figures as of large ones. */
const MIN_PAGES = 100;

interface Page {
  events: { event_id: string }[];
  next_cursor: string | null;
}

interface Outputs {
  managerUrl: string;
  managerApiKey: string;
  uploadUrl: string;
  tableName: string;
}

async function timed<T>(work: () => Promise<T>): Promise<{ result: T; ms: number }> {
  const startedAt = performance.now();
  const result = await work();
  return { result, ms: performance.now() - startedAt };
}

/** @throws when a page misses or repeats an event */
export async function measureManager(rows: number, minPages = MIN_PAGES): Promise<ManagerFigures> {
  let requests = 0;
  const run = await startRun({
    port: 0,
    config: UNTHROTTLED,
    onCall: ({ functionName = "", service }) => {
      requests += functionName.startsWith("manager") && service === "dynamodb" ? 1 : 0;
    },
  });
  try {
    const outputs = run.outputs as unknown as Outputs;
    await putRows(run.dynamoDb, outputs.tableName, rows, mixedRow);
    await run.idle();
    const ask = async (path: string) => {
      const headers = { "x-api-key": outputs.managerApiKey };
      const answer = await fetch(`${outputs.managerUrl}${path}`, { headers });
      if (!answer.ok) {
        throw new Error(`GET ${path} was answered ${answer.status}: ${await answer.text()}`);
      }
      return answer.json();
    };

    const walkOnce = async (times: number[]) => {
      const ids: string[] = [];
      let cursor: string | null = null;
      do {
        const after: string = cursor === null ? "" : `&cursor=${encodeURIComponent(cursor)}`;
        const { result, ms } = await timed(() =>
          ask(`/events?status=failed&order=asc&limit=${LIMIT}${after}`),
        );
        const page = result as Page;
        ids.push(...page.events.map(({ event_id }) => event_id));
        cursor = page.next_cursor;
        times.push(ms);
      } while (cursor !== null);
      if (ids.length !== rows / 5 || new Set(ids).size !== ids.length) {
        throw new Error(`Of ${rows / 5} failed events the pages had ${ids.length}.`);
      }
    };

    const walked = new AbortController();
    const bytes = picture();
    const uploading = (async () => {
      for (let i = 0; !walked.signal.aborted; i += 1) {
        await uploadFile(outputs.uploadUrl, `meanwhile-${i}.jpg`, bytes);
      }
    })();
    const pageTimes: number[] = [];
    await walkOnce([]);
    requests = 0;
    while (pageTimes.length < minPages) {
      await walkOnce(pageTimes);
    }
    const pageRequests = requests;
    walked.abort();
    await uploading;
    await run.idle();

    requests = 0;
    const statsTimes: number[] = [];
    for (let i = 0; i < STATS_CALLS; i += 1) {
      statsTimes.push((await timed(() => ask("/stats"))).ms);
    }
    return {
      rows,
      pages: pageTimes.length,
      pageMs: { p50: quantile(pageTimes, 0.5), p99: quantile(pageTimes, 0.99) },
      requestsPerPage: pageRequests / pageTimes.length,
      statsMs: { p50: quantile(statsTimes, 0.5), p99: quantile(statsTimes, 0.99) },
      requestsPerStats: requests / STATS_CALLS,
    };
  } finally {
    await run.stop();
  }
}

/** The bench's part `manager`: the event manager on this machine, with tables of three sizes. */
export async function manager({ progress, quick = false }: PartOptions): Promise<Part> {
  const figures: ManagerFigures[] = [];
  for (const size of SIZES) {
    const rows = quick ? size / 10 : size;
    progress(`manager: ${rows} rows`);
    figures.push(await measureManager(rows));
  }
  return {
    name: "manager",
    json: figures,
    sections: [
      {
        title: "The event manager by size of its table",
        note: [
          `Pages of ${LIMIT} failed events, which are a fifth of all, in time order, during a sequence of`,
          "uploads. Milliseconds by HTTP; requests of the manager to DynamoDB. No count is stored yet, so",
          "/stats is at its most expensive: the sweeper stores counts later.",
        ].join("\n"),
        columns: [
          "rows",
          "page p50 ms",
          "page p99 ms",
          "requests a page",
          "stats p50 ms",
          "stats p99 ms",
          "requests a call",
        ],
        rows: figures.map(({ rows, pageMs, requestsPerPage, statsMs, requestsPerStats }) => [
          rows,
          round(pageMs.p50, 1),
          round(pageMs.p99, 1),
          round(requestsPerPage, 2),
          round(statsMs.p50, 1),
          round(statsMs.p99, 1),
          round(requestsPerStats, 1),
        ]),
      },
    ],
  };
}
