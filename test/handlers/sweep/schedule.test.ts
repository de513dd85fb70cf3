import { DynamoDBClient, ScanCommand } from "@aws-sdk/client-dynamodb";
import { PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { expect } from "chai";
import { type Run, type RunEvent, startRun } from "../../../start/run";

describe("the sweeper of a run", function () {
  this.timeout(20_000);

  let run: Run;
  const events: RunEvent[] = [];

  before(async () => {
    run = await startRun({
      port: 0,
      // A minute is then half a second: the first sweep finds the dead letter.
      delayScale: 0.008,
      config: { sweepMinutes: "1" },
      onEvent: (event) => events.push(event),
      interceptInvocation: ({ functionName }) =>
        functionName.startsWith("record")
          ? { kind: "error", errorType: "Error", errorMessage: "record never works" }
          : undefined,
    });
  });

  after(() => run.stop());

  it("brings to notified what ended in the dead-letter queue, and empties the queue", async () => {
    const { endpoint, region, credentials } = run;
    const client = { endpoint, region, credentials };
    const s3 = new S3Client(client);
    const dynamo = new DynamoDBClient(client);
    await s3.send(
      new PutObjectCommand({ Bucket: String(run.outputs.bucketName), Key: "lost", Body: "1" }),
    );
    await run.idle();
    let status: string | undefined;
    while (status !== "notified") {
      await new Promise((resolve) => setTimeout(resolve, 20));
      const { Items } = await dynamo.send(
        new ScanCommand({ TableName: String(run.outputs.tableName) }),
      );
      status = Items?.[0]?.event_status?.S;
    }
    while (run.deadLetters().length > 0) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    s3.destroy();
    dynamo.destroy();
    const errors = events.filter(({ type }) => type === "error");
    expect(errors).to.deep.equal([]);
    // Every action that the sweeper tried was one that its role may do.
    const logs = events.flatMap((event) => (event.type === "log" ? [event.line] : []));
    expect(logs.filter((line) => line.includes("AccessDenied"))).to.deep.equal([]);
  });
});
