import { expect } from "chai";
import { type AllowedCall, AwsError, type Fault } from "local-aws";
import type { FileEvent } from "../events/event";
import { type Run, type RunEvent, startRun } from "../start/run";
import { type Clients, clientsOf, scanEvents } from "../testing/clients";
import { eventually } from "../testing/eventually";
import { readMails } from "../testing/mails";
import { UNTHROTTLED } from "../testing/unthrottled";
import { checkedFetch } from "./openapi/described";

describe("the program during an outage", function () {
  let run: Run;
  let clients: Clients;
  const seen: RunEvent[] = [];
  /** Throws the answer of the calls of Lambdas that fail. */
  let outage: ((call: AllowedCall) => void) | undefined;
  /** The fault for the next invocation of upload. */
  let nextUpload: Fault | undefined;

  before(async () => {
    run = await startRun({
      port: 0,
      // Minutes between retries and sweeps become fractions of a second.
      delayScale: 0.002,
      config: {
        ...UNTHROTTLED,
        digestSeconds: "0",
        stuckSeconds: "1",
        sweepMinutes: "1",
        maxAttempts: "2",
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
    clients = clientsOf(run);
  });

  after(async () => {
    clients.destroy();
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
    const events = await scanEvents(clients.dynamo, String(run.outputs.tableName));
    return new Map(events.map((event) => [event.event_id, event]));
  }

  /** Resolves when each of the events has had this status. */
  async function reached(eventIds: string[], status: string): Promise<void> {
    await eventually(() => {
      const those = statusEvents().filter(({ event_status }) => event_status === status);
      const ids = new Set(those.map(({ event_id }) => event_id));
      return eventIds.every((id) => ids.has(id)) || undefined;
    });
  }

  function statusEvents(): FileEvent[] {
    return seen.flatMap((event) => (event.type === "status" ? [event.event] : []));
  }

  async function mailsTo(address: string) {
    return (await readMails(run, seen)).filter(({ to }) => to === address);
  }

  function names(prefix: string, count: number): string[] {
    return Array.from({ length: count }, (_, index) => `${prefix}-${index}.txt`);
  }

  it("fails one unreadable file among 100 alone, with its error and a mail to operations", async () => {
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
    const [alarm] = alarms.filter(({ text }) => text.includes(poisoned));
    expect(alarm?.text).to.contain("poison.txt").and.to.contain("InvalidObjectState");
    const texts = (await mailsTo("people@example.com")).map(({ text }) => text).join();
    expect(texts).to.not.contain(poisoned);
  });

  it("fails a file after its last attempt, without delaying other files", async () => {
    let othersNotified = false;
    outage = ({ operation, request }) => {
      if (operation === "s3:GetObject" && request.url.includes("stubborn")) {
        throw new AwsError("InternalError", 500, "We encountered an internal error.");
      }
      // On a busy machine the sweeper might fail it, or process before the others are notified.
      const isSweepers = request.body.includes("TooManyAttempts");
      if (isSweepers || (!othersNotified && request.body.includes('{"S":"failed"}'))) {
        throw new AwsError("ConditionalCheckFailedException", 400, "Not yet.");
      }
    };

    const [stubborn = "", ...others] = await uploads(["stubborn.txt", ...names("prompt", 20)]);
    await reached(others, "notified");
    const beforeLastAttempt = (await rows()).get(stubborn);
    othersNotified = true;
    await reached([stubborn], "failed");
    await run.idle();

    expect(beforeLastAttempt?.event_status).to.equal("uploaded");
    const { last_error } = (await rows()).get(stubborn) ?? {};
    expect(last_error).to.include({ code: "InternalError", step: "process" });
    const alarms = (await mailsTo("operations@example.com")).map(({ text }) => text).join();
    expect(alarms).to.contain("stubborn.txt");
  });

  it("writes the rows of files that were stored while the table refused every write", async () => {
    outage = ({ operation }) => {
      if (/^dynamodb:(PutItem|UpdateItem|TransactWriteItems)$/.test(operation)) {
        throw new AwsError("InternalServerError", 500, "The table is unavailable.");
      }
    };
    const eventIds = await uploads(names("outage", 5));
    expect([...(await rows()).keys()]).to.not.include.members(eventIds);

    outage = undefined;

    await reached(eventIds, "notified");
  });

  it("recovers a file whose upload crashed after storing it and before writing its row", async () => {
    // The first call stores the file, the second writes the row.
    nextUpload = { kind: "crash", call: 2, when: "before" };

    const { status } = await post("orphan.txt");

    expect(status).to.equal(502);
    await eventually(() =>
      statusEvents().find(
        ({ event_info, event_status }) =>
          event_info.FileName === "orphan.txt" && event_status === "notified",
      ),
    );
    await run.idle();
    const texts = (await mailsTo("people@example.com")).map(({ text }) => text).join();
    expect(texts).to.contain("orphan.txt");
  });
});
