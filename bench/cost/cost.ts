/**
 * What a million uploads cost on AWS, at a steady rate.
 *
 *     npm run bench -- --only cost
 */
import { readFileSync } from "node:fs";
import * as path from "node:path";
import { averageBatch, type Batching } from "../model/batches";
import { invocationGbSeconds } from "../model/durations";
import type { Part, PartOptions, Section } from "../part";
import { PLATFORM_LOG_BYTES, type UploadWork } from "../requests/work";
import { round } from "../statistics";
import { PRICES, type Prices, PRICES_OF } from "./prices";

/** What of an upload's work becomes less when uploads come together in batches. */
export interface Batches {
  /** Lambdas that read a stream, by logical name. */
  lambdas: Record<string, Batching>;
  /** Requests that a Lambda sends once for a batch: request → Lambda. */
  perBatch: Record<string, string>;
  /** The Lambda that sends one mail for a batch; without one, each file has its own mail. */
  mailsBy?: string;
}

/** One line of a bill. */
export interface LineItem {
  item: string;
  /** US dollars for a million uploads. */
  dollars: number;
}

/** Counts of work of an upload that came alone, with the day they were counted on. */
export interface CheckedInWork {
  countedOn: string;
  ours: UploadWork;
  /** What the naive pipeline is, and how it was counted. */
  naiveIs: string;
  naive: UploadWork;
}

/** Uploads a second. */
export const RATES = [1, 100, 500] as const;

/**
 * A new on-demand table takes 4,000 write units a second on four partitions, each of which is a
 * shard of the stream; three writes of each upload leave room in them up to 1,300 uploads a second.
 */
export const SHARDS = 4;

/** As the setting is by default. */
export const DIGEST_SECONDS = 1;

/** As index.ts has it. */
export const OUR_BATCHES = {
  lambdas: {
    process: { recordsPerUpload: 1, batchSize: 100, windowSeconds: 0 },
    notify: { recordsPerUpload: 1, batchSize: 1000, windowSeconds: DIGEST_SECONDS },
  },
  perBatch: { "dynamodb:BatchGetItem": "notify", "sns:Publish": "notify" },
  mailsBy: "notify",
} satisfies Batches;

/** No filters: both Lambdas get all three changes of a row. And a mail for each file. */
export const NAIVE_BATCHES: Batches = {
  lambdas: {
    process: { recordsPerUpload: 3, batchSize: 100, windowSeconds: 0 },
    notify: { recordsPerUpload: 3, batchSize: 100, windowSeconds: 0 },
  },
  perBatch: {},
};

const PUT_LIKE = /^s3:(Put|Copy|Post|List|Create|Complete|Upload)/;

function sum(values: number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/**
 * The work of one upload of many that come at a rate.
 *
 * @param work of an upload that came alone
 * @param rate uploads a second
 */
export function workAt(
  work: UploadWork,
  batches: Batches,
  rate: number,
  shards = SHARDS,
): UploadWork {
  const invocations = { ...work.invocations };
  const gbSeconds = { ...work.gbSeconds };
  for (const [lambda, batching] of Object.entries(batches.lambdas)) {
    const { recordsPerUpload } = batching;
    const batch = averageBatch(lambda, batching, (rate * recordsPerUpload) / shards);
    invocations[lambda] = recordsPerUpload / batch;
    gbSeconds[lambda] = invocations[lambda] * invocationGbSeconds(lambda, batch);
  }
  /** How much of what a Lambda did for an upload alone is left. */
  const shareOf = (lambda: string) =>
    (invocations[lambda] ?? 0) / (work.invocations[lambda] ?? Infinity);
  const requests = Object.fromEntries(
    Object.entries(work.requests).map(([request, count]) => {
      const lambda = batches.perBatch[request];
      return [request, lambda === undefined ? count : count * shareOf(lambda)];
    }),
  );
  const { mailsBy } = batches;
  const savedInvocations = sum(Object.values(work.invocations)) - sum(Object.values(invocations));
  return {
    ...work,
    invocations,
    gbSeconds,
    requests,
    mails: mailsBy === undefined ? work.mails : work.mails * shareOf(mailsBy),
    logBytes: work.logBytes - savedInvocations * PLATFORM_LOG_BYTES,
  };
}

function requestsOf({ requests }: UploadWork, matches: (request: string) => boolean): number {
  return sum(Object.entries(requests).map(([request, count]) => (matches(request) ? count : 0)));
}

/**
 * A million uploads' bill by line. What is paid by the month is not on it: stored files, rows and
 * logs, the table's backups, the sweeper's runs.
 */
export function billOf(work: UploadWork, prices: Prices = PRICES): LineItem[] {
  const lines: [item: string, units: number, price: keyof Prices][] = [
    ["REST API requests", work.restRequests, "restRequest"],
    ["Lambda requests", sum(Object.values(work.invocations)), "lambdaRequest"],
    ["Lambda GB-seconds", sum(Object.values(work.gbSeconds)), "lambdaGbSecond"],
    ["S3 writes", requestsOf(work, (request) => PUT_LIKE.test(request)), "s3Put"],
    [
      "S3 reads",
      requestsOf(work, (request) => request.startsWith("s3:") && !PUT_LIKE.test(request)),
      "s3Get",
    ],
    ["DynamoDB table writes", work.tableWriteUnits, "tableWriteUnit"],
    ["DynamoDB index writes", work.indexWriteUnits, "tableWriteUnit"],
    ["DynamoDB reads", work.readUnits, "tableReadUnit"],
    ["SQS requests", requestsOf(work, (request) => request.startsWith("sqs:")), "sqsRequest"],
    ["SNS publishes", requestsOf(work, (request) => request === "sns:Publish"), "snsPublish"],
    ["Logs", work.logBytes, "logByte"],
    ["Mail, to each address", work.mails, "mail"],
  ];
  return lines.map(([item, units, price]) => ({ item, dollars: units * prices[price].perMillion }));
}

/** US dollars for a million uploads, with the mails to one address and without any mail. */
export function totalsOf(bill: LineItem[]): { withMail: number; withoutMail: number } {
  const dollars = (lines: LineItem[]) => sum(lines.map((line) => line.dollars));
  return {
    withMail: dollars(bill),
    withoutMail: dollars(bill.filter(({ item }) => !item.startsWith("Mail"))),
  };
}

/** The counts that are kept beside this file; `npm run bench -- --only requests` counts anew. */
export function readWork(): CheckedInWork {
  return JSON.parse(readFileSync(path.join(__dirname, "uploadWork.json"), "utf8")) as CheckedInWork;
}

const NOTE =
  `Prices of ${PRICES_OF}, first tiers, no free tiers. Mails go to one address. ` +
  `${SHARDS} stream shards; the average batch follows from rate, window and Lambda's poll of ` +
  "250 ms. Lambda durations are assumptions (bench/model/durations.ts). Not included is what is " +
  "paid by the month: storage, backups, the sweeper.";

function sectionOf(title: string, bills: LineItem[][]): Section {
  const [first = []] = bills;
  const total = (name: string, which: "withMail" | "withoutMail") => [
    name,
    ...bills.map((bill) => round(totalsOf(bill)[which], 2)),
  ];
  return {
    title,
    columns: ["$ for a million uploads", ...RATES.map((rate) => `at ${rate}/s`)],
    rows: [
      ...first.map(({ item }, line) => [
        item,
        ...bills.map((bill) => round(bill[line]?.dollars ?? 0, 2)),
      ]),
      total("Total without mail", "withoutMail"),
      total("Total", "withMail"),
    ],
  };
}

/** The bench's part `cost`. */
export function cost({ progress }: Pick<PartOptions, "progress">): Promise<Part> {
  const { countedOn, ours, naiveIs, naive } = readWork();
  progress(`cost: the work of an upload as counted on ${countedOn}`);
  const billsOf = (work: UploadWork, batches: Batches) =>
    RATES.map((rate) => billOf(workAt(work, batches, rate)));
  const bills = { ours: billsOf(ours, OUR_BATCHES), naive: billsOf(naive, NAIVE_BATCHES) };
  const jsonOf = (all: LineItem[][]) =>
    RATES.map((rate, i) => ({ rate, ...totalsOf(all[i] ?? []), lines: all[i] ?? [] }));
  const ratios = (which: "withMail" | "withoutMail") =>
    RATES.map((_, i) =>
      round(totalsOf(bills.naive[i] ?? [])[which] / totalsOf(bills.ours[i] ?? [])[which], 1),
    );
  return Promise.resolve({
    name: "cost",
    json: { countedOn, prices: PRICES, ours: jsonOf(bills.ours), naive: jsonOf(bills.naive) },
    sections: [
      { ...sectionOf("What a million uploads cost", bills.ours), note: NOTE },
      { ...sectionOf("The same with a naive pipeline", bills.naive), note: naiveIs },
      {
        title: "Naive to ours",
        columns: ["ratio", ...RATES.map((rate) => `at ${rate}/s`)],
        rows: [
          ["without mail", ...ratios("withoutMail")],
          ["with mail", ...ratios("withMail")],
        ],
      },
    ],
  });
}
