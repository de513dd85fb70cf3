import { DEFAULTS } from "../../config";
/**
 * The first limits of AWS that a rising rate of uploads meets, computed and simulated.
 *
 *     npm run bench -- --only scale
 */
import { DIGEST_SECONDS, OUR_BATCHES } from "../cost/batches";
import { readWork } from "../cost/checkedInWork";
import { limitsOf, NEW_TABLE_WRITE_UNITS, shardsOf, type Stack } from "../model/limits";
import { sustainedRate } from "../model/simulate";
import { type Sweeping, sweeping } from "../model/sweeping";
import type { Part, PartOptions, Section } from "../part";
import type { UploadWork } from "../requests/uploadWork";
import { round } from "../statistics";

/** Write units a second of a pre-warmed table, which meets other limits than a new one. */
const PRE_WARMED = 32_000;

/** Memory of the Lambda in index.ts. */
const SWEEP_MEGABYTES = 512;

const STATUS_SHARDS = [1, 2, 4, 8];

/** The limits that the simulation includes. */
const SIMULATED = /^(index partition|the index's warm|process:)/;

/** A stack with the program's defaults, and these changes. */
export function stackOf(work: UploadWork, given: Partial<Stack> = {}): Stack {
  return {
    work,
    readers: OUR_BATCHES.lambdas,
    statusShards: 1,
    warmWriteUnits: NEW_TABLE_WRITE_UNITS,
    parallelizationFactor: 1,
    requestsPerSecond: DEFAULTS.requestsPerSecond,
    ...given,
  };
}

function limitSection(title: string, stack: Stack): Section {
  return {
    title,
    columns: ["uploads/s", "limit", "moved by"],
    rows: limitsOf(stack).map(({ limit, rate, movedBy }) => [Math.round(rate), limit, movedBy]),
  };
}

interface Simulated {
  table: string;
  statusShards: number;
  model: number;
  simulated: number;
  firstLimit: string;
}

/** Stuck rows of one write unit and of two, and with half of the memory. */
export const SWEEPS: readonly Sweeping[] = [
  { rows: { uploaded: 16_000 }, rowBytes: 1000, memoryMegabytes: SWEEP_MEGABYTES },
  { rows: { uploaded: 16_000 }, rowBytes: 1000, memoryMegabytes: SWEEP_MEGABYTES / 2 },
  { rows: { uploaded: 16_000 }, rowBytes: 2000, memoryMegabytes: SWEEP_MEGABYTES },
];

/** A row of the table in docs/failures.md. */
export async function sweepRow(sweep: Sweeping): Promise<string[]> {
  const { perMinute, left } = await sweeping(sweep);
  return [
    `${sweep.rowBytes / 1000} kB`,
    `${sweep.memoryMegabytes} MB`,
    // The order of the partitions is random, which changes some rows.
    (Math.floor(perMinute / 100) * 100).toLocaleString("en-US"),
    String(left),
  ];
}

function compare(table: string, stack: Stack): Simulated {
  const [first] = limitsOf(stack).filter(({ limit }) => SIMULATED.test(limit));
  const model = first?.rate ?? Infinity;
  const { statusShards, warmWriteUnits } = stack;
  const simulated = sustainedRate(
    { statusShards, streamShards: shardsOf(stack), indexWriteUnits: warmWriteUnits },
    2 * model,
  );
  return {
    table,
    statusShards,
    model: round(model),
    simulated: round(simulated),
    firstLimit: first?.limit ?? "",
  };
}

/** The bench's part `scale`. */
export async function scale({ progress }: Pick<PartOptions, "progress">): Promise<Part> {
  const { countedOn, ours } = readWork();
  const warm = `pre-warmed for ${PRE_WARMED.toLocaleString("en-US")} write units/s`;
  const stacks: [title: string, stack: Stack][] = [
    ["A new table, statusShards 1", stackOf(ours)],
    ["A new table, statusShards 8", stackOf(ours, { statusShards: 8 })],
    [
      `A table ${warm}, statusShards 8`,
      stackOf(ours, { statusShards: 8, warmWriteUnits: PRE_WARMED }),
    ],
  ];
  const tables: [name: string, given: Partial<Stack>][] = [
    ["new", {}],
    ["pre-warmed", { warmWriteUnits: PRE_WARMED }],
  ];
  const simulated = tables.flatMap(([table, given]) =>
    STATUS_SHARDS.map((statusShards) => {
      progress(`scale: a ${table} table, statusShards ${statusShards}`);
      return compare(table, stackOf(ours, { statusShards, ...given }));
    }),
  );
  const limits = stacks.map(([title, stack]) => ({ title, limits: limitsOf(stack) }));
  const sweeps: string[][] = [];
  for (const sweep of SWEEPS) {
    progress("scale: a run of the sweeper");
    sweeps.push(await sweepRow(sweep));
  }
  return {
    name: "scale",
    json: { countedOn, limits, simulated, sweeps },
    sections: [
      ...stacks.map(([title, stack]) => limitSection(title, stack)),
      {
        title: "Uploads a second, by model and by simulation",
        note:
          `The limits above are computed, with digestSeconds ${DIGEST_SECONDS}. The simulation sends ` +
          "uploads at random intervals through put, process and notify, with 1,000 write units/s in " +
          "each partition of the index, no burst capacity, retries of throttled writes, and one " +
          "batch at a time in each shard of the stream. Its rate is the highest without a growing " +
          "backlog. It includes the limits of index and process only. A partition of the table is a " +
          "shard of its stream, and each shard sends its own mails: a pre-warmed table needs a " +
          "higher digestSeconds.",
        columns: ["table", "statusShards", "model", "simulated", "first limit"],
        rows: simulated.map((row) => [
          row.table,
          row.statusShards,
          row.model,
          row.simulated,
          row.firstLimit,
        ]),
      },
      {
        title: "Stuck rows that a run of the sweeper redelivers",
        note:
          "Simulated, by the program's own code: calls of 5 to 10 ms, 1,000 write and 3,000 read " +
          "units/s in each partition, pages of 1 MB, a new table, and the sweeper's share of a CPU " +
          "(0.6 ms of one for each call). All rows advance, which takes writes in the same partitions.",
        columns: ["row", "memory", "rows a minute", "left to the next run"],
        rows: sweeps,
      },
    ],
  };
}
