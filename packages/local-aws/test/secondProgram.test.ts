import * as path from "node:path";
import { DynamoDBClient, GetItemCommand } from "@aws-sdk/client-dynamodb";
import { GetObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { expect } from "chai";
import { type Run, type RunEvent, startRun } from "local-aws";

const PROGRAM = path.join(__dirname, "fixtures", "wordCount");

describe("another program: word count", function () {
  const events: RunEvent[] = [];
  const folder = process.cwd();
  let run: Run;
  let s3: S3Client;
  let dynamoDb: DynamoDBClient;

  before(async () => {
    run = await startRun({
      programDir: PROGRAM,
      port: 0,
      s3EventDelayMs: 0,
      onEvent: (event) => events.push(event),
    });
    const { endpoint, region, credentials } = run;
    s3 = new S3Client({ endpoint, region, credentials });
    dynamoDb = new DynamoDBClient({ endpoint, region, credentials });
  });

  after(async () => {
    s3.destroy();
    dynamoDb.destroy();
    await run.stop();
  });

  it("starts with its outputs and functions, and leaves the working directory", () => {
    expect(run.outputs).to.have.all.keys("textsBucket", "reportsBucket", "countsTable");
    expect(run.functionNames.map((name) => name.replace(/-.*/, ""))).to.have.members([
      "count",
      "report",
    ]);
    expect(process.cwd()).to.equal(folder);
  });

  it("runs both callbacks: bucket's notification to row, table's stream to report", async () => {
    const { textsBucket, reportsBucket, countsTable } = run.outputs as Record<string, string>;

    await s3.send(
      new PutObjectCommand({ Bucket: textsBucket, Key: "my poem.txt", Body: "so much depends" }),
    );
    await run.idle();
    const row = await dynamoDb.send(
      new GetItemCommand({ TableName: countsTable, Key: { key: { S: "my poem.txt" } } }),
    );
    const report = await s3.send(
      new GetObjectCommand({ Bucket: reportsBucket, Key: "my poem.txt.report" }),
    );

    expect(events.filter(({ type }) => type === "error")).to.deep.equal([]);
    expect(row.Item).to.deep.equal({ key: { S: "my poem.txt" }, words: { N: "3" } });
    expect(await report.Body?.transformToString()).to.equal("my poem.txt has 3 words.\n");
    const items = events.filter((event) => event.type === "item");
    expect(items.map(({ tableName, newImage }) => [tableName, newImage.words])).to.deep.equal([
      [countsTable, { N: "3" }],
    ]);
  });

  it("enforces the roles: what no statement allows is denied to the callback", async () => {
    const notOfTexts = { bucket: { name: run.outputs.reportsBucket }, object: { key: "x" } };
    const [count = ""] = run.functionNames.filter((name) => name.startsWith("count"));

    const { functionError, errorMessage } = await run.invoke(count, {
      Records: [{ s3: notOfTexts }],
    });

    expect(functionError).to.equal("Unhandled");
    expect(errorMessage).to.contain("s3:GetObject").and.contain("not authorized");
  });

  it("answers the outputs on /_stack, its links on the start page, nothing after its end", async () => {
    const other = await startRun({
      programDir: PROGRAM,
      port: 0,
      links: ({ textsBucket }) => [{ title: "Texts & more", url: `/${String(textsBucket)}?a=1&b` }],
    });
    const page = await fetch(`${other.endpoint}/_stack`);
    expect(await page.json()).to.deep.equal({ outputs: other.outputs });
    const startPage = await fetch(`${other.endpoint}/`);
    expect(startPage.url).to.equal(other.inboxUrl);
    expect(await startPage.text()).to.contain(
      `<a href="/${String(other.outputs.textsBucket)}?a=1&amp;b">Texts &amp; more</a>`,
    );

    await other.stop();

    const refused = await fetch(`${other.endpoint}/_stack`).catch((error: unknown) => error);
    expect(refused).to.be.instanceOf(Error);
  });
});
