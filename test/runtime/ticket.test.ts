import { expect } from "chai";
import fc from "fast-check";
import { openTicket, sealTicket, ticketSecrets } from "../../runtime/ticket";
import { anyText, linkIds } from "../events/arbitraries";

const SECRET = Buffer.alloc(32, 1).toString("base64");
const OLDER = Buffer.alloc(32, 2).toString("base64");
const FOREIGN = Buffer.alloc(32, 3).toString("base64");

const LINK_ID = "019a0000-abcd-7abc-8abc-abcdefabcdef";

describe("a ticket", () => {
  it("is 64 characters that a URL's path has unchanged, and returns the link's id", () => {
    fc.assert(
      fc.property(linkIds, (linkId) => {
        const ticket = sealTicket([SECRET], linkId);

        expect(ticket).to.match(/^[\w-]{64}$/);
        expect(openTicket([SECRET], ticket)).to.equal(linkId);
      }),
    );
  });

  it("is the same for every version of the program: links that were sent stay valid", () => {
    expect(sealTicket([SECRET], LINK_ID)).to.equal(
      "AZoAAKvNeryKvKvN76vN751m0w0iaB-2BdD5ULd4Hl433hFmhkrsyF89EKOih1jm",
    );
  });

  it("is signed with the newest secret, and valid with any of them", () => {
    const ticket = sealTicket([SECRET, OLDER], LINK_ID);

    expect(ticket).to.equal(sealTicket([SECRET], LINK_ID));
    expect(openTicket([FOREIGN, SECRET], ticket)).to.equal(LINK_ID);
    expect(openTicket([SECRET, OLDER], sealTicket([OLDER], LINK_ID))).to.equal(LINK_ID);
  });

  it("is refused with other secrets", () => {
    const ticket = sealTicket([FOREIGN], LINK_ID);

    expect(openTicket([SECRET, OLDER], ticket)).to.equal(undefined);
    expect(openTicket([], ticket)).to.equal(undefined);
  });

  it("is refused when any byte is altered, to any other one", () => {
    const bytes = Buffer.from(sealTicket([SECRET], LINK_ID), "base64url");
    fc.assert(
      fc.property(
        fc.nat({ max: bytes.length - 1 }),
        fc.integer({ min: 1, max: 255 }),
        (index, difference) => {
          const altered = Buffer.from(bytes);
          altered[index] = (altered[index] ?? 0) ^ difference;
          expect(openTicket([SECRET, OLDER], altered.toString("base64url"))).to.equal(undefined);
        },
      ),
    );
  });

  it("is refused when any character is altered, to any other one", () => {
    const ticket = sealTicket([SECRET], LINK_ID);
    fc.assert(
      fc.property(
        fc.nat({ max: ticket.length - 1 }),
        fc.oneof(
          fc.string({ unit: "binary", minLength: 1, maxLength: 1 }),
          fc.constantFrom("+", "/", "="),
        ),
        (index, character) => {
          fc.pre(ticket[index] !== character);
          const altered = ticket.slice(0, index) + character + ticket.slice(index + 1);
          expect(openTicket([SECRET], altered)).to.equal(undefined);
        },
      ),
    );
  });

  it("is refused in another form of base64, and with anything before or after it", () => {
    // Its characters - and _ are + and / in base64, which Node decodes to the same bytes.
    const ticket = Array.from({ length: 64 }, (_, index) =>
      sealTicket([SECRET], `019a0000-abcd-7abc-8abc-abcdefabcd${(16 + index).toString(16)}`),
    ).find((text) => /-.*_|_.*-/.test(text));
    const standard = ticket?.replaceAll("-", "+").replaceAll("_", "/") ?? "";

    expect(Buffer.from(standard, "base64").toString("base64url")).to.equal(ticket);
    for (const other of [standard, `${ticket}=`, `${ticket}\n`, ` ${ticket}`, `${ticket}AAAA`]) {
      expect(openTicket([SECRET], other), JSON.stringify(other)).to.equal(undefined);
    }
  });

  it("is no other text", () => {
    fc.assert(
      fc.property(anyText, (text) => {
        expect(openTicket([SECRET], text)).to.equal(undefined);
      }),
    );
    expect(openTicket([SECRET], "A".repeat(64))).to.equal(undefined);
  });
});

describe("ticketSecrets", () => {
  it("are separated by commas", () => {
    expect(ticketSecrets(`${SECRET},${OLDER}`)).to.deep.equal([SECRET, OLDER]);
  });

  for (const variable of ["", ",", `${SECRET},`, "c2hvcnQ="]) {
    it(`are not ${JSON.stringify(variable)}`, () => {
      expect(() => ticketSecrets(variable)).to.throw("LINK_SECRETS");
    });
  }
});
