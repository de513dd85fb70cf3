import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { promisify } from "node:util";
import { expect } from "chai";
import { DEFAULTS } from "../config";
import { startRun } from "../local/run";
import {
  ACCOUNT_ID,
  bundlesOf,
  filesOf,
  ofType,
  only,
  OTHER_SETTINGS,
  type Recording,
  recordProgram,
  REGION,
} from "./recordingMocks";

/** The largest has some 580,000: room for updates, but not for a package that came in whole. */
const MAX_BUNDLE_BYTES = 650_000;

/**
 * Runs in a folder that holds nothing but itself and the bundle. Loads the bundle without each of
 * its environment variables in turn, then with all of them, and invokes it event by event.
 */
const RUNNER = `
const { readFileSync, writeFileSync } = require("node:fs");
const { variables, events } = JSON.parse(readFileSync("input.json", "utf8"));
const loadErrors = {};
for (const name of variables) {
  const value = process.env[name];
  delete process.env[name];
  try {
    require("./index.js");
  } catch (error) {
    loadErrors[name] = error.message;
  }
  delete require.cache[require.resolve("./index.js")];
  process.env[name] = value;
}
const bundle = require("./index.js");
const invoke = async (event) => {
  const promise = bundle.handler(event, { getRemainingTimeInMillis: () => 120_000 });
  const answer = await promise;
  return { async: promise instanceof Promise, answer };
};
(async () => {
  const results = [];
  for (const event of events) {
    results.push(await invoke(event).catch((error) => ({ error: String(error.stack) })));
  }
  const exports = Object.keys(bundle);
  writeFileSync("output.json", JSON.stringify({ exports, loadErrors, results }));
})();
`;

interface Output {
  exports: string[];
  /** By the variable that was missing. */
  loadErrors: Record<string, string>;
  /** One for each event. */
  results: { async?: boolean; answer?: unknown; error?: string }[];
}

interface Call {
  /** The access key that signed it. */
  accessKeyId: string;
  /** The DynamoDB or SNS action, or the S3 method. */
  action: string;
  url: string;
  body: string;
}

const SAMPLE = path.join(__dirname, "..", "sample.jpg");

/** A row's image in a stream record of DynamoDB. */
function streamRecord(status: string, info: object, sequenceNumber: string) {
  return {
    eventName: "INSERT",
    dynamodb: {
      // In the future: nobody can have told of it before.
      ApproximateCreationDateTime: Math.ceil(Date.now() / 1000) + 60,
      SequenceNumber: sequenceNumber,
      NewImage: {
        event_id: { S: `event-${sequenceNumber}` },
        event_timestamp: { S: "2026-11-30T00:00:00.000Z" },
        event_status: { S: status },
        event_info: { S: JSON.stringify({ Bucket: "a-bucket", ...info }) },
      },
    },
  };
}

function uploadOf(body: string) {
  return {
    httpMethod: "POST",
    headers: { "Content-Type": "text/plain" },
    queryStringParameters: { filename: "hello.txt" },
    body: Buffer.from(body).toString("base64"),
    isBase64Encoded: true,
    requestContext: { requestId: "a-request" },
  };
}

const NO_RECORDS = { Records: [] };

/** For each Lambda: an event with nothing in it, and then one that has it call AWS. */
const EVENTS: Record<string, unknown[]> = {
  upload: [uploadOf(""), uploadOf("hello")],
  record: [
    NO_RECORDS,
    {
      Records: [
        {
          eventTime: "2026-11-30T00:00:00.000Z",
          s3: {
            bucket: { name: "a-bucket" },
            object: { key: "a+b.txt", size: 5, eTag: "e", sequencer: "1" },
          },
        },
      ],
    },
  ],
  process: [
    NO_RECORDS,
    {
      Records: [
        streamRecord("uploaded", { Key: "sample.jpg", Checksum: "c0ffee" }, "1"),
        streamRecord("created", { Key: "empty" }, "2"),
      ],
    },
  ],
  notify: [NO_RECORDS, { Records: [streamRecord("processed", { Key: "sample.jpg" }, "3")] }],
  sweep: [{ "detail-type": "Scheduled Event", source: "aws.events" }],
};

/** A `processed` row for each key that is asked for. */
function processedRows(body: string): Record<string, object[]> {
  const { RequestItems } = JSON.parse(body) as { RequestItems: Record<string, { Keys: object[] }> };
  const tables = Object.entries(RequestItems).map(([tableName, { Keys }]) => [
    tableName,
    Keys.map((key) => ({ ...key, event_status: { S: "processed" } })),
  ]);
  return Object.fromEntries(tables) as Record<string, object[]>;
}

/** S3, DynamoDB, SNS and SQS, as far as these events need them. */
function answer(call: Call, sample: Buffer, response: ServerResponse): void {
  if (call.action === "Publish") {
    response.setHeader("content-type", "text/xml");
    response.end(
      "<PublishResponse><PublishResult><MessageId>m</MessageId></PublishResult></PublishResponse>",
    );
  } else if (call.action === "GET" && call.url.startsWith("/a-bucket/sample.jpg")) {
    const length = Math.min(sample.length, 64 * 1024);
    response.writeHead(206, {
      "content-type": "image/jpeg",
      "content-range": `bytes 0-${length - 1}/${sample.length}`,
    });
    response.end(sample.subarray(0, length));
  } else if (call.url.includes("list-type=2")) {
    response.setHeader("content-type", "application/xml");
    response.end("<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>");
  } else if (call.action === "GET") {
    response.writeHead(416, { "content-type": "application/xml" });
    response.end("<Error><Code>InvalidRange</Code><Message>No such range</Message></Error>");
  } else if (call.action === "BatchGetItem") {
    response.setHeader("content-type", "application/x-amz-json-1.0");
    response.end(JSON.stringify({ Responses: processedRows(call.body) }));
  } else if (call.action === "HEAD") {
    response.setHeader("content-type", "text/csv");
    response.end();
  } else {
    response.setHeader("content-type", "application/x-amz-json-1.0");
    response.end(call.action === "PUT" ? "" : "{}");
  }
}

async function readCall(request: IncomingMessage): Promise<Call> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) {
    chunks.push(chunk as Buffer);
  }
  const body = Buffer.concat(chunks).toString("utf8");
  const target = request.headers["x-amz-target"];
  return {
    accessKeyId: /Credential=([^/]+)\//.exec(request.headers.authorization ?? "")?.[1] ?? "",
    action:
      (typeof target === "string" ? target.split(".")[1] : /Action=(\w+)/.exec(body)?.[1]) ??
      request.method ??
      "",
    url: request.url ?? "",
    body,
  };
}

describe("The bundles", () => {
  const calls: Call[] = [];
  const outputs = new Map<string, Output>();
  let recording: Recording;
  let bundles: Map<string, string>;
  let folder: string;
  let server: Server;

  before(async () => {
    recording = await recordProgram();
    bundles = await bundlesOf(recording);
    folder = await mkdtemp(path.join(tmpdir(), "bundles-"));
    const sample = await readFile(SAMPLE);
    server = createServer((request, response) => {
      void readCall(request).then((call) => {
        calls.push(call);
        answer(call, sample, response);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    await Promise.all([...bundles.keys()].map(runBundle));
  });

  after(async () => {
    server.closeAllConnections();
    server.close();
    await rm(folder, { recursive: true, force: true });
  });

  function variablesOf(name: string): Record<string, string> {
    const { environment } = only(recording, "Function", name).inputs;
    return (environment as { variables: Record<string, string> }).variables;
  }

  async function runBundle(name: string): Promise<void> {
    const cwd = await mkdtemp(path.join(folder, `${name}-`));
    const variables = variablesOf(name);
    const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    // A queue's URL says by itself where the queue is.
    const queue = variables.DEAD_LETTER_QUEUE_URL?.replace(/^https:\/\/[^/]+/, endpoint);
    const input = { variables: Object.keys(variables), events: EVENTS[name] };
    await writeFile(path.join(cwd, "index.js"), bundles.get(name) ?? "");
    await writeFile(path.join(cwd, "input.json"), JSON.stringify(input));
    await writeFile(path.join(cwd, "runner.js"), RUNNER);
    await promisify(execFile)(process.execPath, ["runner.js"], {
      cwd,
      timeout: 15_000,
      env: {
        ...variables,
        ...(queue && { DEAD_LETTER_QUEUE_URL: queue }),
        AWS_REGION: REGION,
        AWS_ACCESS_KEY_ID: name,
        AWS_SECRET_ACCESS_KEY: "a-secret",
        AWS_ENDPOINT_URL: endpoint,
        // Not on AWS. Without it the SDK would read the .aws folder of whoever runs this.
        HOME: cwd,
      },
    });
    const output = await readFile(path.join(cwd, "output.json"), "utf8");
    outputs.set(name, JSON.parse(output) as Output);
  }

  function outputOf(name: string): Output {
    const output = outputs.get(name);
    if (!output) {
      throw new Error(`The bundle of ${name} did not run.`);
    }
    return output;
  }

  function callsOf(name: string): Call[] {
    return calls.filter(({ accessKeyId }) => accessKeyId === name);
  }

  function actionsOf(name: string): string[] {
    return callsOf(name).map(({ action }) => action);
  }

  for (const name of Object.keys(EVENTS)) {
    it(`${name}: is one file, small enough for a fast start`, async () => {
      const files = await filesOf(only(recording, "Function", name));
      expect(Object.keys(files)).to.deep.equal(["index.js"]);
      expect(Buffer.byteLength(bundles.get(name) ?? "")).to.be.within(1_000, MAX_BUNDLE_BYTES);
    });

    it(`${name}: loads with no package near it, and exports an async handler`, () => {
      const { exports, results } = outputOf(name);
      expect(exports).to.deep.equal(["handler"]);
      expect(results.map((result) => result.error)).to.deep.equal(results.map(() => undefined));
      expect(results.map((result) => result.async)).to.deep.equal(results.map(() => true));
    });

    it(`${name}: does not load without its settings, and names the one that is missing`, () => {
      const messages = Object.keys(variablesOf(name)).map((variable) => [
        variable,
        `The environment variable ${variable} is not set.`,
      ]);
      expect(outputOf(name).loadErrors).to.deep.equal(Object.fromEntries(messages));
    });
  }

  it("upload: refuses an empty body without a call, then stores a file and its row", () => {
    const [refused, stored] = outputOf("upload").results;
    expect(refused?.answer).to.include({ statusCode: 400 });
    expect(refused?.answer).to.have.property("body").that.includes('"empty_body"');
    expect(stored?.answer).to.include({ statusCode: 201 });
    const [put, row] = callsOf("upload");
    expect(actionsOf("upload")).to.deep.equal(["PUT", "PutItem"]);
    expect(put?.url).to.match(/^\/uploads-1a2b3c4\/uploads\/.*\/hello\.txt/);
    expect(put?.body).to.equal("hello");
    expect(JSON.parse(row?.body ?? "")).to.deep.include({ TableName: "events-1a2b3c4" });
  });

  it("record: does nothing for no records, then writes a row of the decoded key", () => {
    const [row] = callsOf("record");
    expect(actionsOf("record")).to.deep.equal(["PutItem"]);
    const { Item: item } = JSON.parse(row?.body ?? "") as {
      Item: Record<string, { S: string }>;
    };
    expect(item.event_status).to.deep.equal({ S: "created" });
    expect(JSON.parse(item.event_info?.S ?? "")).to.include({ Bucket: "a-bucket", Key: "a b.txt" });
  });

  it("process: does nothing for no records, then finds out what files are, empty ones too", () => {
    const { results } = outputOf("process");
    const success = { batchItemFailures: [] };
    expect(results.map((result) => result.answer)).to.deep.equal([success, success]);
    const updates = callsOf("process").filter(({ action }) => action === "UpdateItem");
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

  it("notify: does nothing for no records, then tells of a file and writes its status", () => {
    const { results } = outputOf("notify");
    const success = { batchItemFailures: [] };
    expect(results.map((result) => result.answer)).to.deep.equal([success, success]);
    expect(actionsOf("notify")).to.deep.equal(["BatchGetItem", "Publish", "UpdateItem"]);
    const publish = new URLSearchParams(callsOf("notify")[1]?.body);
    expect(publish.get("TopicArn")).to.equal(variablesOf("notify").TOPIC_ARN);
    expect(publish.get("Subject")).to.include("sample.jpg");
  });

  it("sweep: asks for stuck events, for uploads and for dead letters, and finds none", () => {
    const sweeps = callsOf("sweep");
    expect(new Set(actionsOf("sweep"))).to.deep.equal(new Set(["Query", "GET", "ReceiveMessage"]));
    const listing = sweeps.find(({ action }) => action === "GET");
    expect(listing?.url).to.match(/^\/uploads-1a2b3c4\/?\?.*prefix=uploads/);
    const receive = sweeps.find(({ action }) => action === "ReceiveMessage");
    expect(receive?.body).to.include("dead-letters-1a2b3c4");
  });

  it("hold nothing of the deployment: no account, ARN, URL, address or secret", () => {
    const { email } = DEFAULTS;
    const traces = [ACCOUNT_ID, "1a2b3c4", "api1234567", "execute-api", email, "s3-uploader-test"];
    for (const [name, text] of bundles) {
      for (const trace of traces) {
        expect(text.includes(trace), `${name} holds "${trace}"`).to.equal(false);
      }
      expect(/arn:aws:[a-z0-9-]+:[a-z0-9-]*:\d{12}/.exec(text), name).to.equal(null);
      expect(/\b(AKIA|ASIA)[A-Z0-9]{16}\b/.exec(text), name).to.equal(null);
      expect(/[\w.+-]+@[\w-]+\.(com|net|org|io)\b/.exec(text), name).to.equal(null);
    }
  });

  it("hold nothing of this machine", () => {
    for (const [name, text] of bundles) {
      for (const place of [path.resolve(__dirname, ".."), tmpdir(), "node_modules"]) {
        expect(text.includes(place), `${name} holds "${place}"`).to.equal(false);
      }
    }
  });

  it("stay as they are when settings change", async () => {
    expect(await bundlesOf(await recordProgram(OTHER_SETTINGS))).to.deep.equal(bundles);
  });

  it("are, byte for byte, what the local run unpacks and runs", async () => {
    const run = await startRun({ port: 0 });
    try {
      // Where the run keeps what is temporary: mails and the Lambdas' code.
      const lambdas = path.join(path.dirname(run.mailDir), "lambda");
      const unpacked = new Map<string, string>();
      for (const functionName of await readdir(lambdas)) {
        const name = /^(\w+)-[0-9a-f]{7}$/.exec(functionName)?.[1];
        if (name !== undefined) {
          const file = path.join(lambdas, functionName, "index.js");
          unpacked.set(name, await readFile(file, "utf8"));
          expect(await readdir(path.dirname(file))).to.deep.equal(["index.js"]);
        }
      }
      expect(unpacked).to.deep.equal(bundles);
      expect(unpacked.size).to.equal(ofType(recording, "Function").length);
    } finally {
      await run.stop();
    }
  });
});
