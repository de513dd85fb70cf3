import { expect } from "chai";
import { createTokenBucket, type UsagePlan } from "../../apiGateway/throttle";
import { createTestApi, messageOf, onlyEvent, proxyOperation, swaggerOf } from "./fixtures";

function createClock(start = Date.UTC(2026, 0, 31, 23, 59)) {
  let time = start;
  return { now: () => time, pass: (milliseconds: number) => (time += milliseconds) };
}

const HOUR = 3_600_000;
const ALICE = { id: "key-a", value: "alice" };
const BOB = { id: "key-b", value: "bob" };

describe("token bucket", () => {
  it("allows a burst at once, then as many requests as its rate adds, and never more than the burst", () => {
    const clock = createClock();
    const take = createTokenBucket({ rateLimit: 2, burstLimit: 3 }, clock.now);
    const taken = () => [1, 2, 3, 4].filter(() => take()).length;
    expect(taken()).to.equal(3);
    clock.pass(500);
    expect(taken()).to.equal(1);
    clock.pass(HOUR);
    expect(taken()).to.equal(3);
  });

  it("allows nothing at a rate and burst of 0, and the account's limits for -1", () => {
    const clock = createClock();
    expect(createTokenBucket({ rateLimit: 0, burstLimit: 0 }, clock.now)()).to.equal(false);
    const take = createTokenBucket({ rateLimit: -1, burstLimit: -1 }, clock.now);
    const taken = () => Array.from({ length: 6000 }).filter(() => take()).length;
    expect(taken()).to.equal(5000);
    clock.pass(1);
    expect(taken()).to.equal(10);
  });
});

describe("REST API throttling", () => {
  it("answers 429 for a method over the stage's limit, and for that method alone", async () => {
    const clock = createClock();
    const throttle = { rateLimit: 1, burstLimit: 1 };
    const api = createTestApi({ throttle, now: clock.now });
    expect((await api.send("POST", "/upload")).status).to.equal(200);
    const refused = await api.send("POST", "/upload");
    expect(refused.status).to.equal(429);
    expect(messageOf(refused)).to.equal("Too Many Requests");
    expect(refused.headers["x-amzn-errortype"]).to.equal("TooManyRequestsException");
    expect((await api.send("GET", "/upload")).status).to.equal(200);
    clock.pass(1000);
    expect((await api.send("POST", "/upload")).status).to.equal(200);
  });
});

describe("REST API keys", () => {
  const swagger = swaggerOf(
    {
      "/open": { get: proxyOperation() },
      "/mine": { get: { ...proxyOperation(), security: [{ api_key: [] }] } },
    },
    { securityDefinitions: { api_key: { type: "apiKey", name: "x-api-key", in: "header" } } },
  );

  function create(usagePlans?: UsagePlan[]) {
    const clock = createClock();
    const api = createTestApi({ swagger, now: clock.now, usagePlans });
    const status = async (key?: string) => {
      const headers: Record<string, string> = key ? { "x-api-key": key } : {};
      return (await api.send("GET", "/mine", { headers })).status;
    };
    return { api, clock, status };
  }

  it("are needed where the method says so, and must belong to a usage plan", async () => {
    const { api, status } = create([{ keys: [ALICE] }]);
    const refused = await api.send("GET", "/mine");
    expect(refused.status).to.equal(403);
    expect(messageOf(refused)).to.equal("Forbidden");
    expect(refused.headers["x-amzn-errortype"]).to.equal("ForbiddenException");
    expect(await status("mallory")).to.equal(403);
    expect(await create().status("alice")).to.equal(403);
    expect(api.invocations).to.have.length(0);
  });

  it("are shown to the function", async () => {
    const { api, status } = create([{ keys: [ALICE] }]);
    expect(await status("alice")).to.equal(200);
    expect(onlyEvent(api).requestContext.identity).to.include({
      apiKey: "alice",
      apiKeyId: "key-a",
    });
  });

  it("have a bucket each", async () => {
    const throttle = { rateLimit: 1, burstLimit: 1 };
    const { status } = create([{ keys: [ALICE, BOB], throttle }]);
    expect(await status("alice")).to.equal(200);
    expect(await status("alice")).to.equal(429);
    expect(await status("bob")).to.equal(200);
  });

  it("have a quota each, which a new day, week or month in UTC fills again", async () => {
    // 31 January 2026 is a Saturday: one minute later day, week and month are all new.
    for (const period of ["DAY", "WEEK", "MONTH"] as const) {
      const { api, clock, status } = create([{ keys: [ALICE, BOB], quota: { limit: 1, period } }]);
      expect(await status("alice")).to.equal(200);
      const over = await api.send("GET", "/mine", { headers: { "x-api-key": "alice" } });
      expect(over.status).to.equal(429);
      expect(messageOf(over)).to.equal("Limit Exceeded");
      expect(over.headers["x-amzn-errortype"]).to.equal("LimitExceededException");
      expect(await status("bob")).to.equal(200);
      clock.pass(60_000);
      expect(await status("alice"), period).to.equal(200);
      clock.pass(HOUR);
      expect(await status("alice"), period).to.equal(429);
      clock.pass(24 * HOUR);
      expect(await status("alice"), period).to.equal(period === "DAY" ? 200 : 429);
    }
  });

  it("neither matter nor count where no key is required", async () => {
    const throttle = { rateLimit: 0, burstLimit: 0 };
    const { api } = create([{ keys: [ALICE], throttle }]);
    const response = await api.send("GET", "/open", { headers: { "x-api-key": "alice" } });
    expect(response.status).to.equal(200);
    expect(onlyEvent(api).requestContext.identity).not.to.have.property("apiKey");
  });

  it("may not be in two usage plans of one stage", () => {
    expect(() => create([{ keys: [ALICE] }, { keys: [ALICE] }])).to.throw(
      /key-a .*two usage plans/,
    );
  });
});
