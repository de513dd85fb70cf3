import { expect } from "chai";
import { createOwnHosts } from "../../gateway/ownHosts";

describe("the names of the local endpoint", () => {
  const local = createOwnHosts("127.0.0.1", 4510);

  it("are this machine's own, with the port", () => {
    const own = [
      "127.0.0.1:4510",
      "localhost:4510",
      "LocalHost:4510",
      "[::1]:4510",
      "files.localhost:4510",
      "my.files-2.localhost:4510",
    ];
    expect(own.filter((host) => !local.isOwn(host))).to.deep.equal([]);
  });

  it("are no others, which may be a web page's", () => {
    const others = [
      undefined,
      "",
      "127.0.0.1",
      "localhost",
      "localhost:80",
      "127.0.0.1:4511",
      "evil.example",
      "evil.example:4510",
      "127.0.0.1.evil.example:4510",
      "localhost.evil.example:4510",
      "files.localhost.evil.example:4510",
      "evil.example:127.0.0.1:4510",
      "localhost@evil.example:4510",
      "127.0.0.1:4510:4510",
      "127.0.0.1:4510x",
      "x127.0.0.1:4510",
      "127x0.0.1:4510",
      "notlocalhost:4510",
      ".localhost:4510",
      "192.168.0.7:4510",
      "::1:4510",
    ];
    expect(others.filter((host) => local.isOwn(host))).to.deep.equal([]);
  });

  it("need no port where it is HTTP's", () => {
    expect(createOwnHosts("127.0.0.1", 80).isOwn("localhost")).to.equal(true);
  });

  it("follow the address on which the server listens", () => {
    const elsewhere = createOwnHosts("192.168.0.7", 4510);
    const anywhere = createOwnHosts("0.0.0.0", 4510);

    expect(elsewhere.isOwn("192.168.0.7:4510")).to.equal(true);
    expect(elsewhere.isOwn("192.168.0.8:4510")).to.equal(false);
    expect(anywhere.isOwn("192.168.0.8:4510")).to.equal(true);
    expect(anywhere.isOwn("[fe80::1]:4510")).to.equal(true);
    expect(anywhere.isOwn("evil.example:4510")).to.equal(false);
  });

  it("tell a page of another origin from the endpoint's own pages and from programs", () => {
    const foreign: Record<string, string>[] = [
      { origin: "https://evil.example" },
      { origin: "null" },
      { origin: "http://localhost:3000" },
      { origin: "https://localhost:4510" },
      { origin: "http://files.localhost:4510" },
      { origin: "http://localhost:4510.evil.example" },
      { "sec-fetch-site": "cross-site" },
      { "sec-fetch-site": "same-site", origin: "http://localhost:3000" },
    ];
    const others: Record<string, string>[] = [
      {},
      { origin: "http://127.0.0.1:4510" },
      { origin: "http://localhost:4510", "sec-fetch-site": "cross-site" },
      { origin: "null", "sec-fetch-site": "same-origin" },
      { "sec-fetch-site": "none" },
    ];
    expect(foreign.filter((headers) => !local.isForeign(headers))).to.deep.equal([]);
    expect(others.filter((headers) => local.isForeign(headers))).to.deep.equal([]);
  });
});
