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
    const { bucketName, tableName } = run.outputs;
    await s3.send(new PutObjectCommand({ Bucket: String(bucketName), Key: "lost", Body: "1" }));
    await run.idle();
    await eventually(async () => {
      const [row] = await scanEvents(dynamo, String(tableName));
      return row?.event_status === "notified" || undefined;
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
