import { expect } from "chai";
import { measurePackages, type StartPackage } from "../../../bench/packages/packages";
import type { ProgramHandler } from "../../../bench/packages/programHandlers";
import { packagesPart } from "../../../bench/packages/tables";
import { type Unpacked, VARIANTS } from "../../../bench/packages/variants";

const PUTS = { error: "", statusCode: 201, calls: ["PUT", "PutItem"] };

function handlerOf(name: string): ProgramHandler {
  const callback = { text: "", folders: {} };
  return { name, bundle: "", memoryMegabytes: 128, variables: {}, event: {}, callback };
}

/** In every variant; the n-th has n * 1000 bytes. */
function unpackedOf(handler: string): Unpacked[] {
  return VARIANTS.map((variant, i) => ({
    handler,
    variant,
    entry: "",
    bytes: (i + 1) * 1000,
    zipBytes: (i + 1) * 100,
    files: 1,
  }));
}

const handlers = [handlerOf("upload"), handlerOf("record")];
const unpacked = handlers.flatMap(({ name }) => unpackedOf(name));

/** Takes the given milliseconds, and 5 more with flags: one list for each variant, an element a repetition. */
function fakeStart(times: Record<string, number[]>) {
  const started: string[] = [];
  const startPackage: StartPackage = ({ name }, { variant }, flags) => {
    const id = `${name} ${variant} ${flags}`;
    const ms = times[variant]?.[started.filter((each) => each === id).length] ?? NaN;
    const wallMs = flags === "lambda" ? ms + 5 : ms;
    started.push(id);
    const outcome = variant === "empty" ? { error: "", calls: [] } : PUTS;
    return Promise.resolve({ start: { wallMs, cpuMs: wallMs * 2 }, outcome });
  };
  return { started, startPackage };
}

const TIMES = {
  ours: [900, 50, 70, 60],
  callback: [900, 90, 120, 150],
  "runtime-sdk": [900, 80, 75, 100],
  empty: [900, 15, 15, 15],
};

const options = { repetitions: 3, progress: () => undefined };

describe("The bench of packages", () => {
  it("starts every package once in each repetition, after one start that is not counted", async () => {
    const { started, startPackage } = fakeStart(TIMES);

    await measurePackages(handlers, unpacked, startPackage, options);

    const round = unpacked.flatMap(({ handler, variant }) => [
      `${handler} ${variant} none`,
      `${handler} ${variant} lambda`,
    ]);
    expect(started).to.deep.equal([...round, ...round, ...round, ...round]);
  });

  it("has the medians of each handler and variant as JSON", async () => {
    const { startPackage } = fakeStart(TIMES);

    const { figures, outcomes } = await measurePackages(handlers, unpacked, startPackage, options);
    const { name, json } = packagesPart(figures, outcomes);

    const figure = { files: 1 };
    const ofHandler = (handler: string) => [
      {
        ...figure,
        handler,
        variant: "ours",
        bytes: 1000,
        zipBytes: 100,
        startMs: 60,
        startCpuMs: 120,
        lambdaStartMs: 65,
        lambdaStartCpuMs: 130,
      },
      {
        ...figure,
        handler,
        variant: "callback",
        bytes: 2000,
        zipBytes: 200,
        startMs: 120,
        startCpuMs: 240,
        lambdaStartMs: 125,
        lambdaStartCpuMs: 250,
      },
      {
        ...figure,
        handler,
        variant: "runtime-sdk",
        bytes: 3000,
        zipBytes: 300,
        startMs: 80,
        startCpuMs: 160,
        lambdaStartMs: 85,
        lambdaStartCpuMs: 170,
      },
      {
        ...figure,
        handler,
        variant: "empty",
        bytes: 4000,
        zipBytes: 400,
        startMs: 15,
        startCpuMs: 30,
        lambdaStartMs: 20,
        lambdaStartCpuMs: 40,
      },
    ];
    expect(name).to.equal("packages");
    expect(json).to.deep.equal([...ofHandler("record"), ...ofHandler("upload")]);
  });

  it("has tables of ratios to ours, savings and outcomes", async () => {
    const { startPackage } = fakeStart(TIMES);

    const { figures, outcomes } = await measurePackages(handlers, unpacked, startPackage, options);
    const [table, savings] = packagesPart(figures, outcomes).sections;

    const withoutFlags = [120, 2, 240, 2];
    const withFlags = [125, 1.92, 250, 1.92];
    expect(table?.rows[1]).to.deep.equal(
      ["record", "callback", 2000, 200, 1].concat(withoutFlags, withFlags),
    );
    expect(table?.columns).to.have.length(13);
    expect(savings?.rows).to.deep.equal([
      ["record", 48, 23.5, "201, calls PUT PutItem"],
      ["upload", 48, 23.5, "201, calls PUT PutItem"],
    ]);
  });

  it("refuses variants of a handler with different outcomes, by name", async () => {
    const { startPackage } = fakeStart(TIMES);
    const withoutRow: StartPackage = async (handler, each, flags) => {
      const { start, outcome } = await startPackage(handler, each, flags);
      const differs = handler.name === "upload" && each.variant === "callback";
      return { start, outcome: differs ? { ...outcome, calls: ["PUT"] } : outcome };
    };

    const error = await measurePackages(handlers, unpacked, withoutRow, options).then(
      () => undefined,
      (thrown: unknown) => thrown as Error,
    );

    expect(error?.message).to.match(/^The variants of "upload" do not do the same: callback /);
  });
});
