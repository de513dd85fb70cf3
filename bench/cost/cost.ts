/**
 * The cost of a million uploads on AWS, at steady rates.
 *
 *     npm run bench -- --only cost
 */
import type { Part, PartOptions, Section } from "../part";
import type { UploadWork } from "../requests/uploadWork";
import { round } from "../statistics";
import { type Batches, NAIVE_BATCHES, OUR_BATCHES, SHARDS, workAt } from "./batches";
import { billOf, type LineItem, totalsOf } from "./bill";
import { readWork } from "./checkedInWork";
import { PRICES, PRICES_OF } from "./prices";

/** Uploads a second. */
export const RATES = [1, 100, 500] as const;

const NOTE =
  `Prices of ${PRICES_OF}, first tiers, no free tiers. Mails go to one address. ` +
  `${SHARDS} stream shards; the average batch follows from rate, window and Lambda's poll of ` +
  "250 ms. Lambda durations are assumptions (bench/model/durations.ts). Monthly costs are not " +
  "included: storage, backups, the sweeper.";

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
