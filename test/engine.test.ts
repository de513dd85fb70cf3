import { appendFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { expect } from "chai";
import { copyProgram } from "../testing/copyProgram";
import { type EngineRecording, recordByEngine } from "../testing/engine/recordByEngine";
import {
  OTHER_SETTINGS,
  packagesOf,
  type Recording,
  recordProgram,
  type Registration,
  valueOf,
} from "../testing/recordingMocks";

/** By URN, as the order varies; without packages, which are compared as texts. */
function byUrn(registrations: Registration[]): Map<string, Registration> {
  return new Map(
    registrations
      .map((each) => ({ ...each, inputs: { ...each.inputs, code: undefined } }))
      .sort((a, b) => (a.urn < b.urn ? -1 : 1))
      .map((registration) => [registration.urn, registration]),
  );
}

function withoutInputs(registrations: Map<string, Registration>): object[] {
  return [...registrations.values()].map((each) => ({ ...each, inputs: Object.keys(each.inputs) }));
}

const TABLE = "s3-uploader:events:EventTable$aws:dynamodb/table:Table::events";

describe("The program under Pulumi's own loader", function () {
  const folder = mkdtempSync(path.join(tmpdir(), "s3 uploader "));
  let mocked: Recording;
  let deployment: EngineRecording;
  /** Of a copy with a type error in each of two files. */
  let preview: EngineRecording;

  before(async function () {
    // Whole programs, type checking among them: on a busy machine, minutes.
    this.timeout(600_000);
    copyProgram(folder);
    for (const file of ["index.ts", "config.ts"]) {
      appendFileSync(path.join(folder, file), '\nconst notANumber: number = "text";\n');
    }
    mocked = await recordProgram(OTHER_SETTINGS);
    deployment = await recordByEngine(OTHER_SETTINGS);
    preview = await recordByEngine(OTHER_SETTINGS, {
      preview: true,
      programDir: folder,
      // What is compiled of a copy is of no use to another run.
      environment: { NODE_DISABLE_COMPILE_CACHE: "1" },
    });
  });

  after(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  it("logs no warning and no error, whether or not the types are right", () => {
    for (const { exitCode, logs, printed } of [deployment, preview]) {
      expect({ exitCode, logs, printed }).to.deep.equal({ exitCode: 0, logs: [], printed: "" });
    }
  });

  it("registers in a deployment exactly what it registers under mocks", () => {
    expect(byUrn(deployment.registrations)).to.deep.equal(byUrn(mocked.registrations));
    expect(deployment.calls).to.deep.equal(mocked.calls);
  });

  it("registers in a preview the same resources with the same inputs", () => {
    expect(withoutInputs(byUrn(preview.registrations))).to.deep.equal(
      withoutInputs(byUrn(deployment.registrations)),
    );
  });

  it("has the same outputs; those that only AWS can tell are unknown in a preview", async () => {
    const names = Object.keys(mocked.outputs);
    expect(deployment.outputs).to.have.all.keys(names);
    for (const name of names) {
      const value = await valueOf(mocked.outputs[name]);
      expect(deployment.outputs?.[name], name).to.deep.equal(value);
      expect(preview.outputs?.[name], name).to.equal(name === "email" ? value : pulumi.unknown);
    }
    expect(deployment.secretOutputs).to.have.members(["managerApiKey", "uploadApiKey"]);
    expect(preview.secretOutputs).to.have.members(["managerApiKey", "uploadApiKey"]);
  });

  it("warns once of uploads by anyone, and of a setting that does not exist", async () => {
    const { exitCode, logs } = await recordByEngine({ "s3-uploader:emial": "me@example.com" });
    expect({ exitCode, logs }).to.deep.equal({
      exitCode: 0,
      logs: [
        {
          severity: "warning",
          message:
            'There is no setting "emial": it has no effect. Did you mean "email"? To remove it: ' +
            '"pulumi config rm emial".',
        },
        {
          severity: "warning",
          message:
            "Anyone who has the upload API's URL may upload files, 50 a second, at your cost. To " +
            'require a key: "pulumi config set requireApiKey true".',
        },
      ],
    });
  });

  it("is stopped in its preview by a change of statusShards that would hide rows", async () => {
    const { exitCode, printed, logs } = await recordByEngine(
      { statusShards: "8" },
      {
        preview: true,
        deployed: {
          [TABLE]: { globalSecondaryIndexes: [{ name: "time-index", hashKey: "event_status" }] },
        },
      },
    );
    expect(exitCode).not.to.equal(0);
    expect(printed + JSON.stringify(logs)).to.include('statusShards\\" cannot change from 1 to 8');
  });

  it("packs the Lambdas of the local run, byte for byte, in any folder", async () => {
    const packages = await packagesOf(mocked);
    expect(await packagesOf(deployment)).to.deep.equal(packages);
    expect(await packagesOf(preview)).to.deep.equal(packages);
  });
});
