import { ListTablesCommand, ScanCommand, UpdateItemCommand } from "@aws-sdk/client-dynamodb";
import { GetObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { expect } from "chai";
import { AwsError } from "local-aws";
import type { FileEvent } from "../../../events/event";
import { keyItem } from "../../../events/item";
import { s3Record } from "../../../testing/records";
import { describedFetch } from "../../openapi/described";
import { type Answer, type Managed, startManaged } from "./managed";

describe("a deletion concurrent with other requests", function () {
  let managed: Managed;
  /** Awaited before each call of a Lambda, such as `manager s3:DeleteObject`. */
  let onCall: (call: string) => Promise<void> | void;

  before(async () => {
    managed = await startManaged({
      intercept: async ({ operation, principal }, forward) => {
        await onCall(`${principal.functionName?.replace(/-.*/, "") ?? "operator"} ${operation}`);
        return forward();
      },
    });
  });

  beforeEach(() => {
    onCall = () => undefined;
  });

  after(() => managed.stop());

  afterEach(() => managed.expectStatsToAgree());

  async function rowOf(id: string): Promise<FileEvent | undefined> {
    await managed.run.idle();
    return (await managed.rows()).find(({ event_id }) => event_id === id);
  }

  async function existingRow(id: string): Promise<FileEvent> {
    return (await rowOf(id)) ?? expect.fail(`There is no row ${id}.`);
  }

  /** A failed event whose file exists. */
  async function failedEvent(name: string): Promise<FileEvent> {
    const id = await managed.upload(name);
    const event = await existingRow(id);
    expect(event.event_status).to.equal("notified");
    await managed.dynamo.send(
      new UpdateItemCommand({
        TableName: String(managed.run.outputs.tableName),
        Key: keyItem(event),
        UpdateExpression: "SET event_status = :failed, failed_from = :uploaded",
        ExpressionAttributeValues: { ":failed": { S: "failed" }, ":uploaded": { S: "uploaded" } },
      }),
    );
    return existingRow(id);
  }

  function fileOf({ event_info: { Bucket, Key } }: FileEvent): Promise<string> {
    return managed.s3.send(new GetObjectCommand({ Bucket, Key })).then(
      () => "there",
      (error: unknown) => (error as Error).name,
    );
  }

  function codeOf({ body }: Answer): unknown {
    return (body as { error?: { code: string } }).error?.code;
  }

  it("keeps the file of an event that was just retried", async () => {
    const event = await failedEvent("retried.txt");
    const retry = `POST /events/${event.event_id}/retry`;
    let retried: Promise<Answer> | undefined;
    let goOn: () => void = () => undefined;
    const deletion = new Promise<void>((resolve) => (goOn = resolve));
    onCall = async (call) => {
      if (call === "manager dynamodb:UpdateItem" && retried === undefined) {
        retried = managed.ask(retry);
        expect((await retried).status).to.equal(200);
      } else if (call.startsWith("process")) {
        await deletion;
      }
    };

    const answer = await managed.ask(`DELETE /events/${event.event_id}`);
    goOn();

    expect([answer.status, codeOf(answer)]).to.deep.equal([409, "not_finished"]);
    expect((await rowOf(event.event_id))?.event_status).to.equal("notified");
    expect(await fileOf(event)).to.equal("there");
  });

  it("allows no retry between deleting the file and the row", async () => {
    const event = await failedEvent("deleted.txt");
    let retry: Answer | undefined;
    onCall = async (call) => {
      if (call === "manager s3:DeleteObject" && retry === undefined) {
        retry = await managed.ask(`POST /events/${event.event_id}/retry`);
      }
    };

    const answer = await managed.ask(`DELETE /events/${event.event_id}`);

    expect(answer.status).to.equal(204);
    expect(retry && [retry.status, codeOf(retry)]).to.deep.equal([409, "not_retryable"]);
    expect(await rowOf(event.event_id)).to.equal(undefined);
    expect(await fileOf(event)).to.equal("NoSuchKey");
  });

  /** Sends the file through the upload API, with an Idempotency-Key. */
  async function uploadWith(key: string) {
    const { status, body } = await describedFetch(String(managed.run.outputs.uploadUrl), {
      method: "POST",
      headers: { "content-type": "text/plain", "idempotency-key": key },
      body: `the file of ${key}`,
    });
    const { event_id, error } = body as { event_id?: string; error?: { code: string } };
    return { status, event_id: event_id ?? "", code: error?.code };
  }

  const REFUSED = { status: 410, event_id: "", code: "event_deleted" };

  async function signedFor(key?: string) {
    const { status, body } = await managed.ask("POST /uploads", {
      headers: {
        "content-type": "application/json",
        ...(key !== undefined && { "idempotency-key": key }),
      },
      body: JSON.stringify({ filename: "signed.txt", content_type: "text/plain", size: 4 }),
    });
    return {
      status,
      body: body as { event_id: string; url: string; headers: Record<string, string> },
    };
  }

  async function send({ url, headers }: { url: string; headers: Record<string, string> }) {
    return (await fetch(url, { method: "PUT", headers, body: "file" })).status;
  }

  async function deleted({ event_id }: { event_id: string }): Promise<void> {
    expect((await managed.ask(`DELETE /events/${event_id}`)).status).to.equal(204);
  }

  async function expectGone(event: FileEvent): Promise<void> {
    expect(await rowOf(event.event_id)).to.equal(undefined);
    expect(await fileOf(event)).to.equal("NoSuchKey");
  }

  function linesOf(text: string): string[] {
    return managed.events.flatMap((event) =>
      event.type === "log" && event.line.includes(text) ? [event.line] : [],
    );
  }

  /** Delivers the event of the row's object once more. */
  function deliverAgain({ event_info, event_timestamp }: FileEvent, sequencer?: string) {
    const name = managed.run.functionNames.find((each) => each.startsWith("record")) ?? "";
    const record = s3Record({
      bucket: event_info.Bucket,
      encodedKey: event_info.Key,
      eventTime: event_timestamp,
      sequencer,
    });
    return managed.run.invoke(name, { Records: [record] });
  }

  it("leaves no file without a row when an upload is repeated meanwhile, which is refused", async () => {
    const event = await existingRow((await uploadWith("meanwhile")).event_id);
    let repeated: object | undefined;
    onCall = async (call) => {
      if (call === "manager dynamodb:DeleteItem") {
        repeated = await uploadWith("meanwhile");
      }
    };

    await deleted(event);

    expect(repeated).to.deep.equal(REFUSED);
    await expectGone(event);
  });

  it("is final for its Idempotency-Key in both APIs", async () => {
    const event = await existingRow((await uploadWith("final")).event_id);
    const { body } = await signedFor("final");
    expect(await send(body)).to.equal(200);
    const signed = await existingRow(body.event_id);
    await deleted(event);
    await deleted(signed);

    expect(await uploadWith("final")).to.deep.equal(REFUSED);
    const answer = await signedFor("final");
    expect(answer).to.have.nested.property("body.error.code", "event_deleted");
    expect(answer.status).to.equal(410);
    const { TableNames: names = [] } = await managed.dynamo.send(new ListTablesCommand({}));
    const { Items: items = [] } = await managed.dynamo.send(
      new ScanCommand({ TableName: names.find((name) => name.includes("idempotency")) }),
    );
    // A day in which the key is repeated, and an hour of the last URL.
    const needed = Date.now() / 1000 + 25 * 3600;
    for (const { event_id } of [event, signed]) {
      const expiries = items.flatMap((item) =>
        item.event_id?.S === event_id ? [Number(item.expires_at?.N)] : [],
      );
      expect(expiries.filter((expiry) => expiry > needed)).to.have.lengthOf(1);
    }
    await expectGone(event);
    await expectGone(signed);
  });

  it("deletes what a signed URL lets in afterwards, and says so in the log", async () => {
    const { body } = await signedFor();
    await send(body);
    const event = await existingRow(body.event_id);
    await deleted(event);

    expect(await send(body)).to.equal(200);

    await expectGone(event);
    expect(linesOf("it arrived after its event was deleted")).to.have.lengthOf(1);
  });

  it("deletes what a signed URL lets in between the object's deletion and the row's", async () => {
    const { body } = await signedFor("between");
    await send(body);
    const event = await existingRow(body.event_id);
    onCall = async (call) => {
      if (call === "manager dynamodb:DeleteItem") {
        expect(await send(body)).to.equal(200);
        await managed.run.idle();
      }
    };

    await deleted(event);

    await expectGone(event);
  });

  it("is not undone by a doubled S3 event, delivered before, during or after it", async () => {
    const direct = { Bucket: String(managed.run.outputs.bucketName), Key: "inbox/doubled.txt" };
    const { body } = await signedFor();
    await send(body);
    const signed = await existingRow(body.event_id);
    await managed.s3.send(new PutObjectCommand({ ...direct, Body: "1" }));
    await managed.run.idle();
    const [own] = (await managed.rows()).filter(({ event_info }) => event_info.Key === direct.Key);
    expect(own?.event_status).to.equal("notified");
    // A direct object whose event can be delivered again: its identity is that of the record.
    await deliverAgain({ ...signed, event_info: direct }, "5EC0");
    await managed.run.idle();
    const doubled = (await managed.rows()).find(
      ({ event_info, event_id }) => event_info.Key === direct.Key && event_id !== own?.event_id,
    );
    for (const event of [signed, doubled ?? expect.fail("There is no row.")]) {
      const deliver = () =>
        deliverAgain({ ...event, event_timestamp: signed.event_timestamp }, "5EC0");
      let held: () => void = () => undefined;
      const isHeld = new Promise<void>((resolve) => (held = resolve));
      let release: () => void = () => undefined;
      const released = new Promise<void>((resolve) => (release = resolve));
      onCall = async (call) => {
        if (call === "record dynamodb:TransactWriteItems") {
          held();
          await released;
        }
      };
      const early = deliver();
      await isHeld;
      onCall = () => undefined;
      await deleted(event);
      release();
      for (const { functionError } of [await early, await deliver()]) {
        expect(functionError).to.equal(undefined);
      }

      expect(await rowOf(event.event_id)).to.equal(undefined);
    }
    expect(await fileOf(signed)).to.equal("NoSuchKey");
    // It is the other row's.
    expect(await fileOf({ ...signed, event_info: direct })).to.equal("there");
  });

  it("is not undone by an upload that is slower than its own repetition", async () => {
    let held: () => void = () => undefined;
    const isHeld = new Promise<void>((resolve) => (held = resolve));
    let release: () => void = () => undefined;
    const released = new Promise<void>((resolve) => (release = resolve));
    onCall = async (call) => {
      if (call === "upload dynamodb:TransactWriteItems") {
        held();
        await released;
      }
    };
    const slow = uploadWith("slow");
    await isHeld;
    onCall = () => undefined;
    const event = await existingRow((await uploadWith("slow")).event_id);
    await deleted(event);
    release();

    expect(await slow).to.deep.equal(REFUSED);
    await expectGone(event);
  });

  it("that was interrupted is completed when it is sent again", async () => {
    const { event_id } = await uploadWith("interrupted");
    const event = await existingRow(event_id);
    onCall = (call) => {
      if (call === "manager s3:DeleteObject") {
        throw new AwsError("AccessDenied", 403, "no");
      }
    };
    expect((await managed.ask(`DELETE /events/${event_id}`)).status).to.be.at.least(500);
    onCall = () => undefined;

    await deleted(event);

    await expectGone(event);
  });

  it("succeeds beside another deletion of the same event", async () => {
    const event = await failedEvent("twice.txt");
    const route = `DELETE /events/${event.event_id}`;

    const answers = await Promise.all([managed.ask(route), managed.ask(route)]);

    const statuses = answers.map(({ status }) => status);
    expect(statuses).to.include(204);
    expect([204, 404]).to.include.members(statuses);
    expect(await rowOf(event.event_id)).to.equal(undefined);
  });
});
