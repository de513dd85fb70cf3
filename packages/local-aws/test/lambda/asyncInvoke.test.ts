import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { AwsError } from "../../awsError";
import { type AsyncConfig, DEFAULT_ASYNC_CONFIG } from "../../lambda/asyncConfigs";
import { type AsyncInvoker, createAsyncInvoker } from "../../lambda/asyncInvoke";
import type { InvokeResult } from "../../lambda/host";
import { createTestHost, until } from "./testHost";

const FUNCTION_ARN = "arn:aws:lambda:eu-central-1:123456789012:function:record";
const QUEUE_ARN = "arn:aws:sqs:eu-central-1:123456789012:dead-letters";
const FAILURE = { errorType: "Error", errorMessage: "no table", trace: [] };

interface Attempt {
  requestId: string;
  payload: unknown;
}

/** What the function does: fail, or have the service refuse, or never end. */
type Behaviour = "ok" | "fail" | "hang" | AwsError;

interface Setup extends AsyncInvoker {
  attempts: Attempt[];
  /** Of the attempts, in ms. */
  startTimes: number[];
  sent: { destinationArn: string; record: unknown }[];
  errors: string[];
  /** The most attempts that ran at one time. */
  peak(): number;
}

/** An invoker of a function with a given behaviour for each attempt; later attempts succeed. */
function setUp(
  behaviours: Behaviour[],
  config: Partial<AsyncConfig> = {},
  options: Partial<Parameters<typeof createAsyncInvoker>[0]> = {},
): Setup {
  const attempts: Attempt[] = [];
  const startTimes: number[] = [];
  const sent: Setup["sent"] = [];
  const errors: string[] = [];
  let running = 0;
  let peak = 0;
  const invoke = async (
    _name: string,
    payload: string | object,
    origin?: { requestId: string },
  ): Promise<InvokeResult> => {
    const behaviour = behaviours.shift() ?? "ok";
    const requestId = origin?.requestId ?? "";
    if (behaviour instanceof AwsError) {
      throw behaviour;
    }
    attempts.push({ requestId, payload: JSON.parse(payload as string) });
    startTimes.push(performance.now());
    if (behaviour === "hang") {
      return new Promise(() => undefined);
    }
    peak = Math.max(peak, ++running);
    await new Promise(setImmediate);
    running--;
    const base = { requestId, durationMs: 1, coldStart: false };
    if (behaviour === "ok") {
      return { ...base, payload: "null" };
    }
    return { ...base, payload: JSON.stringify(FAILURE), functionError: "Unhandled", ...FAILURE };
  };
  const functionArn = (name: string): string => {
    if (name === "record") {
      return FUNCTION_ARN;
    }
    throw new AwsError("ResourceNotFoundException", 404, `Function not found: ${name}`);
  };
  const invoker = createAsyncInvoker({
    host: { invoke, functionArn },
    configOf: () => ({ ...DEFAULT_ASYNC_CONFIG, ...config }),
    send: (destinationArn, body) => {
      sent.push({ destinationArn, record: JSON.parse(body) });
      return Promise.resolve();
    },
    delayScale: 0,
    onError: (error) => errors.push(error.message),
    ...options,
  });
  return { ...invoker, attempts, startTimes, sent, errors, peak: () => peak };
}

function thrownBy(action: () => unknown): AwsError {
  try {
    action();
  } catch (error) {
    return error as AwsError;
  }
  throw new Error("Nothing was thrown.");
}

describe("asynchronous invocations", () => {
  it("runs an accepted event once when all is well", async () => {
    const queue = setUp([]);

    const { requestId } = queue.invoke("record", { Records: [1] });
    expect(queue.pending()).to.equal(1);
    await queue.idle();

    expect(queue.attempts).to.deep.equal([{ requestId, payload: { Records: [1] } }]);
    expect([queue.pending(), queue.sent, queue.errors]).to.deep.equal([0, [], []]);
  });

  it("retries a failed event under the same request id", async () => {
    const queue = setUp(["fail", "fail"], { onFailureArn: QUEUE_ARN });

    const { requestId } = queue.invoke("record", {});
    await queue.idle();

    expect(queue.attempts.map((attempt) => attempt.requestId)).to.deep.equal([
      requestId,
      requestId,
      requestId,
    ]);
    expect(queue.sent).to.deep.equal([]);
  });

  it("waits one and then two minutes, times the scale", async () => {
    let shortest = Infinity;

    // A busy machine may hold up any one of them.
    for (let run = 0; run < 20 && shortest > 115; run += 1) {
      const queue = setUp(["fail", "fail"], {}, { delayScale: 0.001 });
      queue.invoke("record", {});
      await queue.idle();

      const [first = 0, second = 0, third = 0] = queue.startTimes;
      // A timer may fire a millisecond early.
      expect(second - first).to.be.at.least(58);
      expect(third - second).to.be.at.least(118);
      shortest = Math.min(shortest, second - first);
    }

    expect(shortest).to.be.at.most(115);
  });

  it("sends AWS's record to the on-failure destination when the retries are used up", async () => {
    const queue = setUp(["fail", "fail", "fail"], { onFailureArn: QUEUE_ARN });

    const { requestId } = queue.invoke("record", { Records: [1] });
    await queue.idle();

    expect(queue.sent).to.have.length(1);
    const { timestamp, ...record } = queue.sent[0]?.record as Record<string, unknown>;
    expect(timestamp).to.match(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    expect(queue.sent[0]?.destinationArn).to.equal(QUEUE_ARN);
    expect(record).to.deep.equal({
      version: "1.0",
      requestContext: {
        requestId,
        functionArn: `${FUNCTION_ARN}:$LATEST`,
        condition: "RetriesExhausted",
        approximateInvokeCount: 3,
      },
      requestPayload: { Records: [1] },
      responseContext: { statusCode: 200, executedVersion: "$LATEST", functionError: "Unhandled" },
      responsePayload: FAILURE,
    });
    expect(queue.errors).to.deep.equal([]);
  });

  it("discards an event that is too old for its next attempt", async () => {
    const queue = setUp(["fail", "fail", "fail"], {
      maximumEventAgeSeconds: 90,
      onFailureArn: QUEUE_ARN,
    });

    queue.invoke("record", {});
    await queue.idle();

    expect(queue.attempts).to.have.length(2);
    expect(queue.sent[0]?.record).to.have.nested.include({
      "requestContext.condition": "EventAgeExceeded",
      "requestContext.approximateInvokeCount": 2,
    });
  });

  it("reports an event that is dropped because it has no destination", async () => {
    const queue = setUp(["fail"], { maximumRetryAttempts: 0 });

    const { requestId } = queue.invoke("record", {});
    await queue.idle();

    expect(queue.attempts).to.have.length(1);
    expect(queue.errors).to.have.length(1);
    expect(queue.errors[0]).to.include(requestId).and.include("no table");
  });

  it("retries a refused event without counting an attempt", async () => {
    const throttled = new AwsError("TooManyRequestsException", 429, "Rate Exceeded");
    const queue = setUp([throttled, throttled, throttled, "ok"], { maximumRetryAttempts: 0 });

    queue.invoke("record", {});
    await queue.idle();

    expect(queue.attempts).to.have.length(1);
    expect(queue.errors).to.have.length(3);
    expect(queue.errors[0]).to.include("Rate Exceeded");
  });

  it("retries the delivery of a record, and reports a lost one", async () => {
    let refusals = 0;
    const sent: string[] = [];
    const send = (_arn: string, body: string): Promise<void> => {
      if (refusals-- > 0) {
        return Promise.reject(new Error("queue is away"));
      }
      sent.push(body);
      return Promise.resolve();
    };
    const config = { maximumRetryAttempts: 0, onFailureArn: QUEUE_ARN };
    const queue = setUp(["fail", "fail"], config, { send });

    refusals = 4;
    queue.invoke("record", {});
    await queue.idle();
    expect([sent.length, queue.errors.length]).to.deep.equal([1, 0]);

    refusals = 5;
    queue.invoke("record", {});
    await queue.idle();
    expect(sent).to.have.length(1);
    expect(queue.errors[0]).to.include("queue is away");
  });

  it("runs a burst in order, a few events at a time", async () => {
    const queue = setUp([], {}, { maxConcurrency: 3 });

    for (let n = 0; n < 100; n++) {
      queue.invoke("record", { n });
    }
    await queue.idle();

    expect(queue.attempts.map(({ payload }) => (payload as { n: number }).n)).to.deep.equal(
      Array.from({ length: 100 }, (_, n) => n),
    );
    expect(queue.peak()).to.equal(3);
  });

  it("refuses unknown functions, payloads that are not JSON, and payloads above 1 MiB", () => {
    const queue = setUp([]);
    const event = (bytes: number): string => JSON.stringify("x".repeat(bytes - 2));

    queue.invoke("record", event(1_048_576));
    const tooLarge = thrownBy(() => queue.invoke("record", event(1_048_577)));
    const unknown = thrownBy(() => queue.invoke("nobody", {}));
    const invalid = thrownBy(() => queue.invoke("record", "{"));
    queue.close();
    const late = thrownBy(() => queue.invoke("record", {}));

    expect([tooLarge.code, tooLarge.status]).to.deep.equal(["RequestEntityTooLargeException", 413]);
    expect([unknown.status, invalid.status, late.status]).to.deep.equal([404, 400, 503]);
  });

  it("reports how many events are lost when it closes without a journal", () => {
    const queue = setUp(["hang"]);
    queue.invoke("record", {});

    queue.close();

    expect(queue.errors).to.deep.equal(["1 asynchronous invocations still pending were dropped."]);
  });

  it("works with a real host, whose function fails once", async () => {
    const host = createTestHost();
    const name = await host.create(
      "let calls = 0; exports.handler = async () => { if (++calls === 1) throw new Error('once'); };",
    );
    const queue = setUp([], {}, { host });

    const { requestId } = queue.invoke(name, {});
    await queue.idle();
    await host.dispose();

    expect(
      host.reports.map((report) => [report.requestId, report.outcome, report.async]),
    ).to.deep.equal([
      [requestId, "error", true],
      [requestId, "ok", true],
    ]);
  });
});

describe("asynchronous invocations: journal", () => {
  let journalDir: string;
  let file: string;
  beforeEach(() => {
    journalDir = mkdtempSync(join(tmpdir(), "lambda-journal-"));
    file = join(journalDir, "events.jsonl");
  });
  afterEach(() => {
    rmSync(journalDir, { recursive: true });
  });

  it("resumes accepted, unfinished events after a crash, and nothing else", async () => {
    const crashed = setUp(["ok", "hang", "hang"], {}, { journalDir, maxConcurrency: 1 });
    crashed.invoke("record", { n: 1 });
    const second = crashed.invoke("record", { n: 2 });
    const third = crashed.invoke("record", { n: 3 });
    await until(() => crashed.attempts.length === 2);

    const queue = setUp([], {}, { journalDir });
    expect([queue.pending(), queue.attempts]).to.deep.equal([2, []]);
    queue.resume();
    await queue.idle();

    expect(queue.attempts).to.deep.equal([
      { ...second, payload: { n: 2 } },
      { ...third, payload: { n: 3 } },
    ]);
    expect(queue.errors).to.deep.equal([]);
    expect(setUp([], {}, { journalDir }).pending()).to.equal(0);
  });

  it("resumes attempt count and backoff of a crashed process", async () => {
    const config = { maximumRetryAttempts: 1, onFailureArn: QUEUE_ARN };
    const crashed = setUp(["fail"], config, { journalDir, delayScale: 0.001 });
    crashed.invoke("record", {});
    await until(() => readFileSync(file, "utf8").includes('"attempts":1'));
    crashed.close();
    const lastLine = readFileSync(file, "utf8").trimEnd().split("\n").at(-1) ?? "";
    const { saved } = JSON.parse(lastLine) as { saved: { notBefore: number } };

    const queue = setUp(["fail"], config, { journalDir });
    queue.resume();
    await queue.idle();

    expect(queue.attempts).to.have.length(1);
    // A timer may be a millisecond early.
    const startedAt = performance.timeOrigin + (queue.startTimes[0] ?? 0);
    expect(startedAt).to.be.at.least(saved.notBefore - 2);
    expect(queue.sent[0]?.record).to.have.nested.include({
      "requestContext.approximateInvokeCount": 2,
    });
  });

  it("delivers the record that the crashed process did not, without another attempt", async () => {
    const config = { maximumRetryAttempts: 0, onFailureArn: QUEUE_ARN };
    const send = (): Promise<void> => new Promise(() => undefined);
    const crashed = setUp(["fail"], config, { journalDir, send });
    crashed.invoke("record", {});
    await until(() => readFileSync(file, "utf8").includes('"attempts":1'));

    const queue = setUp([], config, { journalDir });
    queue.resume();
    await queue.idle();

    expect([queue.attempts.length, queue.sent.length]).to.deep.equal([0, 1]);
  });

  it("reports a torn last line or an unparsable record, and keeps the rest", async () => {
    const crashed = setUp(["hang"], {}, { journalDir });
    const { requestId } = crashed.invoke("record", {});
    appendFileSync(file, 'rubbish\n{"saved":{"requ');

    const queue = setUp([], {}, { journalDir });
    queue.resume();
    await queue.idle();

    expect(queue.attempts.map((attempt) => attempt.requestId)).to.deep.equal([requestId]);
    expect(queue.errors).to.have.length(2);
    expect(queue.errors[0]).to.include("events.jsonl:2: unparsable record skipped");
    expect(queue.errors[1]).to.include("incomplete last line");
    expect(setUp([], {}, { journalDir }).errors).to.deep.equal([]);
  });

  it("drops and reports an event whose function does not exist any more", async () => {
    const crashed = setUp(["hang"], {}, { journalDir });
    crashed.invoke("record", {});

    const gone = new AwsError("ResourceNotFoundException", 404, "Function not found");
    const queue = setUp([gone], {}, { journalDir });
    queue.resume();
    await queue.idle();

    expect(queue.errors[0]).to.include("is dropped: Function not found");
  });

  it("does not grow without limit", async () => {
    const queue = setUp([], {}, { journalDir });

    queue.invoke("record", { text: "x".repeat(1_000_000) });
    await queue.idle();

    expect(statSync(file).size).to.equal(0);
  });
});
