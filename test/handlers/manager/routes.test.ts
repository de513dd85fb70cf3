import { expect } from "chai";
import { MANAGER_ROUTES, matchRoute } from "../../../handlers/manager/routes";

const ID = "019a0000-abcd-7abc-8abc-abcdefabcdef";

describe("matchRoute", () => {
  for (const { name, method, path } of MANAGER_ROUTES) {
    it(`finds ${name}, with or without a slash at its end`, () => {
      const requested = path.replace("{event_id}", ID);
      for (const end of ["", "/", "//"]) {
        const route = matchRoute(method, requested + end);
        expect(route?.name).to.equal(name);
        expect(route?.allowed).to.include(method);
      }
    });
  }

  const eventIds = {
    [`/events/${ID}`]: ID,
    [`/events/${ID}/`]: ID,
    [`/events/${ID}/retry`]: ID,
    "/events/retry/retry": "retry",
    "/events/a%2Fb": "a%2Fb",
    "/events": "",
    "/events/retry": "",
    "/stats": "",
  };

  for (const [path, eventId] of Object.entries(eventIds)) {
    it(`reads ${eventId === "" ? "no id" : eventId} from ${path}`, () => {
      expect(matchRoute("POST", path)?.eventId).to.equal(eventId);
    });
  }

  const allowed = {
    "/events": ["GET", "HEAD"],
    "/events/retry": ["POST"],
    [`/events/${ID}`]: ["GET", "HEAD", "DELETE"],
    [`/events/${ID}/retry`]: ["POST"],
    "/stats": ["GET", "HEAD"],
    "/stats/hours": ["GET", "HEAD"],
    "/uploads": ["POST"],
    "/openapi.json": ["GET", "HEAD"],
  };

  for (const [path, methods] of Object.entries(allowed)) {
    it(`answers HEAD ${path} wherever GET is`, () => {
      expect(matchRoute("HEAD", path)?.name).to.equal(matchRoute("GET", path)?.name);
    });

    it(`has no route for other methods of ${path}, and returns the allowed ones`, () => {
      for (const method of ["PATCH", "get", ""]) {
        const route = matchRoute(method, path);
        expect(route).to.include.keys("name", "allowed");
        expect(route?.name).to.equal(undefined);
        expect(route?.allowed).to.deep.equal(methods);
      }
    });
  }

  it("has no route for other paths", () => {
    const others = [
      "",
      "/",
      "events",
      "/Events",
      "//events",
      "/events//retry",
      "/events/a/b",
      `/events/${ID}/retry/again`,
      "/{event_id}",
      "/openapi",
      "/upload",
      "/constructor",
      "/__proto__",
    ];
    for (const path of others) {
      expect(matchRoute("GET", path), path).to.equal(undefined);
    }
  });
});
