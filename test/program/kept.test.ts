import * as pulumi from "@pulumi/pulumi";
import { expect } from "chai";
import { keptResources } from "../../components/kept";
import {
  ofType,
  only,
  OTHER_SETTINGS,
  type Recording,
  recordProgram,
  valueOf,
} from "../../testing/recordingMocks";

const KEPT = {
  uploads: "uploads-1a2b3c4",
  events: "events-1a2b3c4",
  "events-counts": "events-counts-1a2b3c4",
  "uploads-idempotency": "uploads-idempotency-1a2b3c4",
  links: "links-1a2b3c4",
};

function retained({ registrations }: Recording): string[] {
  return registrations
    .filter(({ options }) => options.retainOnDelete)
    .map(({ type, name }) => `${type.split(":").pop() ?? ""} ${name}`);
}

describe("A stack with deleteFilesOnDestroy false", () => {
  let recording: Recording;

  before(async () => {
    recording = await recordProgram(OTHER_SETTINGS);
  });

  it("leaves bucket and tables, and what protects the bucket, when it is destroyed", () => {
    expect(retained(recording)).to.have.members([
      "Bucket uploads",
      "BucketLifecycleConfiguration uploads",
      "BucketOwnershipControls uploads",
      "BucketPolicy uploads",
      "BucketPublicAccessBlock uploads",
      "BucketServerSideEncryptionConfiguration uploads",
      "Table events",
      "Table events-counts",
      "Table links",
      "Table uploads-idempotency",
    ]);
  });

  it("names them in the output keptResources, by which another stack imports them", async () => {
    expect(await valueOf(recording.outputs.keptResources)).to.deep.equal(KEPT);

    const importing = await recordProgram({
      deleteFilesOnDestroy: "false",
      importKept: JSON.stringify(KEPT),
    });
    const imports = importing.registrations.filter(({ options }) => options.importId !== "");
    expect(
      imports.map(({ name, options, inputs }) => [
        name,
        options.importId,
        // Without it, Pulumi would generate another name, and replace the resource.
        inputs.bucket ?? inputs.name,
      ]),
    ).to.have.deep.members(Object.entries(KEPT).map(([name, id]) => [name, id, id]));
  });
});

describe("A stack that deletes its files", () => {
  it("leaves nothing, and has no such output", async () => {
    const recording = await recordProgram();
    expect(retained(recording)).to.deep.equal([]);
    expect(recording.outputs).not.to.have.property("keptResources");
    expect(only(recording, "Bucket").inputs).to.deep.equal({ forceDestroy: true });
    expect(ofType(recording, "Table").map(({ options }) => options.importId)).to.deep.equal([
      "",
      "",
      "",
      "",
    ]);
  });
});

describe("keptResources", () => {
  it("refuses a name that no component has", () => {
    const components = [{ data: { uploads: pulumi.output("uploads-1a2b3c4") } }];
    expect(() => keptResources(components, { importKept: { bucket: "uploads-1a2b3c4" } })).to.throw(
      'The setting "importKept" has the name "bucket"; allowed: uploads',
    );
  });
});
