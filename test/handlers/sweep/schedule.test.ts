import { PutObjectCommand } from "@aws-sdk/client-s3";
import { expect } from "chai";
import { type Run, type RunEvent, startRun } from "../../../start/run";
import { clientsOf, scanEvents } from "../../../testing/clients";
import { eventually } from "../../../testing/eventually";

describe("the scheduled sweeper", function () {
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
          ? { kind: "error", errorType: "Error", errorMessage: "record always fails" }
          : undefined,
    });
  });

  after(() => run.stop());

  it("brings objects in the dead-letter queue to notified, and empties the queue", async () => {
    const { s3, dynamo, destroy } = clientsOf(run);
    const { bucketName, tableName, uploadUrl } = run.outputs;
    await s3.send(new PutObjectCommand({ Bucket: String(bucketName), Key: "lost", Body: "1" }));
    // The API has written this one's row: its dead letter is only to be deleted.
    const upload = await fetch(`${String(uploadUrl)}?filename=a.txt`, {
      method: "POST",
      body: "2",
    });
    expect(upload.status).to.equal(201);
    await run.idle();
    await eventually(async () => {
      const rows = await scanEvents(dynamo, String(tableName));
      const notified = rows.filter(({ event_status }) => event_status === "notified");
      return notified.length === 2 || undefined;
    });
    await eventually(() => run.deadLetters().length === 0 || undefined);
    destroy();
    const errors = events.filter(({ type }) => type === "error");
    expect(errors).to.deep.equal([]);
    // The sweeper's role allowed all its calls.
    const logs = events.flatMap((event) => (event.type === "log" ? [event.line] : []));
    expect(logs.filter((line) => line.includes("AccessDenied"))).to.deep.equal([]);
  });
});
