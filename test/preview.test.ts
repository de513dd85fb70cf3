import * as pulumi from "@pulumi/pulumi";
import { expect } from "chai";
import { type Inputs, REGION } from "../testing/mockedAws";
import {
  OTHER_SETTINGS,
  packagesOf,
  type Recording,
  recordProgram,
  type Registration,
  valueOf,
} from "../testing/recordingMocks";

/** A part of each value that AWS generates, in the mocks: ids, names, ARNs. */
const MADE_BY_AWS = "1a2b3c4";

/** Texts that JavaScript makes of values that are no text, or not yet known. */
const GARBLED = /\[object \w+\]|\bundefined\b|\bNaN\b|Calling \[?to/;

function key({ type, name }: Registration): string {
  return `${type} ${name}`;
}

/** The inputs of a deployment as a preview knows them. */
function previewOf(value: unknown): unknown {
  if (typeof value === "string") {
    return value.includes(MADE_BY_AWS) ? pulumi.unknown : value;
  }
  if (Array.isArray(value)) {
    return value.map(previewOf);
  }
  if (typeof value !== "object" || value === null) {
    return value;
  }
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, previewOf(item)]));
}

/** Without the bundle, which has a test of its own. */
function withoutCode(inputs: Inputs): Inputs {
  return Object.fromEntries(Object.entries(inputs).filter(([name]) => name !== "code"));
}

function textsIn(value: unknown): string[] {
  if (typeof value === "string") {
    return [value];
  }
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(textsIn) : [];
}

for (const [title, settings] of Object.entries({
  "A preview": {},
  "A preview with other settings": OTHER_SETTINGS,
})) {
  describe(title, () => {
    let preview: Recording;
    let deployment: Recording;

    before(async () => {
      preview = await recordProgram(settings, { preview: true });
      deployment = await recordProgram(settings);
    });

    it("ends without an error", () => {
      expect(preview.error).to.equal(undefined);
      expect(preview.rejections).to.deep.equal([]);
    });

    it("shows every resource of the deployment, and no other", () => {
      expect(preview.registrations.map(key).sort()).to.deep.equal(
        deployment.registrations.map(key).sort(),
      );
    });

    it("shows every input as deployed, or as unknown where AWS generates it", () => {
      const previewed = new Map(preview.registrations.map((each) => [key(each), each.inputs]));
      for (const registration of deployment.registrations) {
        const inputs = previewOf(withoutCode(registration.inputs)) as Inputs;
        if (registration.type === "aws:apigateway/deployment:Deployment") {
          // A hash over a REST API's body, in which there are ARNs.
          inputs.variables = { version: pulumi.unknown };
        }
        expect(
          withoutCode(previewed.get(key(registration)) ?? {}),
          key(registration),
        ).to.deep.equal(inputs);
      }
    });

    it("shows URLs and keys that AWS generates as unknown", async () => {
      for (const name of ["managerUrl", "managerApiKey", "uploadUrl", "uploadCommand"]) {
        expect(await valueOf(preview.outputs[name]), name).to.equal(pulumi.unknown);
      }
      expect(
        await pulumi.isSecret(preview.outputs.managerApiKey as pulumi.Output<string>),
      ).to.equal(true);
    });

    it("never stringifies unknown outputs", () => {
      for (const registration of preview.registrations) {
        for (const text of textsIn(withoutCode(registration.inputs))) {
          expect(text, key(registration)).not.to.match(GARBLED);
        }
      }
    });

    it("packs the same Lambdas, byte for byte: a second `pulumi up` changes none", async () => {
      expect(await packagesOf(preview)).to.deep.equal(await packagesOf(deployment));
    });
  });
}

describe("A deployment", () => {
  it("never stringifies missing values", async () => {
    const { registrations } = await recordProgram();
    for (const registration of registrations) {
      for (const text of textsIn(withoutCode(registration.inputs))) {
        expect(text, key(registration)).not.to.match(GARBLED);
      }
    }
  });

  it("reads the region from AWS_REGION as well", async () => {
    const settings = { "aws:region": undefined };
    const { error, rejections, registrations } = await recordProgram(settings, {
      regionVariable: REGION,
    });
    expect([error, ...rejections]).to.deep.equal([undefined]);
    const configured = await recordProgram();
    const bodyOf = (all: Registration[]) =>
      all.filter(({ type }) => type.endsWith("RestApi")).map(({ name, inputs }) => [name, inputs]);
    expect(bodyOf(registrations)).to.have.deep.members(bodyOf(configured.registrations));
  });
});
