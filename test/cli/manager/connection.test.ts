import { expect } from "chai";
import { UsageError } from "../../../cli/errors";
import { connect } from "../../../cli/manager/connection";
import { type FakeManager, startFakeManager } from "../fakeManager";

describe("the command line's connection", () => {
  let fake: FakeManager;

  beforeEach(async () => {
    fake = await startFakeManager();
  });
  afterEach(() => fake.close());

  function failureOf(options: Parameters<typeof connect>[0]): Promise<unknown> {
    return connect(options).catch((error: unknown) => error);
  }

  it("uses the given URL and key, without a request", async () => {
    const connection = await connect({ url: `${fake.url}/stage//`, key: "k", uploadKey: "u" });

    expect(connection) //
      .to.deep.equal({ managerUrl: `${fake.url}/stage`, managerKey: "k", uploadKey: "u" });
    expect(fake.seen).to.deep.equal([]);
  });

  it("reads URL and keys from the local run, but prefers the given upload key", async () => {
    const outputs = { managerUrl: "http://m", managerApiKey: "mk", uploadApiKey: "uk" };
    const page = { status: 200, body: { outputs } };
    fake.faults = { "GET /_stack": [page, page] };

    const connection = await connect({ port: fake.port });
    const other = await connect({ port: fake.port, uploadKey: "mine" });

    expect(connection).to.deep.equal({ managerUrl: "http://m", managerKey: "mk", uploadKey: "uk" });
    expect(other.uploadKey).to.equal("mine");
  });

  it("waits for a local run that is starting", async () => {
    fake.faults = { "GET /_stack": [{ status: 503, body: "The local run is starting." }] };

    const { managerKey } = await connect({ port: fake.port });

    expect(managerKey).to.equal(fake.key);
  });

  it("recognizes that something else answers on the port", async () => {
    fake.faults = {
      "GET /_stack": [
        { status: 404, body: "Not here." },
        { status: 200, body: { outputs: null } },
      ],
    };

    for (let n = 0; n < 2; n += 1) {
      expect(await failureOf({ port: fake.port }))
        .to.have.property("message")
        .that.matches(/is not the local run of this program/);
    }
  });

  it("refuses a URL without key, a key without URL, and an invalid URL", async () => {
    const wrong = [
      { url: fake.url },
      { key: "k" },
      { url: "x", key: "k" },
      { url: "ftp://x", key: "k" },
    ];

    for (const options of wrong) {
      expect(await failureOf(options), JSON.stringify(options)).to.be.instanceOf(UsageError);
    }
  });
});
