import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { expect } from "chai";
import { copyProgram } from "../../testing/copyProgram";
import { type Line, type Runner, startRunner } from "../../testing/startProcess";

interface Ready extends Line {
  outputs: Record<string, string>;
}

/** A copy of the program with a change in index.ts, run by its own copy of the runner. */
describe("npm start of a changed program", function () {
  const copy = mkdtempSync(path.join(tmpdir(), "s3-uploader-changed-"));
  const runners: Runner[] = [];

  before(() => {
    copyProgram(copy);
    rmSync(path.join(copy, "Pulumi.dev.yaml"));
  });

  after(async () => {
    for (const runner of runners) {
      await runner.dispose();
    }
    rmSync(copy, { recursive: true, force: true });
  });

  function change(changed: (index: string) => string): void {
    const index = path.join(copy, "index.ts");
    const text = readFileSync(index, "utf8");
    expect(changed(text)).to.not.equal(text);
    writeFileSync(index, changed(text));
  }

  function start(...args: string[]): Runner {
    const runner = startRunner(["--port", "0", ...args], copy);
    runners.push(runner);
    return runner;
  }

  describe("without a grant, and without Pulumi.dev.yaml", () => {
    let runner: Runner;
    let outputs: Record<string, string>;

    before(async () => {
      change((index) =>
        index.replace("events.advancing()", "{ ...events.advancing(), grants: [] }"),
      );
      runner = start("--json");
      ({ outputs } = (await runner.json(({ type }) => type === "ready")) as Ready);
    });

    after(async () => {
      // Ended in order, it keeps what it has compiled, for the next run of the copy.
      runner.process.kill("SIGINT");
      await runner.exited;
    });

    it("starts, as after `pulumi stack rm`, which deletes Pulumi.dev.yaml", () => {
      expect(outputs.email).to.equal("s3-uploader-demo@example.com");
    });

    it("denies actions without a grant, naming action and resource", async () => {
      const url = `${outputs.uploadUrl ?? ""}?filename=denied.txt`;
      const { status } = await fetch(url, { method: "POST", body: "denied" });
      expect(status).to.equal(201);

      const denial = await runner.json(
        (line) => line.type === "log" && JSON.stringify(line).includes("not authorized"),
      );

      expect(JSON.stringify(denial)).to.match(
        new RegExp(
          "is not authorized to perform: dynamodb:UpdateItem on resource: " +
            `arn:aws:dynamodb:us-east-1:\\d{12}:table/${outputs.tableName ?? ""}`,
        ),
      );
    });
  });

  describe("with a resource that is not served", () => {
    it("is refused, with type and name", async () => {
      change(() => 'import * as aws from "@pulumi/aws";\nnew aws.kinesis.Stream("clicks");\n');

      const runner = start();

      expect(await runner.exited).to.equal(1);
      expect(runner.errors()).to.contain("aws:kinesis/stream:Stream").and.contain('"clicks"');
    });
  });
});
