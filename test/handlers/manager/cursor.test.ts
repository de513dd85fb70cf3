import { expect } from "chai";
import fc from "fast-check";
import { openCursor, sealCursor } from "../../../handlers/manager/cursor";
import { anyText, unicode } from "../../events/arbitraries";

const SECRET = "a secret of this test";
const SCOPE = "GET /events?status=failed&order=desc";
const POSITION = { event_timestamp: "2026-11-21T20:00:00.000Z", event_id: "019a0000-abcd" };

/** Every text that differs from this one in one bit of one character's code. */
function oneBitOff(text: string): string[] {
  return Array.from(text).flatMap((character, index) =>
    [0, 1, 2, 3, 4, 5, 6].map((bit) => {
      const altered = String.fromCharCode(character.charCodeAt(0) ^ (1 << bit));
      return text.slice(0, index) + altered + text.slice(index + 1);
    }),
  );
}

describe("a cursor", () => {
  it("returns the sealed payload", () => {
    fc.assert(
      fc.property(anyText, anyText, fc.dictionary(unicode, unicode), (secret, scope, payload) => {
        const plain = { ...payload };
        const cursor = sealCursor(secret, scope, plain);

        expect(cursor).to.match(/^[\w-]+$/);
        expect(openCursor(secret, scope, cursor)).to.deep.equal(plain);
      }),
    );
  });

  it("is the same text for the same position", () => {
    expect(sealCursor(SECRET, SCOPE, POSITION)).to.equal(sealCursor(SECRET, SCOPE, POSITION));
  });

  it("is rejected by another query and with another secret", () => {
    const cursor = sealCursor(SECRET, SCOPE, POSITION);

    expect(openCursor(SECRET, `${SCOPE}&limit=1`, cursor)).to.equal(undefined);
    expect(openCursor(SECRET, "", cursor)).to.equal(undefined);
    expect(openCursor(`${SECRET}!`, SCOPE, cursor)).to.equal(undefined);
    expect(openCursor("", SCOPE, cursor)).to.equal(undefined);
  });

  it("is rejected when any bit is altered", () => {
    const cursor = sealCursor(SECRET, SCOPE, POSITION);

    const taken = oneBitOff(cursor).filter((text) => openCursor(SECRET, SCOPE, text) !== undefined);

    expect(taken).to.deep.equal([]);
  });

  it("is rejected when it is truncated or extended at any place", () => {
    const cursor = sealCursor(SECRET, SCOPE, POSITION);
    const parts = Array.from(cursor, (_, index) => cursor.slice(0, index));
    const longer = ["A", "AAAA", "=", "==", " ", "\n", "é", cursor].map((more) => cursor + more);

    const taken = [...parts, ...longer].filter(
      (text) => openCursor(SECRET, SCOPE, text) !== undefined,
    );

    expect(taken).to.deep.equal([]);
  });

  it("is rejected when it is any other text", () => {
    fc.assert(
      fc.property(fc.oneof(anyText, fc.base64String({ maxLength: 300 })), (text) => {
        expect(openCursor(SECRET, SCOPE, text)).to.equal(undefined);
      }),
    );
  });

  it("is rejected when it is megabytes long", () => {
    const cursor = sealCursor(SECRET, SCOPE, { padding: "x".repeat(2_000_000) });

    expect(openCursor(SECRET, SCOPE, cursor)).to.equal(undefined);
  });
});
