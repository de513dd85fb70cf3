import { expect } from "chai";
import { type Recording, recordProgram } from "../../testing/recordingMocks";
import { variablesOf } from "../program/names";
import { type FakeAws, startFakeAws } from "./fakeAws";
import { EVENTS } from "./invocations";
import { type Output, runPackage } from "./plainNode";

describe("The Lambdas' bundles", () => {
  const outputs = new Map<string, Output>();
  let recording: Recording;
  let aws: FakeAws;

  before(async () => {
    recording = await recordProgram();
    aws = await startFakeAws();
    const runs = Object.entries(EVENTS).map(async ([name, events]) => {
      outputs.set(name, await runPackage(recording, name, aws.endpoint, events));
    });
    await Promise.all(runs);
  });

  after(() => {
    aws.stop();
  });

  function outputOf(name: string): Output {
    const output = outputs.get(name);
    if (!output) {
      throw new Error(`The bundle of ${name} did not run.`);
    }
    return output;
  }

  function actionsOf(name: string): string[] {
    return aws.callsOf(name).map(({ action }) => action);
  }

  for (const name of Object.keys(EVENTS)) {
    it(`${name}: loads without node_modules, and exports an async handler`, () => {
      const { exports, results } = outputOf(name);
      expect(exports).to.deep.equal(["handler"]);
      expect(results.map((result) => result.error)).to.deep.equal(results.map(() => undefined));
      expect(results.map((result) => result.async)).to.deep.equal(results.map(() => true));
    });

    it(`${name}: fails without its environment variables, and names the missing one`, () => {
      const messages = Object.keys(variablesOf(recording, name)).map((variable) => [
        variable,
        `The environment variable ${variable} is not set.`,
      ]);
      expect(outputOf(name).missing).to.deep.equal(Object.fromEntries(messages));
    });
  }

  it("upload: refuses an empty body without a call, then stores a file and its row", () => {
    const [refused, stored] = outputOf("upload").results;
    expect(refused?.answer).to.include({ statusCode: 400 });
    expect(refused?.answer).to.have.property("body").that.includes('"empty_body"');
    expect(stored?.answer).to.include({ statusCode: 201 });
    const [put, row] = aws.callsOf("upload");
    expect(actionsOf("upload")).to.deep.equal(["PUT", "PutItem"]);
    expect(put?.url).to.match(/^\/uploads-1a2b3c4\/uploads\/.*\/hello\.txt/);
    expect(put?.body).to.equal("hello");
    expect(JSON.parse(row?.body ?? "")).to.deep.include({ TableName: "events-1a2b3c4" });
  });

  it("links: refuses a request without a ticket, without a call", () => {
    const [refused] = outputOf("links").results;
    expect(refused?.answer).to.include({ statusCode: 403 });
    expect(actionsOf("links")).to.deep.equal([]);
  });

  it("record: does nothing for no records, then writes a row of the decoded key", () => {
    const [row] = aws.callsOf("record");
    expect(actionsOf("record")).to.deep.equal(["TransactWriteItems"]);
    const { TransactItems: items } = JSON.parse(row?.body ?? "") as {
      TransactItems: { Put?: { Item: Record<string, { S: string }> } }[];
    };
    const item = items[1]?.Put?.Item ?? {};
    expect(item.event_status).to.deep.equal({ S: "created" });
    expect(JSON.parse(item.event_info?.S ?? "")).to.include({ Bucket: "a-bucket", Key: "a b.txt" });
  });

  it("process: does nothing for no records, then inspects files, empty ones too", () => {
    const { results } = outputOf("process");
    const success = { batchItemFailures: [] };
    expect(results.map((result) => result.answer)).to.deep.equal([success, success]);
    const updates = aws.callsOf("process").filter(({ action }) => action === "UpdateItem");
    const written = updates.map(({ body }) => {
      const { Key, ExpressionAttributeValues } = JSON.parse(body) as {
        Key: { event_id: { S: string } };
        ExpressionAttributeValues: Record<string, { S?: string; M?: object }>;
      };
      const values = Object.values(ExpressionAttributeValues);
      return [Key.event_id.S, values.find(({ M }) => M)?.M] as const;
    });
    const found = Object.fromEntries(written);
    expect(found["event-1"]).to.deep.include({
      type: { S: "image/jpeg" },
      checksum: { S: "c0ffee" },
    });
    expect(found["event-1"]).to.include.keys("width", "height");
    expect(found["event-2"]).to.deep.include({ size: { N: "0" }, type: { S: "text/csv" } });
  });

  it("notify: does nothing for no records, then publishes a file and writes its status", () => {
    const { results } = outputOf("notify");
    const success = { batchItemFailures: [] };
    expect(results.map((result) => result.answer)).to.deep.equal([success, success]);
    expect(actionsOf("notify")).to.deep.equal(["BatchGetItem", "Publish", "UpdateItem"]);
    const publish = new URLSearchParams(aws.callsOf("notify")[1]?.body);
    expect(publish.get("TopicArn")).to.equal(variablesOf(recording, "notify").TOPIC_ARN);
    expect(publish.get("Subject")).to.include("sample.jpg");
  });

  it("sweep: reads stuck events, uploads and dead letters, and finds none", () => {
    const sweeps = aws.callsOf("sweep");
    const reads = ["GetMetricData", "Query", "GET", "ReceiveMessage"];
    expect(actionsOf("sweep")).to.include.members(reads);
    // It may write the state of the counts only.
    for (const { action, body } of sweeps.filter((call) => !reads.includes(call.action))) {
      expect(action).to.equal("UpdateItem");
      expect(JSON.parse(body)).to.include({ TableName: "events-counts-1a2b3c4" });
    }
    const listing = sweeps.find(({ action }) => action === "GET");
    expect(listing?.url).to.match(/^\/uploads-1a2b3c4\/?\?.*prefix=uploads/);
    const receive = sweeps.find(({ action }) => action === "ReceiveMessage");
    expect(receive?.body).to.include("dead-letters-1a2b3c4");
  });
});
