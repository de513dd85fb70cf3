import { expect } from "chai";
import { DEFAULTS } from "../../config";
import { type Inputs } from "../../testing/mockedAws";
import { ofType, only, type Recording, recordProgram } from "../../testing/recordingMocks";
import { functionArn, QUEUE, STREAM } from "./names";

describe("The program's tables", () => {
  let recording: Recording;

  before(async () => {
    recording = await recordProgram();
  });

  function inputs(type: string, name?: string): Inputs {
    return only(recording, type, name).inputs;
  }

  it("have, for events, the keys and the two indexes, on demand, with point-in-time recovery", () => {
    const timeOrdered = { rangeKey: "event_timestamp", projectionType: "ALL" };
    expect(inputs("Table", "events")).to.deep.equal({
      billingMode: "PAY_PER_REQUEST",
      hashKey: "event_id",
      rangeKey: "event_timestamp",
      attributes: [
        { name: "event_id", type: "S" },
        { name: "event_timestamp", type: "S" },
        { name: "event_status", type: "S" },
        { name: "link_id", type: "S" },
      ],
      globalSecondaryIndexes: [
        { name: "time-index", hashKey: "event_status", ...timeOrdered },
        { name: "link-index", hashKey: "link_id", ...timeOrdered },
      ],
      streamEnabled: true,
      streamViewType: "NEW_AND_OLD_IMAGES",
      pointInTimeRecovery: { enabled: true },
    });
  });

  it("expire Idempotency-Keys, without a stream", () => {
    expect(inputs("Table", "uploads-idempotency")).to.deep.equal({
      billingMode: "PAY_PER_REQUEST",
      hashKey: "idempotency_key",
      attributes: [{ name: "idempotency_key", type: "S" }],
      ttl: { attributeName: "expires_at", enabled: true },
    });
  });

  it("keep counts by kind and period, without a stream", () => {
    expect(inputs("Table", "events-counts")).to.deep.equal({
      billingMode: "PAY_PER_REQUEST",
      hashKey: "kind",
      rangeKey: "period",
      attributes: [
        { name: "kind", type: "S" },
        { name: "period", type: "S" },
      ],
    });
  });

  it("keep links and claims by link, list links and find open claims, without a stream", () => {
    expect(inputs("Table", "links")).to.deep.equal({
      billingMode: "PAY_PER_REQUEST",
      hashKey: "link_id",
      rangeKey: "item",
      attributes: [
        { name: "link_id", type: "S" },
        { name: "item", type: "S" },
        { name: "listed", type: "S" },
        { name: "open_until", type: "S" },
      ],
      globalSecondaryIndexes: [
        { name: "listed-index", hashKey: "listed", rangeKey: "link_id", projectionType: "ALL" },
        { name: "open-index", hashKey: "link_id", rangeKey: "open_until", projectionType: "ALL" },
      ],
      ttl: { attributeName: "removed_at", enabled: true },
      pointInTimeRecovery: { enabled: true },
    });
  });

  const mappings = {
    process: {
      batchSize: 100,
      maximumBatchingWindowInSeconds: 0,
      patterns: ['{"dynamodb":{"NewImage":{"event_status":{"S":["created","uploaded"]}}}}'],
    },
    notify: {
      batchSize: 1000,
      maximumBatchingWindowInSeconds: DEFAULTS.digestSeconds,
      patterns: [
        '{"dynamodb":{"NewImage":{"event_status":{"S":["processed"]}}}}',
        '{"dynamodb":{"NewImage":{"event_status":{"S":["failed"]},"alarmed_at":{"S":[{"exists":false}]},"no_alarm":{"BOOL":[{"exists":false}]}}}}',
      ],
    },
  };

  for (const [name, { patterns, ...settings }] of Object.entries(mappings)) {
    it(`invoke ${name} for rows of its own statuses, from the first row on, with limited retries`, () => {
      const { maximumRetryAttempts, maximumRecordAgeInSeconds, ...mapping } = inputs(
        "EventSourceMapping",
        `events-${name}`,
      );
      expect(mapping).to.deep.equal({
        eventSourceArn: STREAM,
        functionName: functionArn(name),
        filterCriteria: { filters: patterns.map((pattern) => ({ pattern })) },
        startingPosition: "TRIM_HORIZON",
        functionResponseTypes: ["ReportBatchItemFailures"],
        bisectBatchOnFunctionError: true,
        destinationConfig: { onFailure: { destinationArn: QUEUE } },
        ...settings,
      });
      expect(maximumRetryAttempts).to.be.within(1, 100);
      // A stream keeps its records for a day.
      expect(maximumRecordAgeInSeconds).to.be.within(60, 24 * 60 * 60 - 1);
    });
  }

  it("have no third reader: a stream serves two", () => {
    expect(ofType(recording, "EventSourceMapping")).to.have.length(2);
  });
});
