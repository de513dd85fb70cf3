import { deflateSync, gunzipSync, gzipSync, inflateSync } from "node:zlib";
import { expect } from "chai";
import { createTestApi, onlyEvent } from "./fixtures";

const TEXT = "a".repeat(2000);

function apiFrom(compressedFromBytes: number | undefined, body = TEXT) {
  return createTestApi({
    compressedFromBytes,
    invoke: () => Promise.resolve({ payload: JSON.stringify({ statusCode: 200, body }) }),
  });
}

function get(api: ReturnType<typeof apiFrom>, accepted?: string) {
  return api.send("GET", "/upload", { headers: accepted ? { "accept-encoding": accepted } : {} });
}

describe("A REST API with a minimumCompressionSize", () => {
  it("compresses an answer for a client that accepts it", async () => {
    const gzip = await get(apiFrom(1024), "gzip, deflate");
    expect(gzip.headers).to.include({ "content-encoding": "gzip" });
    expect(gunzipSync(gzip.body).toString()).to.equal(TEXT);

    const deflate = await get(apiFrom(1024), "gzip;q=0.5, deflate");
    expect(deflate.headers).to.include({ "content-encoding": "deflate" });
    expect(inflateSync(deflate.body).toString()).to.equal(TEXT);
  });

  const plain: [what: string, from: number | undefined, accepted: string | undefined][] = [
    ["for a client that does not ask for it", 1024, undefined],
    ["for a client that refuses it", 1024, "gzip;q=0"],
    ["for a client that prefers a coding that API Gateway lacks", 1024, "br, gzip;q=0.9"],
    ["for a client that prefers none", 1024, "identity"],
    ["that is smaller", 2001, "gzip"],
    ["of an API that does not compress", undefined, "gzip"],
  ];
  for (const [what, from, accepted] of plain) {
    it(`leaves an answer as it is ${what}`, async () => {
      const answer = await get(apiFrom(from), accepted);
      expect(answer.headers).not.to.have.property("content-encoding");
      expect(answer.body.toString()).to.equal(TEXT);
    });
  }

  it("decompresses the body of a request", async () => {
    for (const [coding, body] of [
      ["gzip", gzipSync(TEXT)],
      ["Deflate", deflateSync(TEXT)],
    ] as const) {
      const api = apiFrom(0);
      await api.send("POST", "/upload", { headers: { "content-encoding": coding }, body });
      const { headers, body: received } = onlyEvent(api);
      expect(headers).not.to.have.property("content-encoding");
      expect(Buffer.from(received ?? "", "base64").toString()).to.equal(TEXT);
    }
  });

  it("answers 415 to a body that is not in its coding, or in one that it lacks", async () => {
    for (const coding of ["gzip", "br"]) {
      const api = apiFrom(0);
      const headers = { "content-encoding": coding };
      expect((await api.send("POST", "/upload", { headers, body: TEXT })).status).to.equal(415);
      expect(api.invocations).to.deep.equal([]);
    }
  });

  it("passes a compressed body on as it is where the API does not compress", async () => {
    const api = apiFrom(undefined);
    const body = gzipSync(TEXT);
    await api.send("POST", "/upload", { headers: { "content-encoding": "gzip" }, body });
    const event = onlyEvent(api);
    expect(event.headers).to.include({ "content-encoding": "gzip" });
    expect(Buffer.from(event.body ?? "", "base64").equals(body)).to.equal(true);
  });
});
