import { DynamoDBClient, PutItemCommand } from "@aws-sdk/client-dynamodb";
import { cbor, dateToTag } from "@smithy/core/cbor";
import { expect } from "chai";
import { cloudWatchApi } from "../../cloudWatch/service";
import { PLACE } from "../gateway/capture";
import { plain } from "../gateway/grants";
import { signerOf } from "../gateway/signer";
import { openCloud, REGION, type TestCloud } from "../testCloud";

const TARGET = "GraniteServiceVersion20100801";
const JSON_HEADERS = {
  "content-type": "application/x-amz-json-1.0",
  "x-amz-target": `${TARGET}.GetMetricData`,
};
const CBOR_HEADERS = {
  "content-type": "application/cbor",
  accept: "application/cbor",
  "smithy-protocol": "rpc-v2-cbor",
};
const CBOR_PATH = `/service/${TARGET}/operation/GetMetricData`;
const FORM_HEADERS = { "content-type": "application/x-www-form-urlencoded" };

interface Answer {
  MetricDataResults: { Id: string; Timestamps: number[]; Values: number[]; StatusCode: string }[];
  NextToken?: string;
}

describe("GetMetricData", () => {
  let test: TestCloud;
  /** Seconds since 1970. */
  let start: number;

  before(async () => {
    start = Math.floor(Date.now() / 1000);
    test = await openCloud({ delayScale: 0 });
    const table = await test.make("dynamodb/table:Table", "rows", {
      hashKey: "id",
      attributes: [{ name: "id", type: "S" }],
      streamEnabled: true,
      streamViewType: "NEW_IMAGE",
    });
    const fails = `globalThis.calls = (globalThis.calls ?? 0) + 1;
      if (globalThis.calls === 1) throw new Error("no");`;
    const { arn } = await test.makeFunction("process", fails, [
      ["dynamodb:*", table.streamArn ?? ""],
    ]);
    await test.make("lambda/eventSourceMapping:EventSourceMapping", "process", {
      eventSourceArn: table.streamArn,
      functionName: arn,
      startingPosition: "TRIM_HORIZON",
    });
    test.cloud.start([]);
    const dynamo = new DynamoDBClient({
      endpoint: test.cloud.endpoint,
      region: REGION,
      credentials: test.cloud.roles.operator,
    });
    await dynamo.send(new PutItemCommand({ TableName: table.name, Item: { id: { S: "one" } } }));
    dynamo.destroy();
    await test.cloud.idle();
  });

  after(() => test.close());

  async function post(path: string, headers: Record<string, string>, body: string | Uint8Array) {
    const { hostname, port } = new URL(test.cloud.endpoint);
    const signed = await signerOf("monitoring", test.cloud.roles.operator).sign({
      method: "POST",
      protocol: "http:",
      hostname,
      port: Number(port),
      path,
      query: {},
      headers: { ...headers, host: `${hostname}:${port}` },
      body,
    });
    return fetch(test.cloud.endpoint + path, {
      method: "POST",
      headers: signed.headers,
      body: Buffer.from(body),
    });
  }

  function query(id: string, MetricName: string, Stat: string, more: object = {}) {
    const Dimensions = [{ Name: "FunctionName", Value: "process" }];
    const Metric = { Namespace: "AWS/Lambda", MetricName, Dimensions };
    return { Id: id, MetricStat: { Metric, Period: 60, Stat }, ...more };
  }

  /** A request's parameters; times in seconds since 1970. */
  function input(queries: object[], more: object = {}) {
    return { MetricDataQueries: queries, StartTime: start, EndTime: start + 3600, ...more };
  }

  async function json(parameters: object): Promise<Answer> {
    const answer = await post("/", JSON_HEADERS, JSON.stringify(parameters));
    expect(answer.status).to.equal(200);
    return (await answer.json()) as Answer;
  }

  function sum(values: number[] = []): number {
    return values.reduce((total, value) => total + value, 0);
  }

  it("answers the age of a stream's records at each invocation, a failed one included", async () => {
    const answer = await json(input([query("age", "IteratorAge", "SampleCount")]));
    const ages = await json(input([query("age", "IteratorAge", "Maximum")]));

    expect(sum(answer.MetricDataResults[0]?.Values)).to.equal(2);
    const { Timestamps, Values } = ages.MetricDataResults[0] ?? { Timestamps: [], Values: [] };
    expect(Timestamps[0]).to.be.within(start - 60, start + 3600);
    expect((Timestamps[0] ?? 1) % 60).to.equal(0);
    expect(Values[0]).to.be.within(0, 3_600_000);
  });

  it("counts invocations and errors, and measures durations", async () => {
    const { MetricDataResults: results } = await json(
      input([
        query("invocations", "Invocations", "Sum"),
        query("errors", "Errors", "Sum"),
        query("duration", "Duration", "Minimum"),
        query("other", "Throttles", "Sum"),
        query("hidden", "Errors", "Sum", { ReturnData: false }),
      ]),
    );

    expect(results.map(({ Id }) => Id)).to.deep.equal([
      "invocations",
      "errors",
      "duration",
      "other",
    ]);
    expect(sum(results[0]?.Values)).to.equal(2);
    expect(sum(results[1]?.Values)).to.equal(1);
    expect(results[2]?.Values[0]).to.be.above(0);
    expect(results[3]).to.deep.include({ Timestamps: [], Values: [], StatusCode: "Complete" });
  });

  it("speaks CBOR, as newer clients do", async () => {
    const body = {
      ...input([query("calls", "Invocations", "SampleCount")]),
      StartTime: dateToTag(new Date(start * 1000)),
      EndTime: dateToTag(new Date((start + 3600) * 1000)),
    };
    const answer = await post(CBOR_PATH, CBOR_HEADERS, cbor.serialize(body));

    expect(answer.headers.get("smithy-protocol")).to.equal("rpc-v2-cbor");
    const content = new Uint8Array(await answer.arrayBuffer());
    const { MetricDataResults: results } = cbor.deserialize(content) as {
      MetricDataResults: { Values: number[]; Timestamps: { tag: number; value: number }[] }[];
    };
    expect(sum(results[0]?.Values)).to.equal(2);
    expect(results[0]?.Timestamps[0]).to.include({ tag: 1 });
  });

  it("speaks the query protocol, as older clients do", async () => {
    const at = "MetricDataQueries.member.1";
    const form = new URLSearchParams({
      Action: "GetMetricData",
      Version: "2010-08-01",
      StartTime: new Date(start * 1000).toISOString(),
      EndTime: new Date((start + 3600) * 1000).toISOString(),
      [`${at}.Id`]: "calls",
      [`${at}.MetricStat.Period`]: "3600",
      [`${at}.MetricStat.Stat`]: "Sum",
      [`${at}.MetricStat.Metric.Namespace`]: "AWS/Lambda",
      [`${at}.MetricStat.Metric.MetricName`]: "Invocations",
      [`${at}.MetricStat.Metric.Dimensions.member.1.Name`]: "FunctionName",
      [`${at}.MetricStat.Metric.Dimensions.member.1.Value`]: "process",
    });

    const answer = await post("/", FORM_HEADERS, form.toString());

    expect(await answer.text()).to.match(
      /<GetMetricDataResult><MetricDataResults><member><Id>calls<\/Id>.*<Values><member>\d/,
    );
  });

  it("pages through more data points than the request wants", async () => {
    const queries = [
      query("a", "Invocations", "Sum"),
      query("b", "Errors", "Sum"),
      query("c", "Duration", "Maximum"),
    ];
    const ids: string[] = [];
    let NextToken: string | undefined;
    do {
      const page = await json(input(queries, { MaxDatapoints: 1, NextToken }));
      ids.push(...page.MetricDataResults.flatMap(({ Id, Values }) => Values.map(() => Id)));
      ({ NextToken } = page);
    } while (NextToken !== undefined);

    const whole = await json(input(queries));
    expect(ids).to.deep.equal(
      whole.MetricDataResults.flatMap(({ Id, Values }) => Values.map(() => Id)),
    );
  });

  const good = () => query("a", "Errors", "Sum");
  const refused: [
    what: string,
    parameters: () => object,
    status: number,
    code: string,
    text: string,
  ][] = [
    ["no queries", () => input([]), 400, "MissingParameter", "MetricDataQueries"],
    ["two equal ids", () => input([good(), good()]), 400, "ValidationError", "unique"],
    [
      "a period of 7",
      () => input([{ ...good(), MetricStat: { ...good().MetricStat, Period: 7 } }]),
      400,
      "ValidationError",
      "Period",
    ],
    [
      "an end before the start",
      () => ({ ...input([good()]), EndTime: start - 1 }),
      400,
      "ValidationError",
      "StartTime",
    ],
    [
      "no start",
      () => ({ MetricDataQueries: [good()], EndTime: start }),
      400,
      "MissingParameter",
      "StartTime",
    ],
    ["a percentile", () => input([query("a", "Duration", "p99")]), 501, "NotImplemented", "p99"],
    [
      "an expression",
      () => input([{ Id: "a", Expression: "m1*2" }]),
      501,
      "NotImplemented",
      "Expression",
    ],
    [
      "a query that is text",
      () => ({ ...input([]), MetricDataQueries: ["a"] }),
      400,
      "ValidationError",
      "member.1",
    ],
  ];
  for (const [what, parameters, status, code, text] of refused) {
    it(`refuses ${what} in the protocol of the request`, async () => {
      const inJson = await post("/", JSON_HEADERS, JSON.stringify(parameters()));
      const inCbor = await post(CBOR_PATH, CBOR_HEADERS, cbor.serialize(parameters()));

      expect([inJson.status, inCbor.status]).to.deep.equal([status, status]);
      expect(inJson.headers.get("x-amzn-query-error")).to.match(new RegExp(`^${code};`));
      const error = (await inJson.json()) as { __type: string; message: string };
      expect(error.__type).to.match(new RegExp(`#${code}$`));
      expect(error.message).to.contain(text);
      const content = new Uint8Array(await inCbor.arrayBuffer());
      expect(cbor.deserialize(content)).to.deep.include({ message: error.message });
    });
  }

  it("needs cloudwatch:GetMetricData on *; other operations are not served", () => {
    const call = (operation: string) =>
      cloudWatchApi.read(plain("POST", "/", { "x-amz-target": `${TARGET}.${operation}` }));

    expect(call("GetMetricData").grants(PLACE)).to.deep.equal([
      { action: "cloudwatch:GetMetricData", resource: "*" },
    ]);
    expect(() => call("PutMetricAlarm").grants(PLACE)).to.throw("cloudwatch:PutMetricAlarm");
  });
});
