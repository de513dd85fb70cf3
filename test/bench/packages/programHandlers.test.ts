import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { expect } from "chai";
import { type Endpoint, startEndpoint } from "../../../bench/packages/endpoint";
import { measureStart, type NodeFlags, writeMeasure } from "../../../bench/packages/measureStart";
import { type ProgramHandler, programHandlers } from "../../../bench/packages/programHandlers";
import { unpackAll, type Unpacked } from "../../../bench/packages/variants";
import { ofType, recordProgram } from "../../../testing/recordingMocks";

describe("The packages that the bench measures", () => {
  let handlers: ProgramHandler[];
  let endpoint: Endpoint;
  let folder: string;
  let measure: string;

  before(async function () {
    // A whole program, serialized and bundled: on a busy machine, minutes.
    this.timeout(600_000);
    handlers = await programHandlers();
    endpoint = await startEndpoint();
    folder = await mkdtemp(path.join(tmpdir(), "bench-packages-"));
    measure = await writeMeasure(folder);
  });

  after(async () => {
    (endpoint as Endpoint | undefined)?.close();
    await rm(folder, { recursive: true, force: true });
  });

  function handlerOf(name: string): ProgramHandler {
    const handler = handlers.find((each) => each.name === name);
    if (!handler) {
      throw new Error(`There is no handler ${name}.`);
    }
    return handler;
  }

  it("are those of every Lambda of the program, with its variables", async () => {
    const lambdas = ofType(await recordProgram(), "Function").map(({ name }) => name);

    expect(handlers.map(({ name }) => name)).to.have.members(lambdas);
    for (const { name, bundle, variables, callback } of handlers) {
      expect(bundle.length, name).to.be.greaterThan(1000);
      expect(variables, name).to.have.property("TABLE_NAME");
      expect(callback.text, name).to.include("exports.handler");
      expect(Object.keys(callback.folders), name)
        .to.include("node_modules/@aws-sdk/client-s3")
        .and.not.to.include("node_modules/esbuild");
    }
  });

  it("get a sample event of their trigger", () => {
    const recordOf = (name: string) =>
      (handlerOf(name).event as { Records: Record<string, unknown>[] }).Records[0];

    expect(handlerOf("upload").event).to.include({ httpMethod: "POST", path: "/upload" });
    // Of the API, not of its page.
    expect(handlerOf("manager").event).to.include({ httpMethod: "GET", path: "/events" });
    expect(recordOf("record")).to.include({ eventSource: "aws:s3" });
    expect(recordOf("process")).to.have.nested.property(
      "dynamodb.NewImage.event_status.S",
      "uploaded",
    );
    expect(recordOf("notify")).to.have.nested.property(
      "dynamodb.NewImage.event_status.S",
      "processed",
    );
    expect(handlerOf("sweep").event).to.include({ source: "aws.events" });
  });

  it("have the same outcome in each variant, in a process of their own", async () => {
    const root = await mkdtemp(path.join(folder, "all-"));
    const record = handlerOf("record");

    const unpacked = await unpackAll(root, [record]);

    expect(unpacked.map(({ variant }) => variant)).to.have.members([
      "ours",
      "callback",
      "runtime-sdk",
      "empty",
    ]);
    for (const each of unpacked) {
      for (const flags of ["none", "lambda"] as const) {
        const { start, outcome } = await measureStart(measure, record, each, endpoint, flags);
        const calls = each.variant === "empty" ? [] : ["TransactWriteItems"];
        expect(outcome, each.variant).to.deep.equal({ error: "", statusCode: undefined, calls });
        expect(start.cpuMs, each.variant).to.be.greaterThan(0);
        expect(start.wallMs, each.variant).to.be.greaterThan(0);
      }
    }
  });

  it("start Node with the flags and the memory of the Lambda's runtime, or with none", async () => {
    const printsFlags = await packageOf(
      "exports.handler = async () => ({ statusCode: process.execArgv });",
    );
    const statusOf = async (flags: NodeFlags) => {
      const record = handlerOf("record");
      return (await measureStart(measure, record, printsFlags, endpoint, flags)).outcome.statusCode;
    };

    expect(await statusOf("none")).to.deep.equal([]);
    expect(await statusOf("lambda")).to.deep.equal([
      "--expose-gc",
      "--max-semi-space-size=12",
      "--max-old-space-size=230",
    ]);
  });

  async function packageOf(text: string): Promise<Unpacked> {
    const entry = path.join(await mkdtemp(path.join(folder, "one-")), "index.js");
    await writeFile(entry, text);
    return { handler: "any", variant: "ours", entry, bytes: 1, zipBytes: 1, files: 1 };
  }

  it("may fail, which is reported, and may write to standard output", async () => {
    const throws = await packageOf(
      'exports.handler = async () => { console.log("{}"); throw new RangeError("no"); };',
    );

    const { outcome } = await measureStart(measure, handlerOf("record"), throws, endpoint, "none");

    expect(outcome).to.deep.equal({ error: "RangeError", statusCode: undefined, calls: [] });
  });

  it("are refused when they cannot be loaded, with the reason", async () => {
    const broken = await packageOf('require("no-such-package");');

    const start = measureStart(measure, handlerOf("record"), broken, endpoint, "none");
    const error = await start.then(
      () => undefined,
      (thrown: unknown) => thrown as Error,
    );

    expect(error?.message).to.include("no-such-package");
  });
});
