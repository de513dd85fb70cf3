import type { Part, PartOptions } from "../part";
import { median, quantile } from "../statistics";
import { picture, uploadFile, uploadFiles } from "../uploads";
import type { Burst, Quantiles, Singles, Start } from "./figures";
import { measureStart } from "./measureStart";
import { withRunner } from "./runner";
import { localPart } from "./tables";

const MAX_STARTS = 5;

const SINGLE_UPLOADS = 200;

const BURSTS: Pick<Burst, "uploads" | "clients" | "rows">[] = [
  { uploads: 300, clients: 1, rows: 0 },
  { uploads: 500, clients: 8, rows: 0 },
  { uploads: 1000, clients: 128, rows: 0 },
  { uploads: 100, clients: 32, rows: 0 },
  { uploads: 1000, clients: 32, rows: 0 },
  { uploads: 10_000, clients: 32, rows: 0 },
  { uploads: 1000, clients: 32, rows: 100_000 },
];

function quantilesOf(values: number[]): Quantiles {
  return {
    p50: quantile(values, 0.5),
    p95: quantile(values, 0.95),
    p99: quantile(values, 0.99),
  };
}

async function measureStarts(count: number): Promise<Start> {
  const starts: Start[] = [];
  for (let i = 0; i < count; i += 1) {
    starts.push(await measureStart());
  }
  return {
    coldMs: median(starts.map(({ coldMs }) => coldMs)),
    warmMs: median(starts.map(({ warmMs }) => warmMs)),
  };
}

/** @param uploads besides the first one */
export function measureSingles(uploads: number): Promise<Singles> {
  return withRunner({ config: { digestSeconds: "0" }, rows: 0 }, async (runner) => {
    const bytes = picture();
    const times: number[] = [];
    for (let i = 1; i <= uploads + 1; i += 1) {
      const startedAt = performance.now();
      await uploadFile(runner.uploadUrl, `single-${i}.jpg`, bytes);
      await runner.mailed(i);
      times.push(performance.now() - startedAt);
      await runner.notified(i);
    }
    const [firstMs = NaN, ...others] = times;
    return { firstMs, uploads, mailMs: quantilesOf(others) };
  });
}

export function measureBurst({
  uploads,
  clients,
  rows,
}: Pick<Burst, "uploads" | "clients" | "rows">): Promise<Burst> {
  return withRunner({ config: {}, rows }, async (runner) => {
    const startedAt = performance.now();
    const latencies = await uploadFiles(runner.uploadUrl, uploads, clients);
    const answeredMs = performance.now() - startedAt;
    await runner.notified(uploads);
    const notifiedMs = performance.now() - startedAt;
    const mails = runner.mails();
    return {
      uploads,
      clients,
      rows,
      answeredMs,
      notifiedMs,
      answerMs: quantilesOf(latencies),
      mails,
    };
  });
}

/** The bench's part `local`: the start of the local run, and its uploads from request to mail. */
export async function local({ repetitions, progress, quick = false }: PartOptions): Promise<Part> {
  const sized = (count: number) => (quick ? Math.ceil(count / 10) : count);
  progress("local: start");
  const start = await measureStarts(Math.min(repetitions, quick ? 1 : MAX_STARTS));
  progress("local: single uploads");
  const singles = await measureSingles(sized(SINGLE_UPLOADS));
  const bursts: Burst[] = [];
  for (const { uploads, clients, rows } of BURSTS) {
    const burst = { uploads: sized(uploads), clients, rows: sized(rows) };
    progress(`local: ${burst.uploads} uploads by ${clients} clients, ${burst.rows} rows before`);
    bursts.push(await measureBurst(burst));
  }
  return localPart({ start, singles, bursts });
}
