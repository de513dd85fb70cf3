import { randomUUID } from "node:crypto";
import { ScanCommand } from "@aws-sdk/client-dynamodb";
import { expect } from "chai";
import type { FileEvent } from "../../../events/event";
import type { Item } from "../../../events/item";
import { statusAttributes } from "../../../events/partitions";
import { failedEvent, itemOf, processedEvent } from "../../../testing/events";
import { type Program, startProgram } from "../../../testing/startProgram";
import { upToDate } from "./iteratorAge";

const MAX_ATTEMPTS = 2;

function ago(seconds: number): string {
  return new Date(Date.now() - seconds * 1000).toISOString();
}

describe("sweep, of an index with 8 shards", function () {
  let program: Program;

  before(async () => {
    program = await startProgram({
      statusShards: "8",
      stuckSeconds: "4",
      maxAttempts: String(MAX_ATTEMPTS),
    });
    program.answerCall = upToDate;
  });

  after(() => program.stop());

  /** Two rows in each shard, unchanged for a minute. */
  async function putRows(event: FileEvent): Promise<void> {
    for (let n = 0; n < 16; n += 1) {
      const event_id = randomUUID().slice(0, -1) + n.toString(16);
      const row = itemOf({ ...event, event_id, event_timestamp: ago(60), updated_at: ago(60) });
      await program.putRow({ ...row, ...statusAttributes(event_id, event.event_status, 8) });
    }
  }

  async function rows(): Promise<Item[]> {
    const { Items: items = [] } = await program.dynamo.send(
      new ScanCommand({ TableName: program.tableName, ConsistentRead: true }),
    );
    return items;
  }

  async function sweepAndRead() {
    const { functionError } = await program.invoke("sweep", {});
    expect(functionError).to.equal(undefined);
    return (await rows()).map(({ status_shard: shard, attempts }) => [shard?.S, attempts?.N]);
  }

  const inEachShard = (status: string, attempts: number) =>
    Array.from({ length: 16 }, (_, n) => [`${status}#${n % 8}`, String(attempts)]);

  it("redelivers stuck events in every shard, and gives up after the last attempt", async () => {
    await putRows(processedEvent());
    await putRows(processedEvent({ event_status: "uploaded", attempts: MAX_ATTEMPTS }));
    await putRows(failedEvent());

    const swept = await sweepAndRead();

    expect(swept).to.have.deep.members([
      ...inEachShard("processed", 1),
      ...inEachShard("failed", MAX_ATTEMPTS),
      ...inEachShard("failed", 1),
    ]);
  });
});
