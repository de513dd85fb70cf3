import { RunError } from "@pulumi/pulumi";
import { expect } from "chai";
import { DEFAULTS, loadSettings, type Settings } from "../config";
import {
  type GivenSettings,
  ofType,
  only,
  OTHER_SETTINGS,
  record,
  type Recording,
  recordProgram,
} from "../testing/recordingMocks";
import { LAMBDAS } from "./program/names";

const FROM_AN_ADDRESS = "one e-mail address, or several separated by commas";
const MEDIA_TYPES = "media types separated by commas";
const ORIGINS = "origins such as https://www.example.com, or *";
const YES_OR_NO = "true or false";

/** Setting, refused values, and the allowed ones as the message names them. */
const REFUSED: [name: keyof typeof DEFAULTS, values: string[], allowed: string][] = [
  [
    "email",
    ["me@example..com", ".me@example.com", "a..b@example.com", "me@.example.com"],
    FROM_AN_ADDRESS,
  ],
  ["email", ["a(b)@example.com", "a:b@example.com", "a@[192.0.2.1]"], FROM_AN_ADDRESS],
  ["email", ["a@-example.com", "a@example-.com", "a\u202eb@example.com"], FROM_AN_ADDRESS],
  ["email", [`${"a".repeat(65)}@example.com`, `a@${"a".repeat(64)}.com`], FROM_AN_ADDRESS],
  [
    "email",
    ["", "me", "me@example", "@example.com", "me@example.com,", "a@b.example;c@d.example", "[]"],
    FROM_AN_ADDRESS,
  ],
  ["email", ['["me@example.com"', '["me@example.com", 1]', '[["me"]]'], FROM_AN_ADDRESS],
  ["maxUploadBytes", ["", " ", "0", "-1", "4500001", "abc", "1.5", "4MB"], "from 1 to 4500000"],
  ["allowedContentTypes", ["", "jpeg", "image/", "image/*,", "*/jpeg", "a b/c"], MEDIA_TYPES],
  ["requestsPerSecond", ["0", "10001", "0.5", "many"], "from 1 to 10000"],
  ["burst", ["0", "5001", ""], "from 1 to 5000"],
  ["requireApiKey", ["yes", "", "1", "True"], YES_OR_NO],
  ["corsOrigins", [" ", "www.example.com", "https://", "ftp://example.com", "[]"], ORIGINS],
  [
    "corsOrigins",
    ["https://www.example.com/", "https://www.example.com/page", "https://*.example.com"],
    ORIGINS,
  ],
  ["corsOrigins", ["https://www.example.com,", "https://a.example;https://b.example/"], ORIGINS],
  ["logRetentionDays", ["2", "15"], "one of 1, 3, 5, 7, 14,"],
  ["logRetentionDays", ["732", "1095"], "731, 1096, 1827"],
  ["logRetentionDays", ["0", "3654", "forever"], "from 1 to 3653"],
  ["deleteFilesOnDestroy", ["no", "0"], YES_OR_NO],
  ["rejectMismatch", ["yes", "1", ""], YES_OR_NO],
  [
    "importKept",
    ["uploads", "[]", "null", '{"uploads":1}'],
    "the JSON of a destroyed stack's output",
  ],
  ["digestSeconds", ["-1", "301", "1.5"], "from 0 to 300"],
  ["alarmEmail", [" ", "me", "me@example.com,", "[]"], FROM_AN_ADDRESS],
  ["sweepMinutes", ["0", "61", "1.5", ""], "from 1 to 60"],
  ["stuckSeconds", ["0", "86401", "15m"], "from 1 to 86400"],
  ["maxAttempts", ["0", "101", "-1"], "from 1 to 100"],
  ["linkSecretVersion", ["0", "10000", "-1", "1.5", "", "next"], "from 1 to 9999"],
  ["organisation", ["x".repeat(101), "two\nlines", "a\u202eb"], "at most 100 characters"],
  ["statusShards", ["0", "65", "-1", "1.5", "", "many"], "from 1 to 64"],
];

describe("A setting that is wrong", () => {
  for (const [name, values, allowed] of REFUSED) {
    for (const value of values) {
      it(`is refused before anything is registered: ${name} ${JSON.stringify(value)}`, async () => {
        const { error, registrations, rejections } = await recordProgram({ [name]: value });
        expect(RunError.isInstance(error)).to.equal(true);
        const { message } = error as RunError;
        expect(message).to.include(`"${name}"`);
        // As the text that was set, or as its number.
        expect([JSON.stringify(value), value]).to.include(/ is (.*); allowed: /.exec(message)?.[1]);
        expect(message).to.include(allowed);
        expect(message).to.include(`pulumi config set ${name} `);
        expect([...registrations, ...rejections]).to.deep.equal([]);
      });
    }
  }

  it("is a missing region, too: the message has the command that sets it", async () => {
    const { error, registrations, rejections } = await recordProgram({ "aws:region": undefined });
    expect(registrations).to.deep.equal([]);
    expect(RunError.isInstance(error)).to.equal(true);
    expect((error as RunError).message).to.include("pulumi config set aws:region");
    expect((error as RunError).message).to.include("AWS_REGION");
    expect(rejections).to.deep.equal([]);
  });
});

describe("Settings", () => {
  let recording: Recording;

  before(async () => {
    recording = await recordProgram(OTHER_SETTINGS);
    expect([recording.error, ...recording.rejections]).to.deep.equal([undefined]);
  });

  function variablesOf(lambda: string): Record<string, string> {
    const { environment } = only(recording, "Function", lambda).inputs;
    return (environment as { variables: Record<string, string> }).variables;
  }

  function endpointsOf(made: Recording, topic: string): unknown[] {
    return ofType(made, "TopicSubscription")
      .filter(({ inputs }) => String(inputs.topic).endsWith(`:${topic}-1a2b3c4`))
      .map(({ inputs }) => inputs.endpoint);
  }

  it("email: gives each address a subscription of its own", () => {
    expect(endpointsOf(recording, "notifier")).to.have.members([
      "me@example.com",
      "you@example.org",
    ]);
    expect(recording.outputs.email).to.equal("me@example.com, you@example.org");
  });

  it("alarmEmail: gives each address a subscription to alarms, and to nothing else", () => {
    expect(endpointsOf(recording, "alarms")).to.have.members([
      "on-call@example.com",
      "boss@example.com",
    ]);
  });

  it("alarmEmail: is the same as email where it is empty", async () => {
    const email = "me@example.com, you@example.org";
    const made = await recordProgram({ email, alarmEmail: "" });
    expect(endpointsOf(made, "alarms")).to.have.members(email.split(", "));
    expect((await loaded({ email })).alarmEmails).to.deep.equal(email.split(", "));
  });

  it("sweepMinutes: is the rate of the schedule, as AWS writes it", async () => {
    const rate = (made: Recording) => only(made, "EventRule").inputs.scheduleExpression;
    expect(rate(recording)).to.equal("rate(1 minute)");
    expect(rate(await recordProgram({}))).to.equal("rate(5 minutes)");
  });

  it("stuckSeconds and maxAttempts: reach the sweeper, and the manager for its retries", () => {
    expect(variablesOf("sweep")).to.include({ STUCK_SECONDS: "86400", MAX_ATTEMPTS: "100" });
    expect(variablesOf("process")).to.include({ MAX_ATTEMPTS: "100" });
    expect(variablesOf("manager")).to.include({ STUCK_SECONDS: "86400" });
  });

  it("rejectMismatch: reaches process, with the allowed types", () => {
    expect(variablesOf("process")).to.include({
      REJECT_MISMATCH: "true",
      ALLOWED_CONTENT_TYPES: "image/*,application/pdf",
    });
  });

  it("statusShards: reaches every Lambda of the event table, and decides on the index", () => {
    for (const lambda of LAMBDAS) {
      expect(variablesOf(lambda).STATUS_SHARDS, lambda).to.equal("64");
    }
    expect(only(recording, "Table", "events").inputs.globalSecondaryIndexes)
      .to.have.nested.property("[0].hashKey")
      .that.equals("status_shard");
  });

  it("maxUploadBytes: is the Lambda's limit, and the one in API Gateway's error", () => {
    expect(variablesOf("upload").MAX_UPLOAD_BYTES).to.equal("4500000");
    expect(variablesOf("manager").MAX_UPLOAD_BYTES).to.equal("4500000");
    const api = only(recording, "RestApi", "uploads");
    expect(api.inputs.body).to.include("at most 4500000 bytes");
  });

  it("allowedContentTypes: reaches the Lambdas in lower case, without spaces", () => {
    for (const lambda of ["upload", "manager"]) {
      expect(variablesOf(lambda).ALLOWED_CONTENT_TYPES).to.equal("image/*,application/pdf");
    }
  });

  it("requestsPerSecond and burst: throttle all stages", () => {
    const settings = ofType(recording, "MethodSettings").map(({ inputs }) => inputs.settings);
    const throttle = { throttlingRateLimit: 1, throttlingBurstLimit: 5000 };
    expect(settings).to.deep.equal([throttle, throttle, throttle]);
  });

  it("requireApiKey: adds a key for uploads, a usage plan, and the key's place in it", async () => {
    const made = (settings: GivenSettings) => recordProgram(settings).then(keyResources);
    const ofManager = ["ApiKey manager", "UsagePlan manager", "UsagePlanKey manager"];
    const ofUploads = ["ApiKey uploads", "UsagePlan uploads", "UsagePlanKey uploads"];
    expect(await made(OTHER_SETTINGS)).to.have.members([...ofManager, ...ofUploads]);
    expect(await made({})).to.have.members(ofManager);
  });

  it("requireApiKey: reaches the manager, for its description", () => {
    expect(variablesOf("manager").UPLOAD_NEEDS_KEY).to.equal("true");
  });

  it("corsOrigins: accepts origins with a port, and * for all", async () => {
    const { corsOrigins } = await loaded({ corsOrigins: "http://localhost:3000, *" });
    expect(corsOrigins).to.deep.equal(["http://localhost:3000", "*"]);
  });

  it("corsOrigins: lets these pages use the bucket", () => {
    expect(JSON.stringify(ofType(recording, "BucketCorsConfiguration")[0]?.inputs)).to.include(
      '["https://www.example.com","http://localhost:3000",',
    );
  });

  it("logRetentionDays: applies to every log group", () => {
    const days = ofType(recording, "LogGroup").map(({ inputs }) => inputs.retentionInDays);
    expect(days).to.deep.equal(LAMBDAS.map(() => 3653));
  });

  it("deleteFilesOnDestroy: false keeps destroy from deleting files", () => {
    expect(only(recording, "Bucket").inputs).to.deep.equal({ forceDestroy: false });
  });

  it("digestSeconds: is the batching window of notify", () => {
    const { maximumBatchingWindowInSeconds } = only(
      recording,
      "EventSourceMapping",
      "events-notify",
    ).inputs;
    expect(maximumBatchingWindowInSeconds).to.equal(300);
  });

  it("are the defaults of config.ts where they are not set", async () => {
    expect(await loaded({})).to.deep.equal({
      emails: [DEFAULTS.email],
      alarmEmails: [DEFAULTS.email],
      maxUploadBytes: DEFAULTS.maxUploadBytes,
      allowedContentTypes: [DEFAULTS.allowedContentTypes],
      rejectMismatch: DEFAULTS.rejectMismatch,
      throttle: { requestsPerSecond: DEFAULTS.requestsPerSecond, burst: DEFAULTS.burst },
      requireApiKey: DEFAULTS.requireApiKey,
      corsOrigins: [],
      linkSecretVersion: DEFAULTS.linkSecretVersion,
      organisation: DEFAULTS.organisation,
      logRetentionDays: DEFAULTS.logRetentionDays,
      deleteFilesOnDestroy: DEFAULTS.deleteFilesOnDestroy,
      importKept: {},
      digestSeconds: DEFAULTS.digestSeconds,
      sweepMinutes: DEFAULTS.sweepMinutes,
      stuckSeconds: DEFAULTS.stuckSeconds,
      maxAttempts: DEFAULTS.maxAttempts,
      statusShards: DEFAULTS.statusShards,
    });
  });

  it("accept lists as JSON, as `pulumi config set --path` writes them, each entry once", async () => {
    const { emails, allowedContentTypes } = await loaded({
      email: '["me@example.com", "you@example.org", "me@example.com"]',
      allowedContentTypes: '["image/svg+xml", "application/vnd.api+json"]',
    });
    expect(emails).to.deep.equal(["me@example.com", "you@example.org"]);
    expect(allowedContentTypes).to.deep.equal(["image/svg+xml", "application/vnd.api+json"]);
  });

  it("accept the limits of their ranges", async () => {
    const lowest = {
      maxUploadBytes: 1,
      linkSecretVersion: 1,
      logRetentionDays: 1,
      digestSeconds: 0,
      sweepMinutes: 1,
      stuckSeconds: 1,
      maxAttempts: 1,
      statusShards: 1,
    };
    const lowestRates = { requestsPerSecond: 1, burst: 1 };
    expect(await loaded({ ...lowest, ...lowestRates })).to.deep.include({
      ...lowest,
      throttle: lowestRates,
    });
    const highest = {
      maxUploadBytes: 4_500_000,
      linkSecretVersion: 9999,
      logRetentionDays: 3653,
      digestSeconds: 300,
      sweepMinutes: 60,
      stuckSeconds: 86_400,
      maxAttempts: 100,
      statusShards: 64,
    };
    const highestRates = { requestsPerSecond: 10_000, burst: 5_000 };
    expect(await loaded({ ...highest, ...highestRates })).to.deep.include({
      ...highest,
      throttle: highestRates,
    });
  });
});

/** The result of config.ts with these settings alone. */
async function loaded(settings: Record<string, string | number>): Promise<Settings> {
  const config = Object.entries(settings).map(([name, value]) => [
    `s3-uploader:${name}`,
    String(value),
  ]);
  const { error, outputs } = await record(
    { "aws:region": "us-east-1", ...(Object.fromEntries(config) as Record<string, string>) },
    () => ({
      settings: loadSettings(),
    }),
  );
  expect(error).to.equal(undefined);
  return outputs.settings as Settings;
}

function keyResources({ registrations }: Recording): string[] {
  return registrations
    .map(({ type, name }) => `${type.split(":").pop() ?? ""} ${name}`)
    .filter((resource) => /Key|UsagePlan/.test(resource));
}
