import { expect } from "chai";
import type { ItemChange } from "../../dynamodb/changeFeed";
import { createDynamoDb, type DynamoDbEngine } from "../../dynamodb/engine";
import { ACCOUNT, call, EVENTS, itemOf, keyOf, REGION } from "./fixtures";

describe("change feed", () => {
  let db: DynamoDbEngine;
  let changes: ItemChange[];

  beforeEach(async () => {
    db = createDynamoDb({ region: REGION, accountId: ACCOUNT });
    await db.createTable(EVENTS);
    changes = [];
  });
  afterEach(() => db.close());

  const collect = (): void => {
    db.onChange("events", (change) => {
      changes.push(change);
      return () => undefined;
    });
  };
  const put = (id: string, status?: string) =>
    call(db, "PutItem", { TableName: "events", Item: itemOf(id, status) });
  const update = (id: string, status: string, condition?: string) =>
    call(db, "UpdateItem", {
      TableName: "events",
      Key: keyOf(id),
      UpdateExpression: "SET event_status = :s",
      ConditionExpression: condition,
      ExpressionAttributeValues: { ":s": { S: status } },
    });
  const remove = (id: string) => call(db, "DeleteItem", { TableName: "events", Key: keyOf(id) });

  it("reports an insert, a modify and a remove with both images", async () => {
    collect();

    await put("a");
    await update("a", "processed");
    await remove("a");

    const [old, processed] = [itemOf("a"), itemOf("a", "processed")];
    expect(changes).to.deep.equal([
      { eventName: "INSERT", keys: keyOf("a"), newImage: old },
      { eventName: "MODIFY", keys: keyOf("a"), oldImage: old, newImage: processed },
      { eventName: "REMOVE", keys: keyOf("a"), oldImage: processed },
    ]);
  });

  it("reports the writes of a batch", async () => {
    await put("a");
    collect();

    await call(db, "BatchWriteItem", {
      RequestItems: {
        events: [{ PutRequest: { Item: itemOf("b") } }, { DeleteRequest: { Key: keyOf("a") } }],
      },
    });

    expect(
      changes.map(({ eventName, keys }) => [eventName, keys.event_id?.S]),
    ).to.have.deep.members([
      ["INSERT", "b"],
      ["REMOVE", "a"],
    ]);
  });

  it("omits writes that change nothing: the same item, a delete of nothing, a failed condition", async () => {
    await put("a");
    collect();

    await put("a");
    await update("a", "uploaded");
    await remove("b");
    await update("a", "processed", "event_status = :s");

    expect(changes).to.deep.equal([]);
  });

  it("reports concurrent changes of one key in order", async () => {
    await put("a", "0");
    collect();

    await Promise.all(Array.from({ length: 40 }, (_, n) => update("a", `status ${n}`)));

    expect(changes).to.have.length(40);
    changes.slice(1).forEach(({ oldImage }, index) => {
      expect(oldImage).to.deep.equal(changes[index]?.newImage);
    });
  });

  it("rebuilds the table: 300 random writes at once, on ten keys", async () => {
    collect();
    const random = (limit: number): number => Math.floor(Math.random() * limit);

    await Promise.all(
      Array.from({ length: 300 }, () => {
        const id = `id-${random(10)}`;
        const status = `status ${random(3)}`;
        const kind = random(3);
        if (kind === 0) {
          return put(id, status);
        }
        return kind === 1 ? update(id, status) : remove(id);
      }),
    );

    const rebuilt = new Map<string, unknown>();
    for (const { keys, newImage } of changes) {
      const key = JSON.stringify(keys);
      if (newImage) {
        rebuilt.set(key, newImage);
      } else {
        rebuilt.delete(key);
      }
    }
    const { answer } = await call(db, "Scan", { TableName: "events" });
    expect(answer.Items).to.have.deep.members([...rebuilt.values()]);
  });

  it("reports before the row is written, and again before the caller is answered", async () => {
    const steps: string[] = [];
    let reading: Promise<unknown> = Promise.resolve();
    db.onChange("events", () => {
      reading = call(db, "GetItem", { TableName: "events", Key: keyOf("a") }).then(({ answer }) =>
        steps.push("Item" in answer ? "read row" : "read nothing"),
      );
      steps.push("before");
      return (written) => steps.push(`written: ${String(written)}`);
    });

    await put("a").then(() => steps.push("answer"));
    await reading;

    expect(steps.filter((step) => !step.startsWith("read"))).to.deep.equal([
      "before",
      "written: true",
      "answer",
    ]);
  });

  it("does not write a row whose change could not be recorded", async () => {
    db.onChange("events", () => {
      throw new Error("no space left on device");
    });

    const { status, answer } = await put("a");

    expect(status).to.equal(500);
    expect(answer.message).to.contain("no space left on device");
    const read = await call(db, "GetItem", { TableName: "events", Key: keyOf("a") });
    expect(read.answer).not.to.have.property("Item");
  });

  it("leaves the index as it was where a row is not written", async () => {
    await put("a");
    let isFull = true;
    db.onChange("events", () => {
      if (isFull) {
        throw new Error("no space left on device");
      }
      return () => undefined;
    });
    const indexed = async () => {
      const { answer } = await call(db, "Scan", { TableName: "events", IndexName: "time-index" });
      return answer.Items;
    };

    await put("b");
    await update("a", "processed");
    await remove("a");

    expect(await indexed()).to.deep.equal([itemOf("a")]);
    isFull = false;
    await update("a", "processed");
    expect(await indexed()).to.deep.equal([itemOf("a", "processed")]);
    await remove("a");
    expect(await indexed()).to.deep.equal([]);
  });

  it("answers, and does not crash, when the end of a write cannot be recorded", async () => {
    db.onChange("events", () => () => {
      throw new Error("no space left on device");
    });

    const { status, answer } = await put("a");

    expect(status).to.equal(500);
    expect(answer.message).to.contain("no space left on device");
  });
});
