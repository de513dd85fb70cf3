import { expect } from "chai";
import fc from "fast-check";
import type { EventResult } from "../../events/event";
import { fromItem, type Item, keyItem, newItem, toMap } from "../../events/item";
import { eventResults, newEvents } from "./arbitraries";

const row: Item = {
  event_id: { S: "id" },
  event_timestamp: { S: "2026-11-21T20:00:00.000Z" },
  event_status: { S: "uploaded" },
  event_info: { S: JSON.stringify({ Bucket: "files", Key: "cat.jpg" }) },
  updated_at: { S: "2026-11-21T20:00:01.000Z" },
};

describe("a row", () => {
  it("is read back as the new event", () => {
    fc.assert(
      fc.property(newEvents, (event) => {
        expect(fromItem(newItem(event))).to.deep.equal(event);
      }),
    );
  });

  it("is read back with the result of processing and the failure", () => {
    fc.assert(
      fc.property(
        newEvents,
        eventResults,
        fc.record({ code: fc.string(), message: fc.string(), step: fc.string() }),
        fc.nat(),
        (event, event_result, last_error, attempts) => {
          const item: Item = {
            ...newItem(event),
            event_result: toMap(event_result),
            last_error: { S: JSON.stringify(last_error) },
            failed_from: { S: "created" },
            attempts: { N: String(attempts) },
            alarmed_at: { S: "2026-11-21T20:00:02.000Z" },
          };
          expect(fromItem(item)).to.deep.equal({
            ...event,
            event_result,
            last_error: { ...last_error },
            failed_from: "created",
            attempts,
            alarmed_at: "2026-11-21T20:00:02.000Z",
          });
        },
      ),
    );
  });

  it("has exactly the attributes of a new event, the key first among them", () => {
    const event = fromItem(row);
    expect(newItem(event)).to.deep.equal(row);
    expect(keyItem(event)).to.deep.equal({
      event_id: { S: "id" },
      event_timestamp: { S: "2026-11-21T20:00:00.000Z" },
    });
  });

  it("has no attribute for optional fields of its result that are undefined, and takes no other", () => {
    expect(toMap({ size: 1, type: "text/plain", width: undefined })).to.deep.equal({
      M: { size: { N: "1" }, type: { S: "text/plain" } },
    });
    for (const name of ["size", "type", "label"]) {
      const result = { size: 1, type: "text/plain", [name]: undefined } as unknown as EventResult;
      expect(() => toMap(result))
        .to.throw(`field "${name}" is of type undefined`)
        .with.property("name", "InvalidResult");
    }
  });

  it("is refused where a value of its result fits no table, with the field's name", () => {
    const none = Object.create(null) as object;
    const wrong = [NaN, Infinity, new Date(0), 1n, ["a"], null, true, { a: 1 }, none, "1", 1e126];
    for (const value of [...wrong, -1e200, 1e-131]) {
      const result = { size: 1, type: "text/plain", width: value } as unknown as EventResult;
      expect(() => toMap(result))
        .to.throw('field "width"')
        .with.property("name", "InvalidResult");
    }
    for (const result of [undefined, null, "text", 5, ["a"], new Date(0), new Map()]) {
      expect(() => toMap(result as unknown as EventResult)).to.throw("not an object");
    }
    for (const number of [0, -1.5, 9.99e125, 1e-130]) {
      expect(toMap({ size: number, type: "" }).M.size).to.deep.equal({ N: String(number) });
    }
  });

  it("is refused where its result leaves no room in the row, with the largest field's name", () => {
    const result = { size: 1, type: "text/plain", checksum: "ü".repeat(150_000) };
    expect(() => toMap(result))
      .to.throw('"checksum" has 300008 bytes')
      .with.property("name", "InvalidResult");
    expect(() => toMap({ ...result, checksum: "ü".repeat(149_900) })).to.not.throw();
  });

  it("with a field of another type, as somebody may write it by hand, is not an event", () => {
    const wrong: [attribute: string, value: Item[string]][] = [
      ["FileName", { S: '{"Bucket":"b","Key":"k","FileName":5}' }],
      ["Size", { S: '{"Bucket":"b","Key":"k","Size":"5"}' }],
      ["Metadata", { S: '{"Bucket":"b","Key":"k","Metadata":null}' }],
      ["Metadata", { S: '{"Bucket":"b","Key":"k","Metadata":"text"}' }],
      ["Metadata", { S: '{"Bucket":"b","Key":"k","Metadata":{"a":1}}' }],
      ["code", { S: '{"code":1,"message":"m","step":"process"}' }],
      ["size", { M: { size: { S: "large" }, type: { S: "text/plain" } } }],
      ["type", { M: { size: { N: "5" }, type: { N: "5" } } }],
    ];
    const attributeOf = {
      FileName: "event_info",
      Size: "event_info",
      Metadata: "event_info",
      code: "last_error",
    };
    for (const [field, value] of wrong) {
      const name = attributeOf[field as keyof typeof attributeOf] as string | undefined;
      expect(() => fromItem({ ...row, [name ?? "event_result"]: value }))
        .to.throw(`"${field}"`)
        .with.property("name", "InvalidEvent");
    }
  });

  it("without updated_at has the time of its creation", () => {
    expect(fromItem({ ...row, updated_at: {} }).updated_at).to.equal("2026-11-21T20:00:00.000Z");
  });

  for (const name of ["event_id", "event_timestamp", "event_status", "event_info"]) {
    it(`without ${name} as text is not an event, and the error names it`, () => {
      for (const value of [undefined, {}, { N: "1" }, { BOOL: true }, { M: {} }]) {
        expect(() => fromItem({ ...row, [name]: value } as Item))
          .to.throw(`"${name}"`)
          .with.property("name", "InvalidEvent");
      }
    });
  }

  it("whose event_info is not JSON is not an event", () => {
    expect(() => fromItem({ ...row, event_info: { S: "{" } })).to.throw(SyntaxError);
  });

  // Otherwise, one such row would fail a whole batch.
  for (const info of ["null", "1", '"text"', "[]", "{}", '{"Bucket":"b"}', '{"Key":"k"}']) {
    it(`whose event_info is ${info} is not an event: it names no object`, () => {
      expect(() => fromItem({ ...row, event_info: { S: info } }))
        .to.throw("event_info")
        .with.property("name", "InvalidEvent");
    });
  }

  it("with an unknown status is not an event", () => {
    expect(() => fromItem({ ...row, event_status: { S: "toString" } }))
      .to.throw("toString")
      .with.property("name", "InvalidEvent");
  });
});
