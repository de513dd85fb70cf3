import { readFileSync } from "node:fs";
import * as path from "node:path";
import { expect } from "chai";
import { OTHER_SETTINGS, recordProgram, type Registration } from "../../testing/recordingMocks";
import { type TypesAndName, upgrade } from "../../testing/urns";

/** Resources of version 1.0.0 that the program gave up or has replaced, and why that is harmless. */
const REPLACED: Record<TypesAndName, string> = {};

/** What 1.0.0 registers besides with the settings of `OTHER_SETTINGS`. */
const OPTIONAL = [
  "s3-uploader:uploads:UploadApi$aws:apigateway/apiKey:ApiKey::uploads",
  "s3-uploader:uploads:UploadApi$aws:apigateway/usagePlan:UsagePlan::uploads",
  "s3-uploader:uploads:UploadApi$aws:apigateway/usagePlanKey:UsagePlanKey::uploads",
  "s3-uploader:uploads:UploadApi$aws:s3/bucketCorsConfiguration:BucketCorsConfiguration::uploads",
];

/** Types whose replacement loses data, keys or addresses. */
const STATEFUL =
  /:(?:Bucket|Table|Topic|Queue|RestApi|Stage|ApiKey|RandomBytes|TopicSubscription|LogGroup)::/;

/**
 * Aliases that are not this program's: AWS's provider has them for the older names of its types,
 * awsx for APIs whose resources had no parent.
 */
const OF_PACKAGES = [/V2::/, /^aws:apigateway\/\w+:\w+::/, /^aws:lambda\/permission:Permission::/];

/** The lines of a list of URNs, without its comments. */
function readUrns(fileName: string): Set<TypesAndName> {
  const lines = readFileSync(path.join(__dirname, fileName), "utf8").split("\n");
  return new Set(lines.filter((line) => line !== "" && !line.startsWith("#")));
}

/** The deployed resources that the engine would delete. */
function lostBy(registrations: Registration[], deployed: ReadonlySet<TypesAndName>): string[] {
  const kept = new Set(upgrade(registrations, deployed).map(({ takesOver }) => takesOver));
  return [...deployed].filter((urn) => !kept.has(urn));
}

describe("An upgrade of a stack that version 1.0.0 deployed", () => {
  const deployed = readUrns("deployed-1.0.txt");
  const deployedWithOptions = new Set([
    ...[...deployed].filter((urn) => !urn.includes(":TopicSubscription::")),
    ...OPTIONAL,
  ]);
  let registrations: Registration[];
  let optional: Registration[];

  before(async () => {
    ({ registrations } = await recordProgram());
  });

  before(async () => {
    ({ registrations: optional } = await recordProgram(OTHER_SETTINGS));
  });

  it("keeps every resource, by its URN or by an alias", () => {
    expect(lostBy(registrations, deployed)).to.deep.equal(Object.keys(REPLACED));
  });

  it("would lose exactly the resources that are without their alias", () => {
    const [bucket = ""] = [...deployed].filter((urn) => urn.includes(":Bucket::"));
    const changed = registrations.map((each) =>
      each.type === "aws:s3/bucket:Bucket" ? { ...each, aliases: [] } : each,
    );
    expect(lostBy(changed, deployed)).to.deep.equal([bucket]);
  });

  it("keeps those of optional settings, too", () => {
    expect(lostBy(optional, deployedWithOptions)).to.deep.equal(Object.keys(REPLACED));
  });

  it("never replaces what holds data, a key or an address", () => {
    for (const urn of Object.keys(REPLACED)) {
      expect(urn).not.to.match(STATEFUL);
    }
  });

  it("takes each resource's state over once", () => {
    const takenOver = upgrade(registrations, deployed).flatMap(({ takesOver = [] }) => takesOver);
    expect(takenOver).to.have.length(new Set(takenOver).size);
  });

  it("has no alias for what was never deployed", () => {
    const aliases = [
      ...upgrade(registrations, deployed),
      ...upgrade(optional, deployedWithOptions),
    ].flatMap((resource) => resource.aliases);
    const unknown = aliases.filter(
      (urn) =>
        !deployed.has(urn) &&
        !deployedWithOptions.has(urn) &&
        !OF_PACKAGES.some((pattern) => pattern.test(urn)),
    );
    expect(unknown).to.deep.equal([]);
  });
});
