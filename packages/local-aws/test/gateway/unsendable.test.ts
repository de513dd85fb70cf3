import { expect } from "chai";
import { listen, type Listener } from "../../gateway/listener";
import type { HttpResponse } from "../../http";
import { send } from "../s3/api/raw";

describe("an answer that HTTP cannot carry", () => {
  let listener: Listener;
  afterEach(() => listener.close());

  async function answerWith(headers: Record<string, string>) {
    listener = await listen({ port: 0 });
    listener.serve({
      handle: () =>
        Promise.resolve<HttpResponse>({ status: 200, headers, body: Buffer.from("ok") }),
      refuse: () => ({ status: 500, headers: {}, body: Buffer.from("refused") }),
    });
    return send(listener.url);
  }

  it("becomes an error, not a lost connection", async () => {
    for (const [name, value] of [
      ["x-a", "日"],
      ["x-a", "a\nb"],
      ["no name", "a"],
    ] as const) {
      const answer = await answerWith({ [name]: value });
      expect([answer.status, answer.body.toString()]).to.deep.equal([500, "refused"]);
      await listener.close();
    }
  });

  it("is none with any bytes in a content-disposition, wherever its length stands", async () => {
    const answer = await answerWith({ "content-length": "2", "content-disposition": "\xfc" });
    expect(answer.status).to.equal(200);
    expect(answer.headers["content-disposition"]).to.equal("\xfc");
  });
});
