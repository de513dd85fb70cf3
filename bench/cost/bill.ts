import type { UploadWork } from "../requests/uploadWork";
import { sum } from "../statistics";
import { PRICES, type Prices } from "./prices";

/** One line of a bill. */
export interface LineItem {
  item: string;
  /** US dollars for a million uploads. */
  dollars: number;
}

const PUT_LIKE = /^s3:(Put|Copy|Post|List|Create|Complete|Upload)/;

function requestsOf({ requests }: UploadWork, matches: (request: string) => boolean): number {
  return sum(Object.entries(requests).map(([request, count]) => (matches(request) ? count : 0)));
}

/**
 * The bill of a million uploads, by line. Monthly costs are not included: stored files, rows and logs,
 * the table's backups, the sweeper's runs.
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
