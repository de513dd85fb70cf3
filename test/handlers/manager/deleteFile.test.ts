import { UpdateItemCommand } from "@aws-sdk/client-dynamodb";
import { GetObjectCommand } from "@aws-sdk/client-s3";
import { expect } from "chai";
import type { FileEvent } from "../../../events/event";
import { keyItem } from "../../../events/item";
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

  it("leaves no file without a row when an upload is repeated meanwhile", async () => {
    const repeat = async () => {
      const { status } = await fetch(String(managed.run.outputs.uploadUrl), {
        method: "POST",
        headers: { "content-type": "text/plain", "idempotency-key": "repeated" },
        body: "the same file",
      });
      expect(status).to.equal(201);
    };
    await repeat();
    await managed.run.idle();
    const rows = await managed.rows();
    const event =
      rows.find(({ event_info }) => event_info.Size === "the same file".length) ??
      expect.fail("There is no row.");
    onCall = async (call) => {
      if (call === "manager dynamodb:DeleteItem") {
        await repeat();
        await managed.run.idle();
      }
    };

    const answer = await managed.ask(`DELETE /events/${event.event_id}`);

    expect(answer.status).to.equal(204);
    expect(await rowOf(event.event_id)).to.equal(undefined);
    expect(await fileOf(event)).to.equal("NoSuchKey");
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
