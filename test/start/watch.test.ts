import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { fileURLToPath } from "node:url";
import { decode } from "@jridgewell/sourcemap-codec";
import { expect } from "chai";
import { copyProgram } from "../../testing/copyProgram";
import { type Line, type Runner, startRunner } from "../../testing/startProcess";
import { attach } from "./debuggerClient";

interface Ready extends Line {
  outputs: Record<string, string>;
  inspect: { function: string; port: number };
}

interface Script {
  scriptId: string;
  url: string;
  sourceMapURL: string;
}

/** What a debugger's client makes of a bundle's source map. */
function readMap(script: Script, source: string) {
  const code = readFileSync(fileURLToPath(script.url), "utf8").split("\n");
  const map = JSON.parse(readFileSync(fileURLToPath(script.sourceMapURL), "utf8")) as {
    sources: string[];
    names: string[];
    mappings: string;
  };
  const segments = decode(map.mappings).flatMap((line, lineNumber) =>
    line
      .filter((segment) => segment[1] === map.sources.indexOf(source))
      .map(([columnNumber, , sourceLine, , name = -1]) => ({
        place: { lineNumber, columnNumber },
        sourceLine,
        name: map.names[name],
      })),
  );
  return {
    /** Where V8 has the code of a line, from 0. */
    placeOf: (line: number) => segments.find(({ sourceLine }) => sourceLine === line)?.place,
    /** What minification has made of a variable. */
    variable(name: string): string | undefined {
      const { place } = segments.find((segment) => segment.name === name) ?? {};
      return place && /^\w+/.exec(code[place.lineNumber]?.slice(place.columnNumber) ?? "")?.[0];
    },
  };
}

/** A user's own processing: its file is saved in other versions while the program runs. */
const PROCESSING = `import type { EventResult } from "../../events/event";
import type { StoredFile } from "./storedFile";

export async function inspectFile(file: StoredFile): Promise<EventResult> {
  const { size } = await file.read(0, 1);
  return { size, type: "text/first" };
}
`;

/** One run of a copy of the program for all cases, which come in order. */
describe("npm start -- --watch", function () {
  this.timeout(120_000);

  let program: string;
  let runner: Runner;
  let ready: Ready;
  let seen = 0;

  const processing = () => path.join(program, "handlers", "process", "inspectFile.ts");

  before(async () => {
    program = mkdtempSync(path.join(realpathSync(tmpdir()), "s3-uploader-watch-"));
    copyProgram(program);
    writeFileSync(processing(), PROCESSING);
    runner = startRunner(["--port", "0", "--json", "--watch", "--inspect", "process"], program);
    ready = (await runner.json(({ type }) => type === "ready")) as Ready;
  });

  after(async () => {
    await runner.dispose();
    rmSync(program, { recursive: true, force: true });
  });

  /** The next reload, or failed one, since the last call. */
  async function reloaded(): Promise<Line> {
    const lines = () =>
      runner.lines
        .map((line) => JSON.parse(line) as Line)
        .filter(({ type }) => type === "reload" || type === "reloadFailed");
    await runner.json(() => lines().length > seen);
    return lines()[seen++] ?? { type: "none" };
  }

  /** Uploads a file and returns the event at its end: processed, or failed. */
  async function processed(name: string): Promise<Line> {
    const response = await fetch(`${ready.outputs.uploadUrl ?? ""}?filename=${name}`, {
      method: "POST",
      headers: { "content-type": "text/plain" },
      body: "text",
    });
    const { event_id } = (await response.json()) as { event_id: string };
    return runner.json(
      (line) =>
        line.type === "status" &&
        line.event_id === event_id &&
        ["processed", "failed"].includes(String(line.event_status)),
    );
  }

  const save = (text: string) => {
    writeFileSync(processing(), text);
  };

  it("serves a saved change of one Lambda, and keeps the others and the rows", async () => {
    expect((await processed("before.txt")).event_result).to.include({ type: "text/first" });

    save(PROCESSING.replace("text/first", "text/second"));

    expect(await reloaded()).to.deep.include({ functions: ["process"], restartFor: [] });
    expect((await processed("after.txt")).event_result).to.include({ type: "text/second" });
    const listed = await fetch(`${ready.outputs.managerUrl ?? ""}/events?status=notified`, {
      headers: { "x-api-key": ready.outputs.managerApiKey ?? "" },
    });
    expect(await listed.text()).to.contain("before.txt");
  });

  it("keeps the old code where the new does not compile, and names file and line", async () => {
    save(PROCESSING.replace("return {", "return {{"));

    const { type, message } = await reloaded();
    expect(type).to.equal("reloadFailed");
    expect(message).to.match(/^handlers\/process\/inspectFile\.ts:6:\d+: \S/);
    expect(String(message).split("\n").length).to.be.lessThan(4);
    expect((await processed("kept.txt")).event_result).to.include({ type: "text/second" });
  });

  it("names the file that is missing, and no line of Node's own", async () => {
    const away = `${processing()}.away`;
    renameSync(processing(), away);

    const { type, message } = await reloaded();
    expect(type).to.equal("reloadFailed");
    expect(message)
      .to.match(/inspectFile/)
      .and.not.contain("node:");

    renameSync(away, processing());
    await reloaded();
  });

  it("keeps the old code where the new cannot be serialized, and says what it captures", async () => {
    const index = path.join(program, "index.ts");
    const text = readFileSync(index, "utf8");
    const captures = "processHandler((file) => inspectFile(seen.get(file) ?? file))(environment)";
    const changed = text.replace("processHandler(inspectFile)(environment)", captures);
    writeFileSync(index, `${changed}\nconst seen = new Map();\n`);

    const { message } = await reloaded();
    expect(message)
      .to.match(
        /^index\.ts: The callback of Lambda "process" cannot be packed: .*captures "seen": a Map/,
      )
      .and.contain("Capture functions and plain data only");
    expect(String(message).split("\n").length).to.be.lessThan(6);

    writeFileSync(index, text);
    await reloaded();
  });

  it("serves a handler that keeps something between events", async () => {
    save(`const seen = new Map();\n${PROCESSING.replace("size, type", "size: seen.size, type")}`);

    expect(await reloaded()).to.deep.include({ functions: ["process"] });
    expect((await processed("state.txt")).event_result).to.include({ size: 0 });
  });

  it("does not serve a file without the export that is imported", async () => {
    save(PROCESSING.replace("function inspectFile", "function inspectFiles"));

    const { message } = await reloaded();
    expect(message).to.match(
      /^index\.ts: .*No matching export in "handlers\/process\/inspectFile\.ts"/,
    );
  });

  it("serves a new file that an import means from now on", async () => {
    const folder = path.join(program, "handlers", "process", "name");
    mkdirSync(folder);
    writeFileSync(path.join(folder, "index.ts"), 'export const NAME = "text/folder";\n');
    const imports = `import { NAME } from "./name";\n${PROCESSING}`;
    save(imports.replace('"text/first"', "NAME"));
    await reloaded();
    expect((await processed("folder.txt")).event_result).to.include({ type: "text/folder" });

    writeFileSync(`${folder}.ts`, 'export const NAME = "text/file";\n');

    expect(await reloaded()).to.deep.include({ functions: ["process"] });
    expect((await processed("file.txt")).event_result).to.include({ type: "text/file" });
  });

  it("makes one rebuild of quick saves, by an editor's rename, with a file that is new", async () => {
    const folder = path.join(program, "handlers", "process", "types");
    save(PROCESSING.replace("text/first", "text/third"));
    save(PROCESSING.replace("return {", "return {{"));
    mkdirSync(folder);
    writeFileSync(path.join(folder, "type.ts"), 'export const TYPE = "text/fourth";\n');
    writeFileSync(
      `${processing()}.tmp`,
      `import { TYPE } from "./types/type";\n${PROCESSING.replace('"text/first"', "TYPE")}`,
    );
    renameSync(`${processing()}.tmp`, processing());

    expect(await reloaded()).to.deep.include({ type: "reload", functions: ["process"] });
    expect((await processed("fourth.txt")).event_result).to.include({ type: "text/fourth" });
  });

  it("names the TypeScript line of an error that a changed function throws", async () => {
    save(
      PROCESSING.replace(
        "  return {",
        '  if (size > 0) throw new RangeError("Too much");\n  return {',
      ),
    );
    await reloaded();

    const { last_error } = await processed("failing.txt");

    expect(last_error).to.include({ code: "RangeError", message: "Too much" });
    const log = await runner.json(
      ({ type, entry }) => type === "log" && JSON.stringify(entry).includes("Too much"),
    );
    const { error } = (log.entry as { message: { error: { stack: string } } }).message;
    expect(error.stack.split("\n")[1]).to.match(
      /^ {4}at (async )?handlers\/process\/inspectFile\.ts:6:\d+$/,
    );
  });

  it("stops at a breakpoint of a TypeScript line with --inspect, and goes on", async () => {
    save(PROCESSING.replace("text/first", "text/inspected"));
    await reloaded();
    expect(ready.inspect.function).to.equal("process");
    const client = await attach(ready.inspect.port);
    await client.send("Debugger.enable");
    const script = await client.event<Script>("Debugger.scriptParsed", ({ sourceMapURL }) =>
      sourceMapURL.endsWith(".map"),
    );
    const map = readMap(script, "handlers/process/inspectFile.ts");
    const line = PROCESSING.split("\n").findIndex((text) => text.includes("return {"));
    await client.send("Debugger.setBreakpointByUrl", { url: script.url, ...map.placeOf(line) });

    const reached = processed("inspected.txt");
    const { callFrames } = await client.event<{ callFrames: { callFrameId: string }[] }>(
      "Debugger.paused",
    );
    const { result } = await client.send("Debugger.evaluateOnCallFrame", {
      callFrameId: callFrames[0]?.callFrameId,
      expression: map.variable("size"),
    });
    await client.send("Debugger.resume");

    expect(result).to.include({ value: 4 });
    expect((await reached).event_result).to.include({ type: "text/inspected" });
    client.close();
  });

  it("applies settings of a Lambda, and says what needs a restart", async () => {
    const index = path.join(program, "index.ts");
    const text = readFileSync(index, "utf8");
    writeFileSync(
      index,
      `${text.replace(/timeoutSeconds: \d+/, "timeoutSeconds: 21")}
import * as aws from "@pulumi/aws";
new aws.sqs.Queue("more");
`,
    );

    const { functions, restartFor } = await reloaded();

    expect(functions).to.have.lengthOf(1);
    expect(restartFor).to.deep.equal(['aws.sqs.Queue "more"']);
  });

  it("ends on Ctrl-C", async () => {
    runner.process.kill("SIGINT");

    expect(await runner.exited).to.equal(0);
  });
});
