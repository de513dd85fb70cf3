import { expect } from "chai";
import { decode } from "jpeg-js";
import { planUpload } from "../../chaos/clients/plan";

describe("the uploads of a chaos run", () => {
  const plan = (seed: number) => Array.from({ length: 80 }, (_, index) => planUpload(seed, index));

  it("depend on the seed only", () => {
    // As text: chai compares buffers byte by byte.
    expect(JSON.stringify(plan(1))).to.equal(JSON.stringify(plan(1)));
    expect(JSON.stringify(plan(1))).not.to.equal(JSON.stringify(plan(2)));
  });

  it("go through the API, by signed requests and directly, with bodies from 1 byte on and unique names", () => {
    const uploads = plan(1);

    const ways = Map.groupBy(uploads, ({ way }) => way);
    expect([...ways].map(([way, { length }]) => [way, length])).to.have.deep.members([
      ["api", 40],
      ["signed", 20],
      ["direct", 20],
    ]);
    expect(new Set(uploads.map(({ act }) => act))).to.have.keys([
      undefined,
      "again",
      "race",
      "deleteAndSend",
      "overwrite",
    ]);
    expect(Math.min(...uploads.map(({ body }) => body.length))).to.be.within(1, 10);
    expect(Math.max(...uploads.map(({ body }) => body.length))).to.be.within(5_000, 20_000);
    expect(new Set(uploads.map(({ way, name }) => `${way} ${name}`)).size).to.equal(80);
    const pictures = uploads.filter(({ contentType }) => contentType === "image/jpeg");
    expect(pictures.length).to.be.greaterThan(5);
    expect(new Set(pictures.map(({ body }) => body.toString("latin1"))).size).to.equal(
      pictures.length,
    );
    for (const { body } of pictures) {
      expect(decode(body).width).to.be.within(8, 39);
    }
  });
});
