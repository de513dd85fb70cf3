import * as pulumi from "@pulumi/pulumi";
import { expect } from "chai";
import { joined, type Link } from "../../components/link";
import { grantsDocument } from "../../components/policy";
import { valueOf } from "../../testing/recordingMocks";

const tableName = pulumi.output("events-1a2b3c4");
const READ = { actions: ["dynamodb:GetItem"], resources: ["arn:table"] };
const WRITE = { actions: ["dynamodb:PutItem"], resources: ["arn:table"] };

const reading: Link<"TABLE_NAME"> = { environment: { TABLE_NAME: tableName }, grants: [READ] };
const writing: Link<"TABLE_NAME" | "SHARDS"> = {
  environment: { TABLE_NAME: tableName, SHARDS: "1" },
  grants: [WRITE],
};

describe("Links that are joined", () => {
  it("give a variable that several have once, and all grants in their order", () => {
    expect(joined(reading, writing)).to.deep.equal({
      environment: { TABLE_NAME: tableName, SHARDS: "1" },
      grants: [READ, WRITE],
    });
  });

  it("refuse a variable with two values, by its name", () => {
    const other: Link<"TABLE_NAME"> = { environment: { TABLE_NAME: "other" }, grants: [] };
    expect(() => joined(reading, other)).to.throw(pulumi.RunError, "TABLE_NAME");
  });

  it("name in their type every variable of any of them, and no other", () => {
    const { environment } = joined(reading, writing);
    expect(Object.keys(environment satisfies Record<"TABLE_NAME" | "SHARDS", unknown>)) //
      .to.have.members(["TABLE_NAME", "SHARDS"]);
    // @ts-expect-error -- no link has this variable.
    expect(environment.OTHER).to.equal(undefined);
  });
});

describe("A role's policy", () => {
  async function statements(...grants: Link["grants"]): Promise<unknown> {
    const { Statement } = JSON.parse(String(await valueOf(grantsDocument(grants)))) as {
      Statement: unknown;
    };
    return Statement;
  }

  it("has a statement for each grant", async () => {
    expect(await statements(READ, WRITE)).to.deep.equal([
      { Effect: "Allow", Action: ["dynamodb:GetItem"], Resource: ["arn:table"] },
      { Effect: "Allow", Action: ["dynamodb:PutItem"], Resource: ["arn:table"] },
    ]);
  });

  it("has none for a grant that another one covers, nor for a second equal one", async () => {
    const both = {
      actions: ["dynamodb:GetItem", "dynamodb:PutItem"],
      resources: [pulumi.output("arn:table")],
    };
    const statement = { Effect: "Allow", Action: both.actions, Resource: ["arn:table"] };
    expect(await statements(READ, both, WRITE, both)).to.deep.equal([statement]);
  });

  it("keeps grants on different resources apart", async () => {
    const elsewhere = { ...READ, resources: ["arn:other"] };
    expect(await statements(READ, elsewhere)).to.have.length(2);
  });
});
