import type { APIGatewayProxyEvent, APIGatewayProxyResult } from "aws-lambda";
import { expect } from "chai";
import {
  bodyBytes,
  errorAnswer,
  header,
  httpError,
  isHttpError,
  jsonResponse,
} from "../../runtime/http";
import { errorsLogged } from "./loggedErrors";

function request(parts: Partial<APIGatewayProxyEvent>): APIGatewayProxyEvent {
  return parts as APIGatewayProxyEvent;
}

describe("bodyBytes", () => {
  const bytes = Buffer.from([0, 255, 128, 10]);

  it("decodes a binary body", () => {
    const event = request({ body: bytes.toString("base64"), isBase64Encoded: true });
    expect(bodyBytes(event)).to.deep.equal(bytes);
  });

  it("returns a text body as UTF-8, even if it looks like base64", () => {
    const event = request({ body: "ü AAECAw==", isBase64Encoded: false });
    expect(bodyBytes(event).toString()).to.equal("ü AAECAw==");
  });

  it("is empty where there is no body", () => {
    expect(bodyBytes(request({ body: null, isBase64Encoded: false }))).to.have.lengthOf(0);
  });
});

describe("header", () => {
  it("is found by its name in any case", () => {
    for (const name of ["content-type", "Content-Type", "CONTENT-TYPE"]) {
      expect(header(request({ headers: { [name]: "a/b" } }), "content-type")).to.equal("a/b");
    }
  });

  it("is undefined where there is none", () => {
    expect(header(request({ headers: {} }), "content-type")).to.equal(undefined);
  });
});

describe("jsonResponse", () => {
  it("is JSON that is not cached, with additional headers", () => {
    expect(jsonResponse(503, { a: 1 }, { "Retry-After": "1" })).to.deep.equal({
      statusCode: 503,
      headers: {
        "Content-Type": "application/json",
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Retry-After": "1",
      },
      body: '{"a":1}',
    });
  });
});

describe("httpError", () => {
  it("is distinguished from other errors, and has the fields of the answer", () => {
    const error = httpError(405, "method_not_allowed", "Use POST.", { Allow: "POST" });
    expect(error).to.include({ statusCode: 405, code: "method_not_allowed", message: "Use POST." });
    expect(error.headers).to.deep.equal({ Allow: "POST" });
    expect(isHttpError(error)).to.equal(true);
    expect(isHttpError(new Error("Use POST."))).to.equal(false);
    expect(isHttpError("HttpError")).to.equal(false);
  });
});

describe("errorAnswer", () => {
  const MESSAGES = { log: "It failed.", unavailable: "Not now.", failed: "Not at all." };

  async function answerTo(thrown: unknown) {
    let answer: unknown;
    const logged = await errorsLogged(() => {
      answer = errorAnswer(thrown, "a-request", MESSAGES);
    });
    const { statusCode, headers, body } = answer as APIGatewayProxyResult;
    const { error } = JSON.parse(body) as { error: Record<string, string> };
    return { statusCode, headers, error, logged };
  }

  it("answers with an HttpError's message and headers, and logs nothing", async () => {
    const refusal = httpError(405, "method_not_allowed", "Use POST.", { Allow: "POST" });
    const { statusCode, headers, error, logged } = await answerTo(refusal);
    expect(statusCode).to.equal(405);
    expect(headers).to.include({ Allow: "POST" });
    expect(error).to.deep.equal({ code: "method_not_allowed", message: "Use POST." });
    expect(logged).to.deep.equal([]);
  });

  it("asks for a retry after a transient error", async () => {
    const throttled = Object.assign(new Error("Slower!"), { name: "ThrottlingException" });
    const { statusCode, headers, error } = await answerTo(throttled);
    expect(statusCode).to.equal(503);
    expect(headers).to.include({ "Retry-After": "1" });
    expect(error).to.deep.equal({
      code: "storage_unavailable",
      message: "Not now. Try again.",
      request_id: "a-request",
    });
  });

  it("hides any other error, and logs it with the request's id", async () => {
    const thrown = Object.assign(new Error("The table t is not there."), {
      name: "NoTable",
      $metadata: { httpStatusCode: 400 },
    });
    const { statusCode, headers, error, logged } = await answerTo(thrown);
    expect(statusCode).to.equal(502);
    expect(headers).not.to.have.property("Retry-After");
    expect(error).to.deep.equal({
      code: "storage_failed",
      message: "Not at all. The service's log says why.",
      request_id: "a-request",
    });
    expect(logged).to.deep.equal([
      {
        message: "It failed.",
        error: { code: "NoTable", message: "The table t is not there." },
        request_id: "a-request",
      },
    ]);
  });

  it("logs the stack of an error that no AWS service has answered", async () => {
    const thrown = new TypeError("It is undefined.");

    const { logged } = await answerTo(thrown);

    const error = { code: "TypeError", message: "It is undefined.", stack: thrown.stack };
    expect(logged).to.deep.equal([{ message: "It failed.", error, request_id: "a-request" }]);
  });
});
