import { expect } from "chai";
import { MANAGER_ROUTES } from "../../../handlers/manager/routes";
import { matchRoute as matchIn } from "../../../runtime/requests/routes";

const ID = "019a0000-abcd-7abc-8abc-abcdefabcdef";

describe("matchRoute", () => {
  const matchRoute = (method: string, path: string) => matchIn(MANAGER_ROUTES, method, path);

  for (const { name, method, path } of MANAGER_ROUTES) {
    it(`finds ${name}, with or without a slash at its end`, () => {
      const requested = path.replaceAll(/\{\w+\}/g, ID);
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
      expect(matchRoute("POST", path)?.path.event_id).to.equal(eventId);
    });
  }

  it("reads an upload's id, the number of a part, and a link's id", () => {
    expect(matchRoute("GET", "/s3/multipart/2~a.b_c-d/17")?.path).to.deep.equal({
      event_id: "",
      upload_id: "2~a.b_c-d",
      part_number: "17",
      link_id: "",
    });
    expect(matchRoute("DELETE", `/links/${ID}`)?.path.link_id).to.equal(ID);
  });

  const allowed = {
    "/events": ["GET", "HEAD"],
    "/events/retry": ["POST"],
    [`/events/${ID}`]: ["GET", "HEAD", "DELETE"],
    [`/events/${ID}/retry`]: ["POST"],
    "/stats": ["GET", "HEAD"],
    "/stats/hours": ["GET", "HEAD"],
    "/uploads": ["POST"],
    "/s3/multipart": ["POST"],
    "/s3/multipart/id": ["GET", "HEAD", "DELETE"],
    "/s3/multipart/id/complete": ["POST"],
    "/s3/multipart/id/1": ["GET", "HEAD"],
    "/links": ["GET", "HEAD", "POST"],
    "/links/id": ["GET", "HEAD", "DELETE"],
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
      "/s3",
      "/s3/multipart/id/1/2",
      "/constructor",
      "/__proto__",
    ];
    for (const path of others) {
      expect(matchRoute("GET", path), path).to.equal(undefined);
    }
  });
});
