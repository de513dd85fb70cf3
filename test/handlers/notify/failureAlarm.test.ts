import { expect } from "chai";
import fc from "fast-check";
import { failureAlarms } from "../../../handlers/notify/failureAlarm";
import { failedEvent } from "../../../testing/events";
import { anyText } from "../../events/arbitraries";

/** https://docs.aws.amazon.com/sns/latest/api/API_Publish.html */
const MAX_SNS_BYTES = 262_144;

const LINE_BREAK = /\r\n|[\n\r\v\f\u0085\u2028\u2029]/;

describe("the alarm of one failed event", () => {
  it("has the file, the error, the location and what to do", () => {
    const [alarm, ...more] = failureAlarms([failedEvent()]);

    expect(more).to.deep.equal([]);
    expect(alarm?.subject).to.equal('File failed: "cat.jpg"');
    expect(alarm?.message.split("\n").slice(0, 11)).to.deep.equal([
      "A stored file could not be processed completely.",
      "",
      "File:        cat.jpg",
      "Step:        process",
      "Error:       NoSuchKey: The key does not exist.",
      "Failed from: uploaded",
      "Location:    s3://files/photos/cat.jpg",
      "Event:       019a0000-abcd-7abc-8abc-abcdefabcdef",
      "Received:    2026-11-21T20:00:00.000Z",
      "Failed:      2026-11-21T20:00:01.000Z",
      "",
    ]);
    expect(alarm?.message).to.contain("What to do:").and.contain("retry");
  });

  it("has what the uploader said of the file, and its link", () => {
    const { event_info } = failedEvent();
    const events = [1, 2].map((id) =>
      failedEvent({
        event_id: `id-${id}`,
        event_info: { ...event_info, Metadata: { customer: "Müller" } },
        link_id: "a-link",
      }),
    );

    const [alarm] = failureAlarms(events.slice(1));
    const [digest] = failureAlarms(events);

    expect(alarm?.message).to.include("Metadata:    customer = Müller\nLink:        a-link\n");
    expect(digest?.message.split("  metadata customer = Müller\n  link a-link\n")).to.have.length(
      3,
    );
  });

  it("is valid for a row without an error", () => {
    const event = failedEvent({ last_error: undefined, failed_from: undefined });
    expect(failureAlarms([event])[0]?.message).to.not.match(/undefined|null/);
  });

  it("is accepted by SNS, and no error or name can forge a line", () => {
    const lines = failureAlarms([failedEvent()])[0]?.message.split("\n").length ?? 0;
    fc.assert(
      fc.property(anyText, anyText, (name, message) => {
        const [alarm] = failureAlarms([
          failedEvent({
            event_info: { Bucket: "b", Key: `k${name}`, FileName: name },
            last_error: { code: name, message: `no\n${message}`, step: "process" },
          }),
        ]);
        expect(alarm?.subject).to.match(/^File failed: "[\x20-\x7e]{0,84}"(\.\.\.)?$/);
        expect(alarm?.message.split(LINE_BREAK)).to.have.lengthOf(lines);
        expect(alarm?.message.isWellFormed()).to.equal(true);
      }),
    );
  });
});

describe("the alarms of several failed events", () => {
  it("are one digest, with what to do once and each event's error", () => {
    const [digest, ...more] = failureAlarms(
      [1, 2, 3].map((id) => failedEvent({ event_id: `id-${id}` })),
    );

    expect(more).to.deep.equal([]);
    expect(digest?.subject).to.equal("3 files failed");
    expect(digest?.message.split("What to do:")).to.have.lengthOf(2);
    expect(digest?.message.split("NoSuchKey: The key does not exist.")).to.have.lengthOf(4);
    for (const id of [1, 2, 3]) {
      expect(digest?.message.split(`event id-${id},`)).to.have.lengthOf(2);
    }
  });

  it("fit SNS for 1,000 events with long names and errors, each listed once", () => {
    const Key = "😀".repeat(256);
    const last_error = { code: "Error", message: "é".repeat(1000), step: "process" };
    const events = Array.from({ length: 1000 }, (_, index) =>
      failedEvent({ event_id: `id-${index}`, event_info: { Bucket: "b", Key }, last_error }),
    );

    const alarms = failureAlarms(events);

    expect(alarms.flatMap((alarm) => alarm.events)).to.deep.equal(events);
    expect(alarms.every(({ message }) => Buffer.byteLength(message) <= MAX_SNS_BYTES)).to.equal(
      true,
    );
  });
});
