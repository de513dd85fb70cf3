import { readFile } from "node:fs/promises";
import { DynamoDBClient, ScanCommand } from "@aws-sdk/client-dynamodb";
import { expect } from "chai";
import { AwsError, type Fault, type Interceptor } from "local-aws";
import PostalMime from "postal-mime";
import type { FileEvent } from "../../events/event";
import { fromItem, type Item } from "../../events/item";
import { type Run, type RunEvent, startRun } from "../../start/run";
import { checkedFetch } from "../openapi/described";

type Intercept = Interceptor;
type Call = Parameters<Intercept>[0];

describe("while something is out of order", function () {
  this.timeout(60_000);

  let run: Run;
  let dynamo: DynamoDBClient;
  const seen: RunEvent[] = [];
  /** What is out of order: throws for the calls of Lambdas that it hits. */
  let outage: ((call: Call) => void) | undefined;
  /** What becomes of the next upload's Lambda. */
  let nextUpload: Fault | undefined;

  before(async () => {
    run = await startRun({
      port: 0,
      // Minutes between retries and sweeps become fractions of a second.
      delayScale: 0.002,
      config: {
        digestSeconds: "0",
        stuckSeconds: "1",
        sweepMinutes: "1",
        maxAttempts: "5",
        email: "people@example.com",
        alarmEmail: "operations@example.com",
      },
      intercept: (call, forward) => {
        if (call.principal.functionName !== undefined) {
          outage?.(call);
        }
        return forward();
      },
      interceptInvocation: ({ functionName }) => {
        const fault = functionName.startsWith("upload") ? nextUpload : undefined;
        nextUpload = fault ? undefined : nextUpload;
        return fault;
      },
      onEvent: (event) => seen.push(event),
    });
    dynamo = new DynamoDBClient({
      endpoint: run.endpoint,
      region: run.region,
      credentials: run.credentials,
    });
  });

  after(async () => {
    dynamo.destroy();
    await run.stop();
  });

  beforeEach(() => {
    seen.length = 0;
    outage = undefined;
    nextUpload = undefined;
  });

  async function post(name: string): Promise<Response> {
    return checkedFetch(`${String(run.outputs.uploadUrl)}?filename=${name}`, {
      method: "POST",
      headers: { "content-type": "text/plain" },
      body: `The text of ${name}.`,
    });
  }

  async function upload(name: string): Promise<string> {
    const response = await post(name);
    expect(response.status).to.equal(201);
    return ((await response.json()) as { event_id: string }).event_id;
  }

  async function uploads(names: string[]): Promise<string[]> {
    return Promise.all(names.map((name) => upload(name)));
  }

  async function rows(): Promise<Map<string, FileEvent>> {
    const { Items: items = [] } = await dynamo.send(
      new ScanCommand({ TableName: String(run.outputs.tableName), ConsistentRead: true }),
    );
    return new Map(items.map((item) => [item.event_id?.S ?? "", fromItem(item as Item)]));
  }

  /** Resolves when all of the events have come to the status. */
  async function reached(eventIds: string[], status: string): Promise<void> {
    for (;;) {
      const table = await rows();
      if (eventIds.every((id) => table.get(id)?.event_status === status)) {
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  async function mailsTo(address: string) {
    const files = seen.flatMap((event) =>
      event.type === "mail" && event.mail.to === address ? [event.mail.file] : [],
    );
    return Promise.all(files.map(async (file) => PostalMime.parse(await readFile(file))));
  }

  function names(prefix: string, count: number): string[] {
    return Array.from({ length: count }, (_, index) => `${prefix}-${index}.txt`);
  }

  it("a poisoned file among 100 fails alone, with its error and a mail to operations", async () => {
    outage = ({ operation, request }) => {
      if (operation === "s3:GetObject" && request.url.includes("poison")) {
        throw new AwsError("InvalidObjectState", 403, "The object is archived.");
      }
    };

    const [poisoned = "", ...others] = await uploads(["poison.txt", ...names("healthy", 99)]);
    await reached(others, "notified");
    await reached([poisoned], "failed");
    await run.idle();

    const row = (await rows()).get(poisoned);
    expect(row?.last_error).to.deep.include({ code: "InvalidObjectState", step: "process" });
    expect(row?.failed_from).to.equal("uploaded");
    const alarms = await mailsTo("operations@example.com");
    const [alarm] = alarms.filter(({ text }) => text?.includes(poisoned));
    expect(alarm?.text).to.contain("poison.txt").and.to.contain("InvalidObjectState");
    const told = (await mailsTo("people@example.com")).map(({ text }) => text).join();
    expect(told).to.not.contain(poisoned);
  });

  it("a file whose work never ends well holds up no other, and is given up in the end", async () => {
    let isInTime = false;
    outage = ({ operation, request }) => {
      if (operation === "s3:GetObject" && request.url.includes("stubborn")) {
        throw new AwsError("InternalError", 500, "We encountered an internal error.");
      }
      // On a busy machine it might be given up before the others are through.
      if (!isInTime && request.body.includes("TooManyAttempts")) {
        throw new AwsError("ConditionalCheckFailedException", 400, "It is not yet time.");
      }
    };

    const [stubborn = "", ...others] = await uploads(["stubborn.txt", ...names("prompt", 20)]);
    await reached(others, "notified");
    const stillWorkedOn = (await rows()).get(stubborn);
    isInTime = true;
    await reached([stubborn], "failed");
    await run.idle();

    expect(stillWorkedOn?.event_status).to.equal("uploaded");
    expect((await rows()).get(stubborn)?.last_error?.code).to.equal("TooManyAttempts");
    const alarms = (await mailsTo("operations@example.com")).map(({ text }) => text).join();
    expect(alarms).to.contain("stubborn.txt");
  });

  it("files that are stored while the table refuses every write get their rows afterwards", async () => {
    outage = ({ operation }) => {
      if (["dynamodb:PutItem", "dynamodb:UpdateItem"].includes(operation)) {
        throw new AwsError("InternalServerError", 500, "The table is out of order.");
      }
    };
    const eventIds = await uploads(names("outage", 5));
    expect([...(await rows()).keys()]).to.not.include.members(eventIds);

    outage = undefined;

    await reached(eventIds, "notified");
  });

  it("a file whose upload dies when it was stored, before its row, is not lost", async () => {
    // The first call stores the file, the second one would write the row.
    nextUpload = { kind: "crash", call: 2, when: "before" };

    const { status } = await post("orphan.txt");

    expect(status).to.equal(502);
    const orphan = async () =>
      [...(await rows()).values()].find(({ event_info }) => event_info.FileName === "orphan.txt");
    while ((await orphan())?.event_status !== "notified") {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    await run.idle();
    const told = (await mailsTo("people@example.com")).map(({ text }) => text).join();
    expect(told).to.contain("orphan.txt");
  });
});
