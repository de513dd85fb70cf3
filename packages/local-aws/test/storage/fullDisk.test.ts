import {
  existsSync,
  mkdtempSync,
  readdirSync,
  renameSync as rename,
  rmSync,
  statSync,
  symlinkSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DynamoDBClient, GetItemCommand, PutItemCommand } from "@aws-sdk/client-dynamodb";
import { DeleteObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { PublishCommand, SNSClient } from "@aws-sdk/client-sns";
import { expect } from "chai";
import { openCheckpoints } from "../../dynamodb/streams/checkpoints";
import { openEventJournal } from "../../lambda/eventJournal";
import { createMailbox } from "../../mail/mailbox";
import { BUCKET, type BucketScene, openBucket } from "../s3/bucketScene";
import { REGION } from "../testCloud";

const MIB = 1 << 20;

interface Failure {
  name: string;
  $metadata: { httpStatusCode?: number };
}

describe("a full disk", () => {
  let scene: BucketScene;
  let free: number;
  let dynamoDb: DynamoDBClient;
  let sns: SNSClient;
  let topic: string;

  before(async () => {
    scene = await openBucket([], { freeBytes: () => free });
    const { endpoint, roles } = scene.test.cloud;
    const client = { endpoint, region: REGION, credentials: roles.operator, maxAttempts: 1 };
    dynamoDb = new DynamoDBClient(client);
    sns = new SNSClient(client);
    topic = (await scene.test.make("sns/topic:Topic", "done", {})).arn ?? "";
    await scene.test.make("dynamodb/table:Table", "rows", {
      name: "rows",
      hashKey: "id",
      attributes: [{ name: "id", type: "S" }],
    });
  });
  beforeEach(() => {
    free = Infinity;
    scene.test.errors.length = 0;
  });
  after(async () => {
    dynamoDb.destroy();
    sns.destroy();
    await scene.close();
  });

  const put = (Key: string, size: number) =>
    scene.operator.send(new PutObjectCommand({ Bucket: BUCKET, Key, Body: Buffer.alloc(size) }));
  const putItem = () =>
    dynamoDb.send(new PutItemCommand({ TableName: "rows", Item: { id: { S: "a" } } }));

  async function failureOf(call: Promise<unknown>): Promise<[name: string, status?: number]> {
    const error = (await call.then(
      () => expect.fail("It was answered"),
      (thrown: unknown) => thrown,
    )) as Failure;
    return [error.name, error.$metadata.httpStatusCode];
  }

  it("refuses content with 503 while functions still finish, and leaves nothing of it", async () => {
    free = 9 * MIB;

    const refused = [
      await failureOf(put("large", 3 * MIB)),
      await failureOf(put("small", MIB + 1)),
    ];
    await putItem();

    expect(refused).to.deep.equal([
      ["ServiceUnavailable", 503],
      ["ServiceUnavailable", 503],
    ]);
    expect(await scene.keys()).to.deep.equal([]);
  });

  it("refuses every write with an error that clients retry, in one line for all", async () => {
    await put("before", 10);
    scene.test.errors.length = 0;
    free = MIB;

    expect(await failureOf(put("small", 10))).to.deep.equal(["ServiceUnavailable", 503]);
    expect(await failureOf(putItem())).to.deep.equal(["InternalServerError", 503]);
    const publish = new PublishCommand({ TopicArn: topic, Message: "m" });
    expect((await failureOf(sns.send(publish)))[1]).to.equal(503);
    await dynamoDb.send(new GetItemCommand({ TableName: "rows", Key: { id: { S: "a" } } }));
    await scene.operator.send(new DeleteObjectCommand({ Bucket: BUCKET, Key: "before" }));

    expect(scene.test.errors).to.have.lengthOf(1);
    expect(scene.test.errors[0]).to.match(/^The disk of .* is full: .* 503 .*/);
  });

  it("ends by itself: requests are served once there is space", async () => {
    free = 0;
    await failureOf(put("retried", 10));
    free = Infinity;

    await put("retried", 10);

    expect(await scene.keys()).to.deep.equal(["retried"]);
    expect(scene.test.errors.at(-1)).to.match(/^The disk of .* has space again\.$/);
  });
});

describe("a full disk below the run's own files", function () {
  let folder: string;
  beforeEach(function () {
    if (!existsSync("/dev/full")) {
      // Only Linux has a file whose disk is always full.
      this.skip();
    }
    folder = mkdtempSync(join(tmpdir(), "full-disk-"));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  const EVENT = {
    requestId: "1",
    functionName: "f",
    payload: "{}",
    acceptedAt: 0,
    attempts: 0,
    refusals: 0,
    notBefore: 0,
    savedMs: 0,
  };

  it("costs the event journal no event: what it could not write, it writes with the next state", () => {
    const errors: Error[] = [];
    const open = () => openEventJournal(folder, (error) => errors.push(error));
    const journal = open();
    const file = join(folder, "events.jsonl");
    journal.save({ ...EVENT, requestId: "before" });
    const kept = join(folder, "kept");
    rename(file, kept);
    symlinkSync("/dev/full", file);

    journal.save(EVENT);
    rename(kept, file);
    journal.save({ ...EVENT, attempts: 1 });

    expect(open().restored.map(({ requestId, attempts }) => [requestId, attempts])).to.deep.equal([
      ["before", 0],
      ["1", 1],
    ]);
    expect(errors).to.deep.equal([]);
  });

  it("holds a stream's checkpoint back, and stops nothing", () => {
    const checkpoint = openCheckpoints(folder).open("mapping", 1, 1);
    symlinkSync("/dev/full", join(folder, "checkpoint-mapping.json.tmp"));

    checkpoint.move(0, 5);

    expect(checkpoint.positions).to.deep.equal([5]);
    expect(openCheckpoints(folder).positions()).to.deep.equal([1]);
  });

  it("leaves no half-written mail, nor does a process that was killed", async () => {
    const letter = {
      address: "me@example.com",
      message: "m",
      messageId: "1",
      topicArn: "arn:aws:sns:us-east-1:000000000000:done",
      timestamp: new Date("2026-11-05T10:11:12.345Z"),
    };
    const mail = await createMailbox({ dir: folder }).deliver(letter);
    rmSync(mail.file);
    const draft = join(folder, `.${mail.id}.tmp`);
    const mailbox = createMailbox({ dir: folder });
    symlinkSync("/dev/full", draft);

    const failed = await mailbox.deliver(letter).catch((error: unknown) => error);
    expect(failed).to.have.property("code", "ENOSPC");
    expect(readdirSync(folder)).to.deep.equal([]);

    symlinkSync("/dev/null", draft);
    createMailbox({ dir: folder });
    expect(readdirSync(folder)).to.deep.equal([]);
  });
});

describe("the files of a cloud with a data folder", () => {
  it("are its owner's alone", async () => {
    const dataDir = mkdtempSync(join(tmpdir(), "data-"));
    const before = process.umask(0o077);
    try {
      const scene = await openBucket([], { dataDir, mailDir: join(dataDir, "mail") });
      await scene.operator.send(new PutObjectCommand({ Bucket: BUCKET, Key: "k", Body: "b" }));
      await scene.close();
      const paths = readdirSync(dataDir, { recursive: true, encoding: "utf8" });
      const open = paths.filter((path) => (statSync(join(dataDir, path)).mode & 0o077) !== 0);

      expect(paths).to.include.members(["dynamodb/CURRENT", "s3/journal", "secret"]);
      expect(open).to.deep.equal([]);
    } finally {
      process.umask(before);
      rmSync(dataDir, { recursive: true });
    }
  });
});
