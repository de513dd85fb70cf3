import type { APIGatewayProxyEvent } from "aws-lambda";
import { expect } from "chai";
import { EVENT_STATUSES } from "../../../events/event";
import {
  booleanParameter,
  limitParameter,
  linkIdParameter,
  orderParameter,
  statusParameter,
  timeParameter,
} from "../../../handlers/manager/parameters";
import { type HttpError, isHttpError } from "../../../runtime/http";
import { parametersOf } from "../../../runtime/parameters";

/** The status and the code of `work`'s refusal. */
function refusalOf(work: () => unknown): string {
  try {
    return `nothing refused: ${JSON.stringify(work())}`;
  } catch (error) {
    expect(isHttpError(error)).to.equal(true);
    const { statusCode, code } = error as HttpError;
    return `${statusCode} ${code}`;
  }
}

function requestWith(query: Record<string, string[] | undefined> | null): APIGatewayProxyEvent {
  return { multiValueQueryStringParameters: query } as APIGatewayProxyEvent;
}

describe("linkIdParameter", () => {
  it("takes the id of a link, and none", () => {
    const link_id = "019abc00-1234-7000-8000-0123456789ab";
    expect(linkIdParameter({ link_id })).to.equal(link_id);
    expect(linkIdParameter({})).to.equal(undefined);
  });

  for (const link_id of [
    "",
    "7",
    "019ABC00-1234-7000-8000-0123456789AB",
    "019abc00-1234-8000-8000-0123456789ab",
    "019abc00-1234-7000-8000-0123456789ab ",
  ]) {
    it(`refuses "${link_id}"`, () => {
      expect(refusalOf(() => linkIdParameter({ link_id }))).to.equal("400 invalid_link_id");
    });
  }
});

describe("parametersOf", () => {
  it("returns each parameter by its name", () => {
    const event = requestWith({ status: ["failed"], from: [""] });
    expect(parametersOf(event, ["status", "from", "to"])).to.deep.equal({
      status: "failed",
      from: "",
    });
  });

  it("is empty where there is no query", () => {
    expect(parametersOf(requestWith(null), ["status"])).to.deep.equal({});
  });

  it("rejects unknown parameters, which could widen the query", () => {
    for (const name of ["Status", "form", "constructor", "__proto__"]) {
      const query = Object.fromEntries([[name, ["failed"]]]);
      const work = () => parametersOf(requestWith(query), ["status", "from"]);
      expect(refusalOf(work), name).to.equal("400 unknown_parameter");
    }
  });

  it("rejects a repeated parameter, with the parameter's own code", () => {
    const event = requestWith({ status: ["failed", "notified"] });
    expect(refusalOf(() => parametersOf(event, ["status"]))).to.equal("400 invalid_status");
  });
});

describe("statusParameter", () => {
  it("accepts each status, and none", () => {
    for (const status of EVENT_STATUSES) {
      expect(statusParameter({ status })).to.equal(status);
    }
    expect(statusParameter({})).to.equal(undefined);
  });

  it("rejects everything else", () => {
    for (const status of ["", "Failed", "all", "failed,notified"]) {
      expect(
        refusalOf(() => statusParameter({ status })),
        status,
      ).to.equal("400 invalid_status");
    }
  });
});

describe("timeParameter", () => {
  const times = {
    "2026-11-21": "2026-11-21T00:00:00.000Z",
    "2024-02-29": "2024-02-29T00:00:00.000Z",
    "2026-11-21T20:00Z": "2026-11-21T20:00:00.000Z",
    "2026-11-21T20:00:00Z": "2026-11-21T20:00:00.000Z",
    "2026-11-21t20:00:00z": "2026-11-21T20:00:00.000Z",
    "2026-11-21t20:00+01:00": "2026-11-21T19:00:00.000Z",
    "2026-11-21T20:00:00.1Z": "2026-11-21T20:00:00.100Z",
    "2026-11-21T20:00:00.123456789Z": "2026-11-21T20:00:00.123Z",
    "2026-11-21T20:00:00+01:00": "2026-11-21T19:00:00.000Z",
    "2026-11-21T20:00:00-05:30": "2026-11-22T01:30:00.000Z",
  };

  for (const [text, time] of Object.entries(times)) {
    it(`accepts ${text}, in the format of event_timestamp`, () => {
      expect(timeParameter({ from: text }, "from")).to.equal(time);
      expect(timeParameter({ to: text }, "to")).to.equal(time);
    });
  }

  it("is undefined where it was not given", () => {
    expect(timeParameter({ to: "2026-11-21" }, "from")).to.equal(undefined);
  });

  const noTimes = [
    "",
    "yesterday",
    "2026",
    "2026-11",
    "21.11.2026",
    "2026-11-21 20:00:00Z",
    "2026-11-21T20:00:00",
    "2026-11-21T20:00:00 01:00",
    "2026-11-31",
    "2026-02-29",
    "2026-13-01",
    "2026-00-10",
    "2026-11-00",
    "2026-11-21T25:00Z",
    "2026-11-21T20:61Z",
    "1795291200000",
    "+012026-11-21",
    "9999-12-31T23:00:00-05:00",
    "0000-01-01T00:00:00+05:00",
  ];

  for (const text of noTimes) {
    it(`rejects ${JSON.stringify(text)}, with the parameter's own code`, () => {
      expect(refusalOf(() => timeParameter({ from: text }, "from"))).to.equal("400 invalid_from");
      expect(refusalOf(() => timeParameter({ to: text }, "to"))).to.equal("400 invalid_to");
    });
  }
});

describe("orderParameter", () => {
  it("accepts asc and desc, and is desc by default", () => {
    expect(orderParameter({ order: "asc" })).to.equal("asc");
    expect(orderParameter({ order: "desc" })).to.equal("desc");
    expect(orderParameter({})).to.equal("desc");
  });

  it("rejects everything else", () => {
    for (const order of ["", "ASC", "newest"]) {
      expect(
        refusalOf(() => orderParameter({ order })),
        order,
      ).to.equal("400 invalid_order");
    }
  });
});

describe("limitParameter", () => {
  it("accepts whole numbers up to the maximum, and has a default", () => {
    expect(limitParameter({ limit: "1" }, 100, 500)).to.equal(1);
    expect(limitParameter({ limit: "500" }, 100, 500)).to.equal(500);
    expect(limitParameter({ limit: "007" }, 100, 500)).to.equal(7);
    expect(limitParameter({}, 100, 500)).to.equal(100);
  });

  it("rejects everything else", () => {
    for (const limit of ["", " ", "0", "501", "-1", "+1", "1.0", "1e2", "0x10", "many", "٣"]) {
      const work = () => limitParameter({ limit }, 100, 500);
      expect(refusalOf(work), limit).to.equal("400 invalid_limit");
    }
  });
});

describe("booleanParameter", () => {
  it("accepts true and false, and is false by default", () => {
    expect(booleanParameter({ dry_run: "true" }, "dry_run")).to.equal(true);
    expect(booleanParameter({ dry_run: "false" }, "dry_run")).to.equal(false);
    expect(booleanParameter({}, "dry_run")).to.equal(false);
  });

  it("rejects everything else, so that a typo cannot turn off dry_run", () => {
    for (const value of ["", "True", "1", "yes"]) {
      const work = () => booleanParameter({ dry_run: value }, "dry_run");
      expect(refusalOf(work), value).to.equal("400 invalid_dry_run");
    }
  });
});
