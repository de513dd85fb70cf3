import { expect } from "chai";
import { type Program, startProgram } from "../../../testing/startProgram";
import { checkedFetch } from "../../openapi/described";

describe("upload, with limits of type and size", function () {
  let program: Program;

  before(async () => {
    program = await startProgram({
      allowedContentTypes: "image/*, Application/PDF",
      maxUploadBytes: "1000",
    });
  });

  after(async () => {
    await program.stop();
  });

  beforeEach(() => {
    program.reset();
  });

  async function post(size: number, contentType?: string) {
    const response = await checkedFetch(String(program.run.outputs.uploadUrl), {
      method: "POST",
      headers: contentType === undefined ? {} : { "content-type": contentType },
      body: Buffer.alloc(size, "x"),
    });
    const { error } = (await response.json()) as { error?: { code: string; message: string } };
    return { status: response.status, error };
  }

  for (const type of ["image/png", "IMAGE/Jpeg", "application/pdf", "application/pdf; v=1"]) {
    it(`accepts ${type}`, async () => {
      expect(await post(1, type)).to.deep.equal({ status: 201, error: undefined });
    });
  }

  for (const type of ["text/plain", "application/json", "imagery/png", undefined]) {
    it(`refuses ${type ?? "a file without a type"}, and names the allowed types`, async () => {
      const { status, error } = await post(1, type);
      expect(status).to.equal(415);
      expect(error?.code).to.equal("type_not_allowed");
      expect(error?.message)
        .to.contain(type ?? "application/octet-stream")
        .and.contain("image/*, application/pdf");
      expect(program.calls).to.deep.equal([]);
    });
  }

  it("accepts a file of the maximum size", async () => {
    expect(await post(1000, "image/png")).to.include({ status: 201 });
  });

  it("refuses a larger file, and names both sizes", async () => {
    const { status, error } = await post(1001, "image/png");
    expect(status).to.equal(413);
    expect(error?.code).to.equal("too_large");
    expect(error?.message).to.contain("1001 bytes").and.contain("1000 bytes");
    expect(program.calls).to.deep.equal([]);
  });
});
