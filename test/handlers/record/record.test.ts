import { randomUUID } from "node:crypto";
import { GetItemCommand, ListTablesCommand, PutItemCommand } from "@aws-sdk/client-dynamodb";
import { SendMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { expect } from "chai";
import { AwsError } from "local-aws";
import type { FileEvent } from "../../../events/event";
import {
  newUpload,
  SIGNED_PREFIX,
  UPLOAD_PREFIX,
  uploadOf,
  type UploadPrefix,
} from "../../../events/identity";
import { claimItem } from "../../../store/links/claim";
import { fromLinkItem, linkItem, linkKey, type UploadLink } from "../../../store/links/link";
import { clientSettings } from "../../../testing/clients";
import { itemOf, processedEvent } from "../../../testing/events";
import { s3Record } from "../../../testing/records";
import { type Program, startProgram } from "../../../testing/startProgram";
import { uuidv7At } from "../../events/arbitraries";
import { claimOf, linkOf } from "../../store/links/rows";

describe("record", function () {
  let program: Program;
  /** A name that only this test uses: its rows are found by it. */
  let bucket: string;

  before(async () => {
    program = await startProgram();
  });

  after(() => program.stop());

  beforeEach(() => {
    program.reset();
    bucket = `bucket-${randomUUID()}`;
  });

  /** An upload whose key was made this many seconds ago. */
  function uploadFrom(seconds: number, prefix: UploadPrefix = UPLOAD_PREFIX) {
    const time = Date.now() - seconds * 1000;
    const uuid = uuidv7At(time, randomUUID().replaceAll("-", ""));
    const { object_key: encodedKey, ...identity } = uploadOf(uuid, prefix, "a.jpg");
    return { ...identity, encodedKey };
  }

  it("writes a row for each record, with the decoded key", async () => {
    const keys = {
      "photos/a+cat.jpg": "photos/a cat.jpg",
      "a%2Bb%20c%2525": "a+b c%25",
      "%C3%BCn%C3%AF/%E5%86%99%E7%9C%9F+%F0%9F%98%80": "ünï/写真 😀",
      "folder/": "folder/",
    };

    const Records = Object.keys(keys).map((encodedKey) =>
      s3Record({ bucket, encodedKey, size: 7 }),
    );
    const { functionError } = await program.invoke("record", { Records });

    expect(functionError).to.equal(undefined);
    const rows = await program.rowsOf(bucket);
    expect(rows.map(({ event_info }) => event_info.Key)).to.have.members(Object.values(keys));
    const photo = rows.find(({ event_info }) => event_info.Key === "photos/a cat.jpg");
    expect(photo).to.deep.include({
      event_status: "created",
      event_timestamp: "2026-11-21T20:00:00.000Z",
      event_info: {
        Bucket: bucket,
        Key: "photos/a cat.jpg",
        Size: 7,
        ETag: "d41d8cd98f00b204e9800998ecf8427e",
        FileName: "a cat.jpg",
      },
    });
  });

  describe("for the file of an upload link", () => {
    /** A link with one claim, whose file the bucket tells of. */
    async function claimedFile(state: "completing" | "lapsed" = "completing") {
      const link_id = uuidv7At(Date.now(), randomUUID().replaceAll("-", ""));
      const link = linkOf({ link_id, expires_at: new Date().toISOString(), taken: 1 });
      const fields = { content_type: "application/pdf", state, metadata: { customer: "Müller" } };
      const claim = claimOf(link_id, { ...fields, open_until: undefined }, "a b.pdf");
      const { event_id, event_timestamp, object_key } = claim;
      const identity = { event_id, event_timestamp };
      for (const item of [linkItem(link), claimItem(claim)]) {
        await program.dynamo.send(new PutItemCommand({ TableName: linksTable, Item: item }));
      }
      const encodedKey = object_key.split("/").map(encodeURIComponent).join("/");
      return { identity, link_id, record: s3Record({ bucket, encodedKey }), encodedKey };
    }

    let linksTable: string;

    before(async () => {
      const { TableNames: names = [] } = await program.dynamo.send(new ListTablesCommand({}));
      linksTable = names.find((name) => name.startsWith("links-")) ?? "";
    });

    async function storedFiles(link_id: string): Promise<UploadLink> {
      const { Item: item = {} } = await program.dynamo.send(
        new GetItemCommand({ TableName: linksTable, Key: linkKey(link_id) }),
      );
      return fromLinkItem(item);
    }

    it("writes the row with the link and its metadata, once, by one read and one transaction", async () => {
      const { identity, link_id, record } = await claimedFile();

      const { functionError } = await program.invoke("record", { Records: [record] });
      const { calls } = program;
      program.calls = [];
      await program.invoke("record", { Records: [record] });

      expect(functionError).to.equal(undefined);
      expect(calls).to.deep.equal([
        "record dynamodb:GetItem",
        "record dynamodb:TransactWriteItems",
      ]);
      expect(await program.row(identity)).to.deep.include({
        link_id,
        event_status: "created",
        event_info: {
          Bucket: bucket,
          Key: record.s3.object.key.replaceAll("%20", " ").replaceAll("%3A", ":"),
          Size: 1,
          ETag: "d41d8cd98f00b204e9800998ecf8427e",
          FileName: "a b.pdf",
          ContentType: "application/pdf",
          Metadata: { customer: "Müller" },
        },
      });
      expect(await storedFiles(link_id)).to.include({ taken: 1, stored: 1 });
    });

    it("writes it from the dead-letter queue as well", async () => {
      const { identity, link_id, record } = await claimedFile("lapsed");
      const { deadLetterQueueUrl } = program.run.outputs as Record<string, string>;
      const sqs = new SQSClient(clientSettings(program.run));
      const letter = { requestPayload: { Records: [record] } };
      await sqs.send(
        new SendMessageCommand({
          QueueUrl: deadLetterQueueUrl,
          MessageBody: JSON.stringify(letter),
        }),
      );
      sqs.destroy();

      const { functionError } = await program.invoke("sweep", {});

      expect(functionError).to.equal(undefined);
      expect(await program.row(identity)).to.deep.include({ link_id });
      expect(await storedFiles(link_id)).to.include({ taken: 2, stored: 1 });
    });

    it("makes no request to the links for any other object", async () => {
      const direct = s3Record({ bucket, encodedKey: "links/a.txt" });
      const signed = s3Record({ bucket, ...uploadFrom(3600, SIGNED_PREFIX) });
      const sent: string[] = [];
      program.onCall = ({ request }) => {
        sent.push(request.body.toString());
      };

      await program.invoke("record", { Records: [direct, signed] });

      expect(sent.filter((body) => body.includes(program.tableName))).to.have.length(2);
      expect(sent.filter((body) => body.includes(linksTable))).to.deep.equal([]);
      expect(await program.rowsOf(bucket)).to.have.length(2);
      for (const row of await program.rowsOf(bucket)) {
        expect(row).not.to.have.property("link_id");
      }
    });
  });

  it("writes none for a folder that the S3 console made, and says so in the log", async () => {
    const Records = [s3Record({ bucket, encodedKey: "new+folder/", size: 0 })];

    const { functionError } = await program.invoke("record", { Records });

    expect(functionError).to.equal(undefined);
    await program.logged("Folder marker ignored.", "new+folder/");
    expect(await program.rowsOf(bucket)).to.deep.equal([]);
  });

  it("writes a row for every kind of ObjectCreated event", async () => {
    const made = ["Put", "Post", "Copy", "CompleteMultipartUpload"];
    const Records = made.map((how) =>
      s3Record({ bucket, encodedKey: how, eventName: `ObjectCreated:${how}` }),
    );
    await program.invoke("record", { Records });
    const rows = await program.rowsOf(bucket);
    expect(rows.map(({ event_info }) => event_info.Key)).to.have.members(made);
  });

  it("writes one row for an event delivered five times, four of them at once", async () => {
    const event = { Records: [s3Record({ bucket, encodedKey: "once" })] };
    const deliver = () => program.invoke("record", event);
    await deliver();
    const first = await program.rowsOf(bucket);

    const answers = await Promise.all([deliver(), deliver(), deliver(), deliver()]);

    expect(answers.map(({ functionError }) => functionError)).to.deep.equal(Array(4));
    expect(first).to.have.lengthOf(1);
    expect(await program.rowsOf(bucket)).to.deep.equal(first);
  });

  it("writes a row for every write to a key", async () => {
    const Records = ["01", "02"].map((sequencer) =>
      s3Record({ bucket, encodedKey: "k", sequencer }),
    );
    await program.invoke("record", { Records });
    expect(await program.rowsOf(bucket)).to.have.lengthOf(2);
  });

  it("makes no table request for an object that the upload API has just put", async () => {
    for (const seconds of [-1, 0, 59]) {
      const { encodedKey } = uploadFrom(seconds);
      const eventTime = new Date().toISOString();
      await program.invoke("record", { Records: [s3Record({ bucket, encodedKey, eventTime })] });
    }

    expect(program.calls).to.deep.equal([]);
    await program.logged("Row left to the upload API.");
  });

  const others: Record<string, { eventName: string; seconds: number }> = {
    "put by a form": { eventName: "ObjectCreated:Post", seconds: 1 },
    "made by a copy": { eventName: "ObjectCreated:Copy", seconds: 1 },
    "made by a multipart upload": {
      eventName: "ObjectCreated:CompleteMultipartUpload",
      seconds: 1,
    },
    "put later by a repeated request": { eventName: "ObjectCreated:Put", seconds: 90 },
    "whose key is from the future": { eventName: "ObjectCreated:Put", seconds: -90 },
  };
  for (const [what, { eventName, seconds }] of Object.entries(others)) {
    it(`writes the row of an upload ${what}`, async () => {
      const { encodedKey, ...identity } = uploadFrom(seconds);
      const eventTime = new Date().toISOString();
      const event = { Records: [s3Record({ bucket, encodedKey, eventName, eventTime })] };

      await program.invoke("record", event);

      const row = await program.row(identity);
      expect(row).to.deep.include({ ...identity, event_status: "created" });
    });
  }

  it("does not write a row that the upload API has written", async () => {
    const { object_key: Key, ...identity } = newUpload(UPLOAD_PREFIX, "a b.jpg");
    const uploaded: FileEvent = {
      ...identity,
      event_status: "uploaded",
      event_info: { Bucket: bucket, Key, FileName: "a b.jpg", Checksum: "abc" },
      updated_at: "2026-11-21T20:00:00.000Z",
    };
    await program.putRow(itemOf(uploaded));

    const encodedKey = encodeURIComponent(Key).replaceAll("%2F", "/").replaceAll("%20", "+");
    await program.invoke("record", { Records: [s3Record({ bucket, encodedKey })] });

    expect(await program.rowsOf(bucket)).to.deep.equal([uploaded]);
    expect(program.calls).to.deep.equal(["record dynamodb:TransactWriteItems"]);
  });

  it("writes the row of a signed upload at once, by one request", async () => {
    const { encodedKey, ...identity } = uploadFrom(0, SIGNED_PREFIX);
    const eventTime = new Date().toISOString();

    await program.invoke("record", { Records: [s3Record({ bucket, encodedKey, eventTime })] });

    expect(await program.row(identity)).to.deep.include({ ...identity, event_status: "created" });
    expect(program.calls).to.deep.equal(["record dynamodb:TransactWriteItems"]);
  });

  for (const eventName of ["ObjectCreated:Put", "ObjectCreated:CompleteMultipartUpload"]) {
    it(`writes a row of its own for another name under an event's UUID (${eventName})`, async () => {
      const { encodedKey, ...identity } = uploadFrom(0);
      await program.putRow(
        itemOf({ ...processedEvent(identity), event_info: { Bucket: bucket, Key: encodedKey } }),
      );
      const eventTime = new Date().toISOString();
      const other = encodedKey.replace("a.jpg", "other.txt");

      const record = s3Record({ bucket, encodedKey: other, eventName, eventTime });
      await program.invoke("record", { Records: [record] });
      await program.invoke("record", { Records: [record] });

      const rows = await program.rowsOf(bucket);
      expect(rows.map(({ event_info }) => event_info.Key)).to.have.members([encodedKey, other]);
    });
  }

  describe("of an upload by an earlier version", () => {
    function earlierUpload(seconds: number) {
      const time = Date.now() - seconds * 1000;
      const event_id = uuidv7At(time, randomUUID().replaceAll("-", ""));
      const event_timestamp = new Date(time).toISOString();
      const folder = `uploads/${event_timestamp}/${event_id}`;
      return { identity: { event_id, event_timestamp }, folder };
    }

    it("keeps the identity in the key, and records it once", async () => {
      const { identity, folder } = earlierUpload(0);
      const eventTime = new Date().toISOString();
      const record = s3Record({ bucket, encodedKey: `${folder}/a.jpg`, eventTime });

      await program.invoke("record", { Records: [record] });
      await program.invoke("record", { Records: [record] });

      const rows = await program.rowsOf(bucket);
      expect(rows).to.have.lengthOf(1);
      expect(rows[0]).to.include(identity);
    });

    it("writes a row of its own for another name under its UUID, in one row however often", async () => {
      const { identity, folder } = earlierUpload(5000);
      const Records = ["a.jpg", "other.txt"].map((name) =>
        s3Record({ bucket, encodedKey: `${folder}/${name}` }),
      );
      for (const record of [...Records, ...Records]) {
        await program.invoke("record", { Records: [record] });
      }

      const rows = await program.rowsOf(bucket);
      expect(rows.map(({ event_info }) => event_info.FileName)).to.have.members([
        "a.jpg",
        "other.txt",
      ]);
      expect(await program.row(identity)).to.have.nested.property("event_info.FileName", "a.jpg");
    });
  });

  it("writes a missing row of an upload, under the identity in its key", async () => {
    const { object_key, ...identity } = newUpload(UPLOAD_PREFIX, "ü.jpg");
    const encodedKey = encodeURIComponent(object_key).replaceAll("%2F", "/");
    await program.invoke("record", { Records: [s3Record({ bucket, encodedKey })] });
    expect(await program.row(identity)).to.deep.include({ ...identity, event_status: "created" });
  });

  it("writes all other records before it fails for an unreadable one", async () => {
    const Records = ["before", "100%", "after"].map((encodedKey) =>
      s3Record({ bucket, encodedKey }),
    );

    const { functionError, answer } = await program.invoke("record", { Records });

    expect(functionError).to.equal("Unhandled");
    expect(answer).to.include({ errorType: "URIError" });
    const rows = await program.rowsOf(bucket);
    expect(rows.map(({ event_info }) => event_info.Key)).to.have.members(["before", "after"]);
    await program.logged("Row not written.");
  });

  it("fails when the table does, so that Lambda retries the event", async () => {
    program.onCall = () => {
      throw new AwsError("InternalServerError", 500, "no");
    };
    const event = { Records: [s3Record({ bucket, encodedKey: "later" })] };
    expect(await program.invoke("record", event)).to.include({ functionError: "Unhandled" });
    program.reset();

    await program.invoke("record", event);

    expect(await program.rowsOf(bucket)).to.have.lengthOf(1);
  });
});
