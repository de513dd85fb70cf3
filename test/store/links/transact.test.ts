import { mock } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import type { DynamoDBClient, TransactWriteItemsCommand } from "@aws-sdk/client-dynamodb";
import { expect } from "chai";
import { transact, unlessRefused } from "../../../store/links/transact";

const ITEMS = [{ Delete: { TableName: "links", Key: {} } }];

function serviceError(name: string, codes?: string[]): Error {
  const CancellationReasons = codes?.map((Code) => ({ Code }));
  return Object.assign(new Error(name), { name, CancellationReasons });
}

const canceled = (...codes: string[]) => serviceError("TransactionCanceledException", codes);

/** A table whose answers are these: an error, or undefined for a write that takes effect. */
function tableOf(answer: (token: string | undefined) => Promise<void> | void) {
  const send = async ({ input }: TransactWriteItemsCommand) => answer(input.ClientRequestToken);
  return { dynamo: { send } as unknown as DynamoDBClient, linksTableName: "links" };
}

/** Lets the clock of a test run until a promise is settled. */
async function settled<T>(promise: Promise<T>): Promise<T> {
  const clock = { isOver: false };
  const stop = () => {
    clock.isOver = true;
  };
  promise.then(stop, stop);
  while (!clock.isOver) {
    await turn();
    mock.timers.tick(1);
  }
  return promise;
}

describe("transact", () => {
  beforeEach(() => {
    mock.timers.enable({ apis: ["setTimeout", "Date"], now: 0 });
  });

  afterEach(() => {
    mock.timers.reset();
  });

  it("gets 200 writes at once through to one item, of which DynamoDB lets one in at a time", async () => {
    let isBusy = false;
    let written = 0;
    let attempts = 0;
    const store = tableOf(async () => {
      attempts += 1;
      if (isBusy) {
        throw canceled("TransactionConflict", "None");
      }
      isBusy = true;
      await new Promise((resolve) => setTimeout(resolve, 10));
      isBusy = false;
      written += 1;
    });

    const all = Array.from({ length: 200 }, () => transact(store, ITEMS));
    const outcomes = await settled(Promise.allSettled(all));

    expect(outcomes.filter(({ status }) => status === "rejected")).to.deep.equal([]);
    expect(written).to.equal(200);
    // By the test's own clock. API Gateway waits for 29 seconds.
    expect(Date.now()).to.be.below(10_000);
    expect(attempts)
      .to.be.above(200)
      .and.below(200 * 30);
  });

  it("gives up after ten seconds, with an answer that says to come again", async () => {
    const store = tableOf(() => {
      throw canceled("TransactionConflict");
    });

    const error = await settled(transact(store, ITEMS)).catch((thrown: unknown) => thrown);

    expect(error).to.include({ statusCode: 503, code: "link_busy" });
    expect(Date.now()).to.be.within(8000, 10_000);
  });

  it("tells whose condition was false, also where another item was in a conflict", async () => {
    const store = tableOf(() => {
      throw canceled("TransactionConflict", "ConditionalCheckFailed", "None");
    });
    expect(await transact(store, ITEMS)).to.deep.equal([false, true, false]);
  });

  it("repeats a write of unknown outcome with its token, and a canceled one with another", async () => {
    const tokens: (string | undefined)[] = [];
    const answers = [
      serviceError("TransactionInProgressException"),
      canceled("TransactionConflict"),
      Object.assign(new Error("socket hang up"), { code: "ECONNRESET" }),
      undefined,
    ];
    const store = tableOf((token) => {
      tokens.push(token);
      const answer = answers.shift();
      if (answer) {
        throw answer;
      }
    });

    await settled(transact(store, ITEMS));

    expect(tokens).to.have.length(4);
    expect(tokens[0]).to.be.a("string").and.to.equal(tokens[1]);
    expect(tokens[2]).to.equal(tokens[3]).and.not.to.equal(tokens[0]);
  });

  it("passes every other error on", async () => {
    const refused = serviceError("ValidationException");
    const store = tableOf(() => {
      throw refused;
    });
    expect(await transact(store, ITEMS).catch((thrown: unknown) => thrown)).to.equal(refused);
  });

  it("waits for a transaction that is at work on an item of a single write", async () => {
    const answers = [serviceError("TransactionConflictException"), undefined];
    const write = () => {
      const answer = answers.shift();
      return answer ? Promise.reject(answer) : Promise.resolve();
    };
    expect(await settled(unlessRefused(write))).to.equal(true);
    const refused = serviceError("ConditionalCheckFailedException");
    expect(await unlessRefused(() => Promise.reject(refused))).to.equal(false);
  });
});
