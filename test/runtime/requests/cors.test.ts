import type { APIGatewayProxyEvent } from "aws-lambda";
import { expect } from "chai";
import { jsonResponse } from "../../../runtime/http";
import { withCors } from "../../../runtime/requests/cors";

const PAGE = "https://www.example.com";

function request(httpMethod: string, headers: Record<string, string>): APIGatewayProxyEvent {
  return { httpMethod, headers } as Partial<APIGatewayProxyEvent> as APIGatewayProxyEvent;
}

function api(origins: string, headers?: Record<string, string>) {
  const answer = jsonResponse(413, { error: {} }, headers);
  return withCors({ origins, methods: "POST" }, () => Promise.resolve(answer));
}

async function headersOf(origins: string, event: APIGatewayProxyEvent) {
  return (await api(origins)(event)).headers ?? {};
}

describe("withCors", () => {
  const preflight = request("OPTIONS", {
    Origin: PAGE,
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": "content-type,idempotency-key,x-amz-meta-order-no,x-evil",
  });

  it("answers a preflight request with what the page may send", async () => {
    const { statusCode, headers, body } = await api(`https://other.example,${PAGE}`)(preflight);
    expect([statusCode, body]).to.deep.equal([204, ""]);
    expect(headers).to.deep.equal({
      "Access-Control-Allow-Origin": PAGE,
      "Access-Control-Allow-Methods": "POST",
      "Access-Control-Allow-Headers":
        "Content-Type, Content-Disposition, Idempotency-Key, X-Requested-With, x-api-key, " +
        "x-amz-meta-order-no",
      "Access-Control-Max-Age": "3600",
      Vary: "Origin",
    });
  });

  it("makes answers readable, errors too, with the headers that a client needs", async () => {
    const headers = await headersOf(PAGE, request("POST", { origin: PAGE }));
    expect(headers).to.include({
      "Content-Type": "application/json",
      "Access-Control-Allow-Origin": PAGE,
      "Access-Control-Expose-Headers": "Location, Retry-After, Idempotent-Replayed",
      Vary: "Origin",
    });
  });

  it("answers any page where the setting is *, also one without an origin of its own", async () => {
    for (const origin of [PAGE, "null"]) {
      const headers = await headersOf(`https://a.example,*`, request("POST", { origin }));
      expect(headers["Access-Control-Allow-Origin"]).to.equal("*");
      expect(headers).not.to.have.property("Vary");
    }
  });

  it("has nothing for other pages, nor where there is no origin", async () => {
    const others = [
      "https://www.example.com.evil.example",
      "http://www.example.com",
      "https://WWW.example.com",
      `${PAGE}:8443`,
      "null",
      "",
    ].map((origin) => ({ origin }));
    for (const headers of [...others, {}]) {
      for (const [origins, vary] of [
        [PAGE, "Origin"],
        ["", undefined],
      ] as const) {
        for (const method of ["POST", "OPTIONS"]) {
          const asked = { ...headers, "access-control-request-method": "POST" };
          const answer = await api(origins)(request(method, asked));
          expect(answer.statusCode).to.equal(413);
          expect(Object.keys(answer.headers ?? {}).join()).not.to.match(/access-control/i);
          expect(answer.headers?.Vary).to.equal(vary);
        }
      }
    }
  });

  it("leaves an OPTIONS request that is no preflight to the API", async () => {
    const answer = await api(PAGE)(request("OPTIONS", { origin: PAGE }));
    expect(answer.statusCode).to.equal(413);
  });

  it("keeps what else an answer varies by", async () => {
    const answer = await api(PAGE, { Vary: "Accept" })(request("GET", {}));
    expect(answer.headers?.Vary).to.equal("Accept, Origin");
  });
});
