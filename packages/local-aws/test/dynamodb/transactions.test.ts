import { expect } from "chai";
import type { ItemChange } from "../../dynamodb/changeFeed";
import { createDynamoDb, type DynamoDbEngine } from "../../dynamodb/engine";
import { ACCOUNT, call, EVENTS, itemOf, keyOf, REGION } from "./fixtures";

describe("DynamoDB's transactions", () => {
  let db: DynamoDbEngine;
  let changes: ItemChange[];

  beforeEach(async () => {
    db = createDynamoDb({ region: REGION, accountId: ACCOUNT });
    await db.createTable(EVENTS);
    await db.createTable({ ...EVENTS, tableName: "others" });
    changes = [];
    for (const name of ["events", "others"]) {
      db.onChange(name, (change) => {
        changes.push(change);
        return () => undefined;
      });
    }
  });
  afterEach(() => db.close());

  const write = (TransactItems: object[], options: object = {}) =>
    call(db, "TransactWriteItems", { TransactItems, ...options });
  const put = (id: string, status?: string, options: object = {}, TableName = "events") => ({
    Put: { TableName, Item: itemOf(id, status), ...options },
  });
  const update = (id: string, status: string, options: object = {}) => ({
    Update: {
      TableName: "events",
      Key: keyOf(id),
      UpdateExpression: "SET event_status = :s",
      ExpressionAttributeValues: { ":s": { S: status } },
      ...options,
    },
  });
  const remove = (id: string) => ({ Delete: { TableName: "events", Key: keyOf(id) } });
  const check = (id: string, ConditionExpression?: string) => ({
    ConditionCheck: {
      TableName: "events",
      Key: keyOf(id),
      ConditionExpression,
      ReturnValuesOnConditionCheckFailure: "ALL_OLD",
    },
  });
  const items = async (TableName = "events"): Promise<unknown> =>
    (await call(db, "Scan", { TableName })).answer.Items;

  it("write all parts together, each with its stream record", async () => {
    await write([put("old"), put("gone")]);
    changes.length = 0;

    const { status, answer } = await write([
      put("new", "uploaded", {}, "others"),
      update("old", "processed"),
      remove("gone"),
      check("absent", "attribute_not_exists(event_id)"),
    ]);

    expect(status).to.equal(200);
    expect(answer).to.deep.equal({});
    expect(await items()).to.deep.equal([itemOf("old", "processed")]);
    expect(await items("others")).to.deep.equal([itemOf("new")]);
    expect(changes.map(({ eventName, keys }) => [eventName, keys.event_id?.S])).to.deep.equal([
      ["INSERT", "new"],
      ["MODIFY", "old"],
      ["REMOVE", "gone"],
    ]);
  });

  it("write nothing if one part fails, and say why", async () => {
    await write([put("a", "processed")]);
    changes.length = 0;

    const wrongKey = await write([
      put("b"),
      { Delete: { TableName: "events", Key: { event_id: { S: "d" } } } },
    ]);
    const failed = await write([
      put("b"),
      update("a", "failed", {
        ConditionExpression: "attribute_not_exists(event_id)",
        ReturnValuesOnConditionCheckFailure: "ALL_OLD",
      }),
      check("c", "attribute_exists(event_id)"),
    ]);

    expect(wrongKey.status).to.equal(400);
    expect(wrongKey.answer).to.nested.include({
      __type: "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
      "CancellationReasons[0].Code": "None",
      "CancellationReasons[1].Code": "ValidationError",
    });
    expect(failed.answer).to.deep.equal({
      __type: "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
      message:
        "Transaction cancelled, please refer cancellation reasons for specific reasons " +
        "[None, ConditionalCheckFailed, ConditionalCheckFailed]",
      CancellationReasons: [
        { Code: "None" },
        {
          Code: "ConditionalCheckFailed",
          Message: "The conditional request failed",
          Item: itemOf("a", "processed"),
        },
        { Code: "ConditionalCheckFailed", Message: "The conditional request failed" },
      ],
    });
    expect(await items()).to.deep.equal([itemOf("a", "processed")]);
    expect(changes).to.deep.equal([]);
  });

  it("are alone with their items: concurrent counters lose nothing, over two tables", async () => {
    const add = (TableName: string, id: string) => ({
      Update: {
        TableName,
        Key: keyOf(id),
        UpdateExpression: "ADD n :one",
        ExpressionAttributeValues: { ":one": { N: "1" } },
      },
    });

    const answers = await Promise.all(
      Array.from({ length: 30 }, (_, n) =>
        n % 3 === 0
          ? call(db, "UpdateItem", add("events", "x").Update)
          : write(
              n % 3 === 1
                ? [add("others", "y"), add("events", "x")]
                : [add("events", "x"), add("events", "z"), add("others", "y")],
            ),
      ),
    );

    expect(answers.map(({ status }) => status)).to.deep.equal(Array(30).fill(200));
    const { answer } = await call(db, "TransactGetItems", {
      TransactItems: [
        { Get: { TableName: "events", Key: keyOf("x"), ProjectionExpression: "n" } },
        { Get: { TableName: "others", Key: keyOf("y"), ProjectionExpression: "n" } },
        { Get: { TableName: "events", Key: keyOf("none") } },
      ],
    });
    expect(answer).to.deep.equal({
      Responses: [{ Item: { n: { N: "30" } } }, { Item: { n: { N: "20" } } }, {}],
    });
  });

  it("are done once for a token, and refuse other parameters with it", async () => {
    const count = update("a", "x", { UpdateExpression: "ADD n :s" });
    count.Update.ExpressionAttributeValues = { ":s": { N: "1" } } as never;
    const options = { ClientRequestToken: "token", ReturnConsumedCapacity: "TOTAL" };

    const [first, second] = await Promise.all([write([count], options), write([count], options)]);
    const third = await write([count], options);
    const other = await write([put("b")], options);
    const failing = [put("b", "x", { ConditionExpression: "attribute_exists(event_id)" })];
    await write(failing, { ClientRequestToken: "again" });
    await write([put("b", "y")]);
    const again = await write(failing, { ClientRequestToken: "again" });

    expect(first.answer).to.deep.equal({
      ConsumedCapacity: [{ TableName: "events", CapacityUnits: 2 }],
    });
    expect([second.answer, third.answer]).to.deep.equal([first.answer, first.answer]);
    expect(other.answer.__type).to.contain("IdempotentParameterMismatchException");
    expect(again.status).to.equal(200);
    const { answer } = await call(db, "GetItem", { TableName: "events", Key: keyOf("a") });
    expect(answer.Item).to.deep.include({ n: { N: "1" } });
  });

  it("refuse what DynamoDB refuses, before anything is written", async () => {
    const cases: [items: unknown, type: string, message: RegExp][] = [
      [[], "ValidationException", /between 1 and 100/],
      [Array(101).fill(put("a")), "ValidationException", /between 1 and 100/],
      [[put("a"), update("a", "x")], "ValidationException", /multiple operations on one item/],
      [[{ ...put("a"), ...remove("b") }], "ValidationException", /has Put, Delete/],
      [[{ Get: { TableName: "events", Key: keyOf("a") } }], "ValidationException", /has Get/],
      [[check("a")], "ValidationException", /ConditionExpression/],
      [[put("a", "x", { ConditionExpression: "=" })], "ValidationException", /ConditionExpression/],
      [[put("a"), put("a", "x", {}, "nothing")], "ResourceNotFoundException", /not found/],
    ];
    for (const [TransactItems, type, message] of cases) {
      const { status, answer } = await call(db, "TransactWriteItems", { TransactItems });

      expect(status).to.equal(400);
      expect(answer.__type).to.contain(type);
      expect(answer.message).to.match(message);
    }
    expect(await items()).to.deep.equal([]);
  });
});
