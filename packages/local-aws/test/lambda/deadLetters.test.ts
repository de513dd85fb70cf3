import { DynamoDBClient, PutItemCommand } from "@aws-sdk/client-dynamodb";
import { PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { ReceiveMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { expect } from "chai";
import { openCloud, REGION, type State, type TestCloud } from "../testCloud";

const FAILS = 'throw new Error("never works");';

describe("events and records that fail permanently", () => {
  let test: TestCloud;
  let queue: State;

  async function setUp(options: Parameters<typeof openCloud>[0] = {}): Promise<void> {
    test = await openCloud({ delayScale: 0.0001, ...options });
    queue = await test.make("sqs/queue:Queue", "dead", { messageRetentionSeconds: 1_209_600 });
  }

  afterEach(() => test.close());

  function clientOptions() {
    const { endpoint, roles } = test.cloud;
    return { endpoint, region: REGION, credentials: roles.operator };
  }

  function messages(): Record<string, unknown>[] {
    return test
      .queueMessages(queue.url ?? "")
      .map(({ body }) => JSON.parse(body) as Record<string, unknown>);
  }

  /** A bucket whose events go to a function that fails, and an object in it. */
  async function failOnObject(
    allowed: [string, string][],
    config: object = { maximumRetryAttempts: 2 },
  ): Promise<void> {
    const { arn, name } = await test.makeFunction("record", FAILS, allowed);
    await test.make("lambda/functionEventInvokeConfig:FunctionEventInvokeConfig", "record", {
      functionName: name,
      destinationConfig: { onFailure: { destination: queue.arn } },
      ...config,
    });
    const bucket = await test.make("s3/bucket:Bucket", "files", {});
    await test.make("lambda/permission:Permission", "record", {
      action: "lambda:InvokeFunction",
      function: name,
      principal: "s3.amazonaws.com",
      sourceArn: bucket.arn,
    });
    await test.make("s3/bucketNotification:BucketNotification", "record", {
      bucket: bucket.id,
      lambdaFunctions: [{ lambdaFunctionArn: arn, events: ["s3:ObjectCreated:*"] }],
    });
    test.cloud.start([]);
    const s3 = new S3Client(clientOptions());
    await s3.send(new PutObjectCommand({ Bucket: bucket.id, Key: "a file", Body: "1" }));
    s3.destroy();
    await test.cloud.idle();
  }

  it("as an S3 event ends in the queue after three attempts, whole", async () => {
    await setUp();
    await failOnObject([["sqs:SendMessage", queue.arn ?? ""]]);

    expect(test.invocations).to.have.lengthOf(3);
    const [{ requestContext, requestPayload } = {}, ...more] = messages();
    expect(more).to.deep.equal([]);
    expect(requestPayload).to.deep.equal(test.invocations[0]?.payload);
    expect(requestPayload).to.have.nested.property("Records[0].s3.object.key", "a+file");
    expect(requestContext).to.deep.include({
      condition: "RetriesExhausted",
      approximateInvokeCount: 3,
    });
    expect(test.errors).to.deep.equal([]);
  });

  it("is tried as often as the function's own configuration says", async () => {
    await setUp();
    await failOnObject([["sqs:SendMessage", queue.arn ?? ""]], { maximumRetryAttempts: 0 });
    expect(test.invocations).to.have.lengthOf(1);
    expect(messages()).to.have.lengthOf(1);
  });

  it("reaches no queue where the function's role may not send, and the denial is reported", async () => {
    await setUp();
    await failOnObject([["sqs:ReceiveMessage", queue.arn ?? ""]]);

    expect(messages()).to.deep.equal([]);
    expect(test.errors).to.have.lengthOf(1);
    expect(test.errors[0]).to.contain("sqs:SendMessage").and.to.contain(queue.arn);
  });

  /** A table whose stream goes to a function, and a row in it. */
  async function streamTo(body: string, destinationConfig?: object): Promise<State> {
    const table = await test.make("dynamodb/table:Table", "rows", {
      hashKey: "id",
      attributes: [{ name: "id", type: "S" }],
      streamEnabled: true,
      streamViewType: "NEW_AND_OLD_IMAGES",
    });
    const { arn } = await test.makeFunction("process", body, [
      ["dynamodb:*", table.streamArn ?? ""],
      ["sqs:SendMessage", queue.arn ?? ""],
    ]);
    await test.make("lambda/eventSourceMapping:EventSourceMapping", "process", {
      eventSourceArn: table.streamArn,
      functionName: arn,
      startingPosition: "TRIM_HORIZON",
      maximumRetryAttempts: 1,
      destinationConfig,
    });
    test.cloud.start([]);
    const dynamo = new DynamoDBClient(clientOptions());
    await dynamo.send(new PutItemCommand({ TableName: table.name, Item: { id: { S: "one" } } }));
    dynamo.destroy();
    await test.cloud.idle();
    return table;
  }

  it("as a stream batch ends in the queue with stream position only, no records", async () => {
    await setUp();
    const table = await streamTo(FAILS, { onFailure: { destinationArn: queue.arn } });

    expect(test.invocations).to.have.lengthOf(2);
    const [message, ...more] = messages();
    expect(more).to.deep.equal([]);
    expect(message).to.have.nested.property("requestContext.condition", "RetryAttemptsExhausted");
    expect(message?.DDBStreamBatchInfo).to.include({ streamArn: table.streamArn, batchSize: 1 });
    expect(message).not.to.have.property("requestPayload");
  });

  it("is listed without raising its receive count, and a receiver still gets it", async () => {
    await setUp();
    await failOnObject([["sqs:SendMessage", queue.arn ?? ""]]);
    const [listed] = test.queueMessages(queue.arn ?? "");
    expect(listed).to.deep.include({ receiveCount: 0, inFlight: false });

    const sqs = new SQSClient(clientOptions());
    const { Messages: received } = await sqs.send(
      new ReceiveMessageCommand({ QueueUrl: queue.url }),
    );
    sqs.destroy();

    expect(received?.map(({ MessageId }) => MessageId)).to.deep.equal([listed?.messageId]);
    expect(test.queueMessages(queue.arn ?? "")).to.deep.equal([
      { ...listed, receiveCount: 1, inFlight: true },
    ]);
  });

  it("are not listed for a missing queue: the error names it", async () => {
    await setUp();
    expect(() => test.queueMessages("http://127.0.0.1/1/other")).to.throw("other");
  });

  it("is not duplicated by faults, which redeliver events and batches", async () => {
    await setUp({ objectEventDelays: () => [0, 5, 1], replays: () => true });
    await streamTo("return {};");
    expect(test.invocations.map(({ payload }) => payload)).to.have.lengthOf(2);
    expect(test.invocations[1]?.payload).to.deep.equal(test.invocations[0]?.payload);

    await failOnObject([["sqs:SendMessage", queue.arn ?? ""]], { maximumRetryAttempts: 0 });
    expect(messages()).to.have.lengthOf(3);
  });
});
