import { join } from "node:path";
import { expect } from "chai";
import { createDynamoDb, type DynamoDbEngine, type TableDefinition } from "../../dynamodb/engine";
import { ACCOUNT, call, EVENTS, inFolder, itemOf, keyOf, REGION } from "./fixtures";

describe("local DynamoDB", () => {
  const open: DynamoDbEngine[] = [];
  const create = (path?: string): DynamoDbEngine => {
    const db = createDynamoDb({ path, region: REGION, accountId: ACCOUNT });
    open.push(db);
    return db;
  };
  const createTable = async (path?: string): Promise<DynamoDbEngine> => {
    const db = create(path);
    await db.createTable(EVENTS);
    return db;
  };
  const failureOf = async (work: Promise<unknown>): Promise<string> => {
    try {
      await work;
    } catch (error) {
      return String(error);
    }
    throw new Error("expected a failure");
  };

  afterEach(async () => {
    await Promise.all(open.splice(0).map((db) => db.close()));
  });

  it("shows a table's ARNs in the given region and account", async () => {
    const db = await createTable();

    const { answer } = await call(db, "DescribeTable", { TableName: "events" });

    const arn = `arn:aws:dynamodb:${REGION}:${ACCOUNT}:table/events`;
    expect(answer.Table).to.deep.include({
      TableArn: arn,
      TableStatus: "ACTIVE",
      LatestStreamArn: db.streamArn("events"),
      StreamSpecification: { StreamEnabled: true, StreamViewType: "NEW_AND_OLD_IMAGES" },
    });
    expect(answer.Table).to.have.nested.property(
      "GlobalSecondaryIndexes[0].IndexArn",
      `${arn}/index/time-index`,
    );
    expect(db.tableArn("events")).to.equal(arn);
    expect(db.streamArn("events")).to.match(
      /^arn:aws:dynamodb:eu-west-1:123456789012:table\/events\/stream\/\d{4}-\d\d-\d\dT[\d:.]{12}$/,
    );
  });

  it("refuses a put whose condition fails", async () => {
    const db = await createTable();
    const put = {
      TableName: "events",
      Item: itemOf("a"),
      ConditionExpression: "attribute_not_exists(event_id)",
    };

    const first = await call(db, "PutItem", put);
    const second = await call(db, "PutItem", put);

    expect(first.status).to.equal(200);
    expect(second.status).to.equal(400);
    expect(second.answer.__type).to.contain("ConditionalCheckFailedException");
  });

  it("gives the item that a condition failed for, where it is asked for", async () => {
    const db = await createTable();
    await call(db, "PutItem", { TableName: "events", Item: itemOf("a", "processed") });
    const expression = "attribute_not_exists(event_id)";
    const onFailure = { ReturnValuesOnConditionCheckFailure: "ALL_OLD" };
    const failing = (operation: string, input: object) =>
      call(db, operation, { TableName: "events", ConditionExpression: expression, ...input });

    for (const [operation, input] of [
      ["PutItem", { Item: itemOf("a") }],
      ["UpdateItem", { Key: keyOf("a"), UpdateExpression: "REMOVE event_status" }],
      ["DeleteItem", { Key: keyOf("a") }],
    ] as const) {
      const { status, answer } = await failing(operation, { ...input, ...onFailure });
      const without = await failing(operation, input);

      expect(status).to.equal(400);
      expect(answer.__type).to.contain("ConditionalCheckFailedException");
      expect(answer.Item).to.deep.equal(itemOf("a", "processed"));
      expect(without.answer).not.to.have.property("Item");
    }
    const absent = await failing("DeleteItem", {
      Key: keyOf("b"),
      ConditionExpression: "attribute_exists(event_id)",
      ...onFailure,
    });
    expect(absent.answer.__type).to.contain("ConditionalCheckFailedException");
    expect(absent.answer).not.to.have.property("Item");
    const unknown = await failing("PutItem", {
      Item: itemOf("a"),
      ReturnValuesOnConditionCheckFailure: "ALL_NEW",
    });
    expect(unknown.answer.__type).to.contain("ValidationException");
  });

  it("pages through an index in time order, both ways", async () => {
    const db = await createTable();
    const times = ["2026-01-03", "2026-01-01", "2026-01-04", "2026-01-02"];
    for (const time of times) {
      const Item = { ...itemOf(`id-${time}`), event_timestamp: { S: time } };
      await call(db, "PutItem", { TableName: "events", Item });
    }
    const page = async (input: object) => {
      const { answer } = await call(db, "Query", {
        TableName: "events",
        IndexName: "time-index",
        KeyConditionExpression: "event_status = :s",
        ExpressionAttributeValues: { ":s": { S: "uploaded" } },
        Limit: 3,
        ...input,
      });
      const items = answer.Items as ReturnType<typeof itemOf>[];
      return { days: items.map((i) => i.event_timestamp.S.slice(-1)).join(""), answer };
    };

    const first = await page({});
    const second = await page({ ExclusiveStartKey: first.answer.LastEvaluatedKey });
    const newest = await page({ ScanIndexForward: false });

    expect(first.days).to.equal("123");
    expect(second.days).to.equal("4");
    expect(second.answer).not.to.have.property("LastEvaluatedKey");
    expect(newest.days).to.equal("432");
  });

  it("keeps rows and the stream's ARN in its folder, which it creates if missing", () =>
    inFolder(async (folder) => {
      const path = join(folder, "data", "tables");
      const before = await createTable(path);
      await call(before, "PutItem", { TableName: "events", Item: itemOf("a") });
      await before.close();

      const after = await createTable(path);

      const { answer } = await call(after, "GetItem", { TableName: "events", Key: keyOf("a") });
      expect(answer.Item).to.deep.equal(itemOf("a"));
      expect(after.streamArn("events")).to.equal(before.streamArn("events"));
    }));

  const TENANT_INDEX = {
    name: "tenant-index",
    hashKey: "tenant",
    rangeKey: "event_timestamp",
    projectionType: "ALL",
  };
  const [TIME_INDEX] = EVENTS.globalSecondaryIndexes;
  const withIndexes = (...indexes: TableDefinition["globalSecondaryIndexes"]) => ({
    ...EVENTS,
    attributes: [...EVENTS.attributes, { name: "tenant", type: "S" }],
    globalSecondaryIndexes: indexes,
  });

  it("adds a new index to a table of an earlier run, and fills it with the rows that have its key", () =>
    inFolder(async (folder) => {
      const before = await createTable(folder);
      const rows: [id: string, tenant: Record<string, unknown> | undefined][] = [
        ["a", { S: "me" }],
        ["b", undefined],
        ["c", { N: "1" }],
        ["d", { S: "" }],
        ["e", { S: "you" }],
        ["f", { S: "me" }],
      ];
      for (const [id, tenant] of rows) {
        const Item = { ...itemOf(id), ...(tenant && { tenant }) };
        await call(before, "PutItem", { TableName: "events", Item });
      }
      await before.close();

      const after = create(folder);
      await after.createTable(withIndexes(TENANT_INDEX, ...EVENTS.globalSecondaryIndexes));
      await call(after, "PutItem", {
        TableName: "events",
        Item: { ...itemOf("g"), tenant: { S: "me" } },
      });
      await call(after, "DeleteItem", { TableName: "events", Key: keyOf("a") });
      const idsOf = async (IndexName: string, condition: string, value: string) => {
        const { answer } = await call(after, "Query", {
          TableName: "events",
          IndexName,
          KeyConditionExpression: `${condition} = :v`,
          ExpressionAttributeValues: { ":v": { S: value } },
        });
        return (answer.Items as ReturnType<typeof itemOf>[]).map((item) => item.event_id.S).sort();
      };

      expect(await idsOf("tenant-index", "tenant", "me")).to.deep.equal(["f", "g"]);
      expect(await idsOf("time-index", "event_status", "uploaded")).to.have.length(6);
      expect(after.streamArn("events")).to.equal(before.streamArn("events"));
      const { answer } = await call(after, "DescribeTable", { TableName: "events" });
      expect(answer)
        .to.have.nested.property("Table.GlobalSecondaryIndexes[1]")
        .that.deep.includes({
          IndexName: "tenant-index",
          IndexStatus: "ACTIVE",
          IndexArn: `${after.tableArn("events")}/index/tenant-index`,
        });
      await after.close();
      await create(folder).createTable(withIndexes(TENANT_INDEX, ...EVENTS.globalSecondaryIndexes));
    }));

  it("refuses a folder whose table has other keys or an index that changed, and names the remedy", () =>
    inFolder(async (folder) => {
      await (await createTable(folder)).close();
      const others: TableDefinition[] = [
        { ...EVENTS, globalSecondaryIndexes: [] },
        { ...EVENTS, rangeKey: "event_status" },
        withIndexes(...EVENTS.globalSecondaryIndexes),
        withIndexes({ ...TIME_INDEX, ...TENANT_INDEX, name: "time-index" }),
        {
          ...withIndexes(...EVENTS.globalSecondaryIndexes, TENANT_INDEX),
          attributes: ["event_id", "event_timestamp", "event_status", "tenant"].map((name) => ({
            name,
            type: name === "event_status" ? "N" : "S",
          })),
        },
      ];

      for (const other of others) {
        const db = create(folder);
        const error = await failureOf(db.createTable(other));
        await db.close();

        expect(error).to.contain('"events"').and.contain(folder).and.contain("another data folder");
      }
    }));

  it("refuses a folder that another run uses", () =>
    inFolder(async (folder) => {
      const first = await createTable(folder);

      const error = await failureOf(create(folder).createTable(EVENTS));
      await first.close();

      expect(error).to.contain("another run uses it");
    }));

  it("refuses an unknown operation by name", async () => {
    const { status, answer } = await call(create(), "ExecuteStatement", {});

    expect(status).to.equal(400);
    expect(answer.__type).to.contain("UnknownOperationException");
    expect(answer.message).to.contain("ExecuteStatement");
  });

  it("answers a request that is not JSON, or not valid, with DynamoDB's own errors", async () => {
    const db = await createTable();

    const torn = await db.handle({
      method: "POST",
      url: "/",
      headers: { "x-amz-target": "DynamoDB_20120810.GetItem" },
      body: Buffer.from("{"),
    });
    const invalid = await call(db, "GetItem", { TableName: "events", Key: {} });
    const missing = await call(db, "GetItem", { TableName: "nothing", Key: keyOf("a") });

    expect(torn.status).to.equal(400);
    expect(torn.body.toString()).to.contain("SerializationException");
    expect(invalid.answer.__type).to.contain("ValidationException");
    expect(missing.answer.__type).to.contain("ResourceNotFoundException");
  });

  it("has no stream ARN for a table without a stream", async () => {
    const db = create();
    await db.createTable({ ...EVENTS, streamViewType: undefined });

    expect(() => db.streamArn("events")).to.throw('"events" has no stream');
    expect(() => db.streamArn("other")).to.throw('no DynamoDB table "other"');
  });

  it("finishes open requests when it is closed, and refuses later ones", async () => {
    const db = await createTable();
    // On one key, and so one after the other; far less work than fits into the half second of a close.
    const running = Array.from({ length: 20 }, (_, n) =>
      call(db, "PutItem", { TableName: "events", Item: itemOf("a", `status ${n}`) }),
    );

    await db.close();

    const statuses = (await Promise.all(running)).map(({ status }) => status);
    expect(new Set(statuses)).to.deep.equal(new Set([200]));
    expect((await call(db, "GetItem", { TableName: "events", Key: keyOf("a") })).status).to.equal(
      503,
    );
  });
});
