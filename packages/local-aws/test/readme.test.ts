import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import * as path from "node:path";
import { createInterface } from "node:readline";
import { expect } from "chai";
import type { Run, RunOptions } from "local-aws";
import type { FaultRule } from "local-aws/faults";
import { OPERATIONS } from "../faults/operations";
import { WITHOUT_EFFECT } from "../resources";
import { className, inputsWithoutEffect, servedInputs } from "./servedInputs";
import { servedOperations } from "./servedOperations";

const PACKAGE = path.join(__dirname, "..");
const ROOT = path.join(PACKAGE, "..", "..");

const README = readFileSync(path.join(PACKAGE, "README.md"), "utf8");

/** Complete by its type. */
const OPTIONS: Record<keyof RunOptions, true> = {
  config: true,
  confirmSubscriptions: true,
  dataDir: true,
  delayScale: true,
  faults: true,
  inspect: true,
  intercept: true,
  interceptInvocation: true,
  links: true,
  modules: true,
  onCall: true,
  onEvent: true,
  onInvocation: true,
  port: true,
  programDir: true,
  programFile: true,
  s3EventDelayMs: true,
  sourceMapOf: true,
  warmStart: true,
  watch: true,
};

const MEMBERS: Record<keyof Run, true> = {
  closeStreams: true,
  credentials: true,
  deliverObjectCreated: true,
  dynamoDb: true,
  endpoint: true,
  faults: true,
  functionNames: true,
  idle: true,
  inboxUrl: true,
  inspect: true,
  invoke: true,
  mailDir: true,
  onObjectCreated: true,
  outputs: true,
  queueMessages: true,
  readMail: true,
  region: true,
  stop: true,
  waiting: true,
};

const FAULT_KINDS: Record<FaultRule["kind"], true> = {
  crash: true,
  delayObjectEvents: true,
  duplicateObjectEvents: true,
  latency: true,
  outage: true,
  reorderObjectEvents: true,
  replayStream: true,
  reset: true,
  serverError: true,
  slow: true,
  throttle: true,
  timeout: true,
};

/** The text below a heading, up to the next one. */
function section(heading: string): string {
  const [, text = ""] = README.split(new RegExp(`^#+ ${heading}$`, "m"));
  return text.split(/^#/m)[0] ?? "";
}

/** The rows of a section's tables, each with its cells. */
function rows(heading: string): string[][] {
  return section(heading)
    .split("\n")
    .filter((line) => line.startsWith("| ") && !line.startsWith("| -"))
    .map((line) => line.split("|").map((cell) => cell.trim()))
    .map((cells) => cells.slice(1, -1));
}

/** The names in backticks, without parameters. */
function names(text = ""): string[] {
  return [...text.matchAll(/`(\w[\w.]*)(?:\([^`]*\))?`/g)].map(([, name = ""]) => name);
}

/** The items of a section's list, each `name: text` in one line. */
function items(heading: string): Record<string, string> {
  const [, ...listed] = section(heading).split(/^- /m);
  return Object.fromEntries(
    listed.map((item) => {
      const [, name = "", text = ""] = /^(.*?):(?: (.*))?$/.exec(
        (item.split("\n\n")[0] ?? "").replaceAll(/\s+/g, " ").trim(),
      ) ?? ["", item];
      return [name.replaceAll("`", ""), text];
    }),
  );
}

function exportsOf(file: string): string[] {
  const text = readFileSync(path.join(PACKAGE, file), "utf8");
  const listed = [...text.matchAll(/^export (?:type )?\{(.*?)\}/gms)].flatMap(([, list = ""]) =>
    list.split(",").map((name) => name.replace(/\btype\b/, "").trim()),
  );
  const declared = [...text.matchAll(/^export (?:const|function) (\w+)/gm)];
  return [...listed, ...declared.map(([, name = ""]) => name)].filter(Boolean);
}

describe("README of the package", function () {
  it("has every served resource type with the inputs that it serves, and no other", () => {
    expect(items("Served resource types")).to.deep.equal(servedInputs());
  });

  it("has every input without an effect, by the reason of the code", () => {
    expect(items("Inputs without an effect")).to.deep.equal(inputsWithoutEffect());
  });

  it("has every type without an effect, with the reason of the code", () => {
    const reasons = [
      ...section("Resource types without an effect").matchAll(/^\| `([\w.]+)` +\| (.*?) +\|$/gm),
    ];
    expect(Object.fromEntries(reasons.map(([, type, reason]) => [type, reason]))).to.deep.equal(
      Object.fromEntries(
        Object.entries(WITHOUT_EFFECT).map(([token, reason]) => [className(token), reason]),
      ),
    );
  });

  it("has exactly the operations that are served and those that are not, of all in the SDK", async () => {
    const listed = (heading: string) =>
      Object.fromEntries(
        rows(heading).map(([service = "", cell = ""]) => [service, cell.split(", ")]),
      );
    const { served, refused } = await servedOperations();

    const { STS, CloudWatch, ...others } = listed("Served operations");
    expect(others).to.deep.equal({ service: ["operations"], ...served });
    for (const [service, operations] of Object.entries(served)) {
      const known = OPERATIONS[service.toLowerCase()]?.filter((name) => name !== "PostObject");
      expect(known, `faults/operations.ts: ${service}`).to.deep.equal(operations);
    }
    expect(STS).to.deep.equal(["GetCallerIdentity"]);
    expect(CloudWatch).to.deep.equal(OPERATIONS.monitoring);
    expect(listed("Operations that are not served")).to.deep.equal({
      service: ["operations"],
      ...refused,
    });
  });

  it("has every option and member of a run, and every kind of fault", () => {
    const listed = (heading: string) => rows(heading).flatMap(([cell]) => names(cell));

    expect(listed("RunOptions")).to.have.members(Object.keys(OPTIONS));
    expect(listed("Run")).to.have.members(Object.keys(MEMBERS));
    expect(listed("Faults")).to.have.members(Object.keys(FAULT_KINDS));
  });

  for (const file of ["index.ts", "faults/index.ts", "program.ts"]) {
    it(`explains each export of ${file}`, () => {
      const [api = ""] = (README.split("## API")[1] ?? "").split(/^## /m);
      const headings = [...api.matchAll(/^### (\w+)/gm)].map(([, name = ""]) => name);

      const missing = exportsOf(file).filter(
        (name) => ![...headings, ...names(api)].includes(name),
      );
      expect(missing).to.deep.equal([]);
    });
  }

  it("names ts-node with CommonJS as a loader, which starts the program", async () => {
    const file = path.join("packages", "local-aws", "examples", "run.ts");
    const program = path.join(PACKAGE, "test", "fixtures", "wordCount");
    const child = spawn(
      process.execPath,
      ["-r", "ts-node/register/transpile-only", file, program, "0"],
      {
        cwd: ROOT,
        env: {
          ...process.env,
          NODE_OPTIONS: "",
          TS_NODE_COMPILER_OPTIONS: '{"module":"CommonJS","moduleResolution":"node10"}',
        },
      },
    );
    const ended = once(child, "exit");
    let printed = "";
    for await (const line of createInterface({ input: child.stdout })) {
      printed += line;
      if (line.includes("The program is running")) {
        break;
      }
    }
    child.kill("SIGTERM");
    await ended;

    expect(printed).to.contain("The program is running.");
  });

  describe("Run another program", () => {
    const [start = "", request = ""] = [
      ...section("Run another program").matchAll(/^```sh\n(.*?)^```$/gms),
    ].map(([, commands = ""]) => commands.trim());
    let program: ChildProcess;

    after(() => {
      program.kill();
    });

    it("starts the program, and its commands print what it says", async () => {
      // A port of its own; in a group, as Ctrl-C in a terminal reaches all processes of a command.
      program = spawn("sh", ["-c", `exec ${start} 0`], { cwd: ROOT, detached: true });
      const variables: string[] = [];
      for await (const line of createInterface({ input: program.stdout ?? process.stdin })) {
        if (line.startsWith("export ")) {
          variables.push(line);
        }
        if (line.startsWith("export AWS_SECRET")) {
          break;
        }
      }

      const shell = spawn("sh", ["-c", [...variables, request].join("\n")], { cwd: ROOT });
      let printed = "";
      shell.stdout.on("data", (chunk: Buffer) => (printed += chunk.toString()));
      await once(shell, "close");

      expect(section("Run another program")).to.contain(`\`${printed.trim()}\``);
    });

    it("ends it on Ctrl-C", async () => {
      const ended = once(program, "exit");
      process.kill(-(program.pid ?? 0), "SIGINT");

      await ended;
    });
  });
});
