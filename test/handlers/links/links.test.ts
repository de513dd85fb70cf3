import { ListMultipartUploadsCommand, ListObjectsV2Command } from "@aws-sdk/client-s3";
import { expect } from "chai";
import { type AllowedCall, AwsError } from "local-aws";
import { MIN_PART_BYTES } from "../../../runtime/multipart/parts";
import { PLACED } from "../../../store/links/claim";
import { type Program, startProgram } from "../../../testing/startProgram";
import type { Begun } from "../../links/linkClient";
import { LINKS_GRANTS } from "../../program/names";
import { answers, type LinkClient, linkClient, manage, newLink } from "./linkClient";
import { openTableOfLinks, type TableOfLinks } from "./tableOfLinks";

/** `test/program/lambdas.test.ts` compares them with the role's policy. */
const LINKS_ACTIONS = [...new Set(LINKS_GRANTS.map((grant) => grant.split(" ")[0] ?? ""))];

/** Bytes; more than one part. */
const SIZE = MIN_PART_BYTES + 3;

describe("An upload link", () => {
  let program: Program;
  let table: TableOfLinks;
  /** The tickets of all links. */
  const tickets: string[] = [];

  const link = async (fields: object = {}): Promise<LinkClient> => {
    const client = await newLink(program, fields);
    tickets.push(client.url.split("/").at(-1) ?? "");
    return client;
  };

  /** Keys of the link's objects. */
  const stored = async ({ link_id }: LinkClient) => {
    const { Contents: objects = [] } = await program.s3.send(
      new ListObjectsV2Command({ Bucket: program.bucketName, Prefix: `links/${link_id}/` }),
    );
    return objects.map(({ Key }) => Key);
  };

  /** Ids of uploads that S3 has parts of, or waits for. */
  const unfinished = async ({ link_id }: LinkClient) => {
    const { Uploads: uploads = [] } = await program.s3.send(
      new ListMultipartUploadsCommand({ Bucket: program.bucketName, Prefix: `links/${link_id}/` }),
    );
    return uploads.map(({ UploadId }) => UploadId);
  };

  before(async () => {
    program = await startProgram();
    table = await openTableOfLinks(program);
  });

  beforeEach(() => {
    program.nextFault = undefined;
    program.onCall = () => undefined;
  });

  after(() => program.stop());

  it("tells what it takes, and how many files are left", async () => {
    const fields = { max_files: 2, max_bytes: 10, content_types: ["text/*"], note: "Photos" };
    const client = await link(fields);
    await client.begin();

    const { outcome, body } = await client.request("GET", "");

    expect(outcome).to.equal("200");
    expect(body).to.deep.include({ link_id: client.link_id, ...fields, files_left: 1 });
    const unlimited = await link();
    const { body: open } = await unlimited.request("GET", "/");
    expect(open).to.have.all.keys("link_id", "expires_at", "content_types");
    expect(open.content_types).to.deep.equal(["*/*"]);
  });

  it("is a page for a browser, with the status that a program gets", async () => {
    const client = await link();
    const show = (url: string) => fetch(url, { headers: { Accept: "text/html,*/*;q=0.8" } });
    const page = await show(client.url);
    const [, script = ""] = /src="(assets\/[^"]+)"/.exec(await page.text()) ?? [];
    const loaded = await fetch(new URL(script, client.url));

    expect(page.status).to.equal(200);
    expect(page.headers.get("content-type")).to.equal("text/html; charset=utf-8");
    expect(page.headers.get("content-security-policy")).to.include("frame-ancestors 'none'");
    expect(page.headers.get("referrer-policy")).to.equal("no-referrer");
    expect([loaded.status, loaded.headers.get("content-type")]).to.deep.equal([
      200,
      "text/javascript; charset=utf-8",
    ]);
    expect((await fetch(new URL("assets/other.js", client.url))).status).to.equal(404);
    expect((await fetch(new URL(script, client.url), { method: "POST" })).status).to.equal(405);

    const altered = client.url.replace(/.$/, (last) => (last === "A" ? "B" : "A"));
    await manage(program, "DELETE", `/links/${client.link_id}`);
    for (const [url, status] of [
      [altered, 403],
      [client.url, 410],
    ] as const) {
      const refused = await show(url);
      expect(refused.status).to.equal(status);
      expect(refused.headers.get("content-type")).to.equal("text/html; charset=utf-8");
    }
  });

  it("tells what became of a file, to whoever has its link only", async () => {
    const client = await link({ max_files: 1 });
    const upload = await client.begin({ name: "a.png", type: "image/png", size: 3 });
    const { event_id } = upload;
    const report = () => client.request("GET", `/files/${event_id}`);
    expect((await report()).outcome).to.equal("404 file_not_found");
    await client.complete(upload, [await client.send(upload, "abc")]);
    const stored = await report();

    const [, , event_timestamp = ""] = upload.key.split("/");
    const event_result = { size: 3, type: "image/png", width: 640, height: 480 };
    await program.putEvent({ event_id, event_timestamp, event_result });
    const processed = await report();
    await manage(program, "DELETE", `/links/${client.link_id}`);
    const afterwards = await report();

    expect(stored.body).to.deep.equal({ event_id, status: "stored", size: 3 });
    expect(processed.body).to.deep.equal({ event_id, status: "processed", ...event_result });
    expect(afterwards.body).to.deep.equal(processed.body);
    const stranger = await link();
    for (const id of [event_id, "none", "constructor"]) {
      const { outcome } = await stranger.request("GET", `/files/${id}`);
      expect(outcome).to.equal("404 file_not_found");
    }
  });

  it("stores a file in parts, whose size is signed", async () => {
    const client = await link({ max_files: 1 });
    const upload = await client.begin({ name: "a.txt", type: "text/plain", size: SIZE });
    expect(upload.part_size).to.equal(MIN_PART_BYTES);

    const { body } = await client.sign(upload, 2);
    const longer = await fetch(body.url, { method: "PUT", body: "four" });
    expect([longer.status, await longer.text()].join()).to.include("SignatureDoesNotMatch");
    const parts = [
      await client.send(upload, Buffer.alloc(MIN_PART_BYTES), 1),
      await client.send(upload, "end", 2),
    ];
    const listed = await client.list(upload);
    expect(listed.body).to.deep.equal([
      { ...parts[0], Size: MIN_PART_BYTES },
      { ...parts[1], Size: 3 },
    ]);
    const first = await client.complete(upload, parts);
    expect(first.outcome).to.equal("200");
    const { location, ...rest } = first.body;
    expect(location).to.be.a("string").and.not.to.include("?");
    const { key, event_id } = upload;
    expect(rest).to.deep.equal({ key, bucket: program.bucketName, event_id });

    // The same request again has the same answer; other parts are refused.
    expect((await client.complete(upload, parts)).body).to.deep.equal(first.body);
    const others = await client.complete(upload, [{ PartNumber: 1, ETag: "0".repeat(32) }]);
    expect(others.outcome).to.equal("409 upload_completed");
    expect(await stored(client)).to.deep.equal([key]);
    expect((await client.create()).outcome).to.equal("409 link_used_up");
  });

  it("gives a repeated request for a file its own upload back, and no second place", async () => {
    const client = await link({ max_files: 2 });
    const file = { size: 3, last_modified: 1_700_000_000_000 };
    const first = await client.begin(file);

    expect((await client.create(file)).body).to.deep.equal(first);
    expect((await client.create({ ...file, size: "3" })).body).to.deep.equal(first);
    expect((await client.create({ ...file, last_modified: 5 })).outcome).to.equal("201");
    expect((await client.create({ ...file, size: 4 })).outcome).to.equal("409 link_used_up");
    expect(await unfinished(client)).to.have.length(2);

    await client.abort(first);
    const second = await client.begin(file);
    expect(second.event_id).not.to.equal(first.event_id);
    await client.complete(second, [await client.send(second, "abc")]);
    expect((await client.create(file)).outcome).to.equal("409 upload_completed");
  });

  it("has a place again after an abort, which may be repeated", async () => {
    const client = await link({ max_files: 1 });
    const upload = await client.begin();
    await client.send(upload, "abc");

    expect((await client.abort(upload)).status).to.equal(200);
    expect((await client.abort(upload)).status).to.equal(200);

    expect(await unfinished(client)).to.deep.equal([]);
    for (const outcome of [
      (await client.sign(upload)).outcome,
      (await client.list(upload)).outcome,
      (await client.complete(upload, [{ PartNumber: 1, ETag: "0" }])).outcome,
    ]) {
      expect(outcome).to.equal("404 upload_not_found");
    }
    expect(await table.link(client.link_id)).to.include({ taken: 0 });
    await client.begin();
  });

  it("gives a place back 15 minutes after the last part, and the upload may go on when there is one", async () => {
    const client = await link({ max_files: 1 });
    const paused = await client.begin({ size: SIZE });
    const part = await client.send(paused, Buffer.alloc(MIN_PART_BYTES), 1);
    await table.runOut(client.link_id, paused.event_id);

    const other = await client.begin();
    expect((await client.sign(paused, 2)).outcome).to.equal("409 link_used_up");
    const end = [part, { PartNumber: 2, ETag: "0" }];
    expect((await client.complete(paused, end)).outcome).to.equal("409 link_used_up");
    await client.abort(other);

    expect((await client.list(paused)).body).to.have.length(1);
    const parts = [part, await client.send(paused, "end", 2)];
    expect((await client.complete(paused, parts)).outcome).to.equal("200");
    expect(await stored(client)).to.deep.equal([paused.key]);
    expect(await table.link(client.link_id)).to.include({ taken: 1 });
  });

  it("is shown with the places that lapsed uploads have left", async () => {
    const client = await link({ max_files: 1 });
    const { event_id } = await client.begin();
    expect((await client.request("GET", "")).body).to.include({ files_left: 0 });
    await table.runOut(client.link_id, event_id);
    expect((await client.request("GET", "")).body).to.include({ files_left: 1 });
  });

  describe("that was revoked", () => {
    it("begins, signs and completes nothing from then on; what is open may be aborted", async () => {
      const client = await link();
      const upload = await client.begin();
      const part = await client.send(upload, "abc");
      const { body } = await client.sign(upload);

      await manage(program, "DELETE", `/links/${client.link_id}`);

      for (const answer of [
        await client.create(),
        await client.sign(upload),
        await client.list(upload),
        await client.complete(upload, [part]),
        await client.request("GET", ""),
        await client.request("GET", "/s3/params"),
      ]) {
        expect(answer.outcome).to.equal("410 link_revoked");
      }
      // What was signed before is valid for its minutes; no file comes of it.
      expect((await fetch(body.url, { method: "PUT", body: "abc" })).status).to.equal(200);
      expect(await stored(client)).to.deep.equal([]);
      expect((await client.abort(upload)).status).to.equal(200);
    });
  });

  describe("refuses, and stores nothing,", () => {
    let client: LinkClient;
    let upload: Begun;

    before(async () => {
      client = await link({ max_bytes: 4 * MIN_PART_BYTES, content_types: ["text/*"] });
      upload = await client.begin({ size: SIZE });
    });

    after(async () => {
      expect(await stored(client)).to.deep.equal([]);
      expect(await table.link(client.link_id)).to.include({ taken: 1 });
    });

    const cases: Record<string, [outcome: string, (client: LinkClient) => Promise<string>]> = {
      "a file above its limit": [
        "413 too_large",
        async () => (await client.create({ size: 4 * MIN_PART_BYTES + 1 })).outcome,
      ],
      "an empty file": ["400 empty_file", async () => (await client.create({ size: 0 })).outcome],
      "a type that is not allowed": [
        "415 type_not_allowed",
        async () => (await client.create({}, { type: "image/png" })).outcome,
      ],
      "a type that is none": [
        "400 invalid_content_type",
        async () => (await client.create({}, { type: "no type" })).outcome,
      ],
      "a size that is none": [
        "400 invalid_size",
        async () => (await client.create({ size: -1 })).outcome,
      ],
      "a body that is no JSON": [
        "400 invalid_body",
        async () => (await client.request("POST", "/s3/multipart", "{")).outcome,
      ],
      "a part that the file does not have": [
        "400 invalid_part_number",
        async () => (await client.sign(upload, 3)).outcome,
      ],
      "part 0": ["400 invalid_part_number", async () => (await client.sign(upload, 0)).outcome],
      "a part without a number": [
        "400 invalid_part_number",
        async () => (await client.sign(upload, "one")).outcome,
      ],
      "another upload's key": [
        "404 upload_not_found",
        async () =>
          (await client.sign({ ...upload, key: upload.key.replace("a.txt", "b.txt") })).outcome,
      ],
      "a key that no upload has": [
        "404 upload_not_found",
        async () => (await client.sign({ ...upload, key: "uploads/a.txt" })).outcome,
      ],
      "another upload's id": [
        "404 upload_not_found",
        async () => (await client.list({ ...upload, uploadId: "none" })).outcome,
      ],
      "an upload without a key": [
        "400 invalid_key",
        async () => (await client.request("GET", `/s3/multipart/${upload.uploadId}`)).outcome,
      ],
      "no parts": ["400 invalid_parts", async () => (await client.complete(upload, [])).outcome],
      "a form": [
        "400 use_multipart",
        async () => {
          const { outcome, body } = await client.request("GET", "/s3/params?filename=a&type=b");
          expect(JSON.stringify(body)).to.include("shouldUseMultipart: true");
          return outcome;
        },
      ],
      "an unknown path": [
        "404 not_found",
        async () => (await client.request("GET", "/s3/other")).outcome,
      ],
      "another method": [
        "405 method_not_allowed",
        async () => (await client.request("PUT", "/s3/multipart", "{}")).outcome,
      ],
    };
    for (const [what, [outcome, refused]] of Object.entries(cases)) {
      it(`${what}: ${outcome}`, async () => {
        expect(await refused(client)).to.equal(outcome);
      });
    }

    it("an upload of another link: 404 upload_not_found", async () => {
      const other = await link();
      const parts = [{ PartNumber: 1, ETag: "0".repeat(32) }];
      for (const answer of [
        await other.sign(upload),
        await other.list(upload),
        await other.complete(upload, parts),
        await other.abort(upload),
      ]) {
        expect(answer.outcome).to.equal("404 upload_not_found");
      }
      expect(await unfinished(client)).to.include(upload.uploadId);
    });

    it("everything without its ticket, or with an altered one: 403 forbidden", async () => {
      const [base, ticket] = [client.url.slice(0, -65), client.url.slice(-64)];
      const swapped = (index: number) => (ticket[index] === "A" ? "B" : "A");
      const altered = Array.from(
        ticket,
        (_, index) => ticket.slice(0, index) + swapped(index) + ticket.slice(index + 1),
      );
      const urls = [
        "",
        "/",
        "/s3/multipart",
        `/${ticket.slice(1)}`,
        `/${ticket}A`,
        "/none/s3/params",
      ];
      for (const path of [...urls, ...altered.map((each) => `/${each}`)]) {
        const { outcome } = await linkClient("", base).request("GET", path);
        expect(outcome, path).to.equal("403 forbidden");
      }
      for (const [method, path] of [
        ["POST", "/s3/multipart"],
        ["GET", `/s3/multipart/${upload.uploadId}/1?key=${encodeURIComponent(upload.key)}`],
        ["GET", `/s3/multipart/${upload.uploadId}?key=${encodeURIComponent(upload.key)}`],
        ["POST", `/s3/multipart/${upload.uploadId}/complete?key=${encodeURIComponent(upload.key)}`],
        ["DELETE", `/s3/multipart/${upload.uploadId}?key=${encodeURIComponent(upload.key)}`],
      ] as const) {
        const foreign = linkClient("", `${base}/${altered[20]}`);
        expect((await foreign.request(method, path)).outcome).to.equal("403 forbidden");
      }
    });

    it("everything when it has expired: 410 link_expired", async () => {
      const expired = await link();
      const begun = await expired.begin();
      const part = await expired.send(begun, "abc");
      await table.expire(expired.link_id);
      for (const answer of [
        await expired.request("GET", ""),
        await expired.create(),
        await expired.sign(begun),
        await expired.list(begun),
        await expired.complete(begun, [part]),
      ]) {
        expect(answer.outcome).to.equal("410 link_expired");
      }
      expect(await stored(expired)).to.deep.equal([]);
    });
  });

  describe("without a size in advance", () => {
    it("signs as many parts as its limit has", async () => {
      const client = await link({ max_bytes: 2 * MIN_PART_BYTES + 1 });
      const upload = await client.begin();
      expect((await client.sign(upload, 3)).outcome).to.equal("200");
      expect((await client.sign(upload, 4)).outcome).to.equal("400 invalid_part_number");
      const unlimited = await link();
      const other = await unlimited.begin();
      expect((await unlimited.sign(other, 10_000)).outcome).to.equal("200");
      expect((await unlimited.sign(other, 10_001)).outcome).to.equal("400 invalid_part_number");
    });

    it("adds up the parts, and aborts an upload above its limit", async () => {
      const client = await link({ max_bytes: 2, max_files: 1 });
      const upload = await client.begin();
      const part = await client.send(upload, "abc");

      expect((await client.complete(upload, [part])).outcome).to.equal("413 too_large");

      expect(await stored(client)).to.deep.equal([]);
      expect(await unfinished(client)).to.deep.equal([]);
      const again = await client.begin();
      const fits = await client.send(again, "ab");
      expect((await client.complete(again, [fits])).outcome).to.equal("200");
    });

    it("counts the parts again for a request that repeats one under way", async () => {
      const client = await link({ max_bytes: 5 });
      const upload = await client.begin();
      const large = await client.send(upload, "123456789");
      await client.send(upload, "1");
      const { url } = (await client.sign(upload)).body;
      // The first request counts the small part and dies; the large one comes before it is repeated.
      program.nextFault = { kind: "crash", call: 4, when: "after" };
      expect((await client.complete(upload, [large])).outcome).to.match(/^5/);
      expect((await fetch(url, { method: "PUT", body: "123456789" })).status).to.equal(200);

      expect((await client.complete(upload, [large])).outcome).to.equal("413 too_large");
      expect(await stored(client)).to.deep.equal([]);
    });

    it("refuses a part with another ETag, which may be corrected", async () => {
      const client = await link({ max_bytes: 3 });
      const upload = await client.begin();
      const part = await client.send(upload, "abc");
      const other = { ...part, ETag: "0".repeat(32) };
      expect((await client.complete(upload, [other])).outcome).to.equal("400 invalid_part");
      expect((await client.complete(upload, [part])).outcome).to.equal("200");
    });

    it("refuses an empty file", async () => {
      const client = await link({ max_files: 1 });
      const upload = await client.begin();
      const part = await client.send(upload, "");
      expect((await client.complete(upload, [part])).outcome).to.equal("400 empty_file");
      expect(await table.link(client.link_id)).to.include({ taken: 0 });
      expect(await unfinished(client)).to.deep.equal([]);
    });
  });

  it("lets a file be completed of other parts after S3 has refused the first ones", async () => {
    const client = await link();
    const upload = await client.begin({ size: SIZE });
    const parts = [
      await client.send(upload, Buffer.alloc(MIN_PART_BYTES), 1),
      await client.send(upload, "end", 2),
    ];
    const missing = await client.complete(upload, parts.slice(0, 1));
    expect(missing.outcome).to.equal("400 invalid_upload");
    const damaged = await client.complete(upload, parts, { checksum_crc64nvme: "AAAAAAAAAAA=" });
    expect(damaged.outcome).to.equal("400 checksum_mismatch");
    expect((await client.complete(upload, parts)).outcome).to.equal("200");
    expect((await client.abort(upload)).outcome).to.equal("409 upload_completed");
  });

  describe("whose Lambda dies", () => {
    /**
     * Calls a route again and again, with a crash of the Lambda after each of its requests in turn; each
     * time followed by the same call without one.
     *
     * @param prepare returns the request
     * @param check gets the answer of the second request
     */
    async function withCrashes(
      prepare: () => Promise<() => Promise<{ outcome: string }>>,
      check: (outcome: string) => Promise<void>,
    ): Promise<number> {
      for (let call = 1; ; call += 1) {
        const request = await prepare();
        program.nextFault = { kind: "crash", call, when: "after" };
        const { outcome } = await request();
        if (!outcome.startsWith("5")) {
          return call - 1;
        }
        await check((await request()).outcome);
      }
    }

    /** Whether each place is one of an open upload or of a stored file. */
    async function expectExactCount(client: LinkClient): Promise<void> {
      const { taken } = await table.link(client.link_id);
      const claims = await table.claims(client.link_id);
      const placed = claims.filter(({ state }) => PLACED.includes(state));
      expect(taken).to.equal(placed.length);
      const keys = await stored(client);
      expect(placed.map(({ object_key }) => object_key)).to.include.members(keys);
    }

    it("begins an upload once, at whichever request it dies", async () => {
      const client = await link();
      let files = 0;
      const calls = await withCrashes(
        () => {
          files += 1;
          const file = { size: 3, last_modified: files };
          return Promise.resolve(() => client.create(file));
        },
        async (outcome) => {
          expect(outcome).to.equal("201");
          await expectExactCount(client);
        },
      );
      // The link, an earlier claim, S3, the transaction.
      expect(calls).to.equal(4);
      expect(await table.link(client.link_id)).to.include({ taken: files });
    });

    it("completes an upload once, at whichever request it dies", async () => {
      const client = await link();
      let last: Begun | undefined;
      const calls = await withCrashes(
        async () => {
          const upload = await client.begin();
          last = upload;
          const part = await client.send(upload, "abc");
          return () => client.complete(upload, [part]);
        },
        async (outcome) => {
          expect(outcome).to.equal("200");
          expect(await stored(client)).to.include(last?.key);
          await expectExactCount(client);
        },
      );
      // Link and claim, the parts, the claim, S3.
      expect(calls).to.equal(5);
    });

    it("counts an upload that nobody completes again by what S3 has", async () => {
      const outcomes: string[] = [];
      // After the parts, the claim, S3.
      for (const call of [3, 4, 5]) {
        const client = await link({ max_files: 1 });
        const upload = await client.begin();
        const part = await client.send(upload, "abc");
        program.nextFault = { kind: "crash", call, when: "after" };
        await client.complete(upload, [part]);
        await table.runOut(client.link_id, upload.event_id);

        outcomes.push((await client.create()).outcome);
        await expectExactCount(client);
      }
      expect(outcomes).to.deep.equal(["201", "201", "409 link_used_up"]);
    });

    it("lets an upload go on that was left completing, instead of taking it for complete", async () => {
      const client = await link();
      const file = { size: SIZE, last_modified: 1 };
      const upload = await client.begin(file);
      const first = await client.send(upload, Buffer.alloc(MIN_PART_BYTES), 1);
      // After the claim: S3 is not asked.
      program.nextFault = { kind: "crash", call: 3, when: "after" };
      expect((await client.complete(upload, [first])).outcome).to.match(/^5/);

      const repeated = await client.create(file);
      expect(repeated.outcome).to.equal("201");
      expect(repeated.body).to.deep.equal(upload);
      expect((await client.complete(upload, [first])).outcome).to.equal("400 invalid_upload");
      await table.runOut(client.link_id, upload.event_id);
      const parts = [first, await client.send(upload, "end", 2)];
      expect((await client.complete(upload, parts)).outcome).to.equal("200");
      expect((await client.create(file)).outcome).to.equal("409 upload_completed");
      await expectExactCount(client);
    });

    it("aborts an upload that was left completing", async () => {
      const client = await link({ max_files: 1 });
      const upload = await client.begin();
      const part = await client.send(upload, "abc");
      program.nextFault = { kind: "crash", call: 4, when: "after" };
      await client.complete(upload, [part]);
      await table.runOut(client.link_id, upload.event_id);

      expect((await client.abort(upload)).outcome).to.equal("200");
      expect(await table.link(client.link_id)).to.include({ taken: 0 });
      expect(await unfinished(client)).to.deep.equal([]);
    });

    it("aborts an upload once, at whichever request it dies", async () => {
      const client = await link();
      const calls = await withCrashes(
        async () => {
          const upload = await client.begin();
          return () => client.abort(upload);
        },
        async (outcome) => {
          expect(outcome).to.equal("200");
          expect(await table.link(client.link_id)).to.include({ taken: 0 });
          expect(await unfinished(client)).to.deep.equal([]);
        },
      );
      // The claim, the transaction, S3.
      expect(calls).to.equal(3);
    });
  });

  describe("needs each action of its Lambda's role:", () => {
    /** The actions that IAM asks for, for a call of the Lambda. */
    function actionsOf({ operation, request }: AllowedCall): string[] {
      if (operation === "dynamodb:TransactWriteItems") {
        const { TransactItems: items } = JSON.parse(request.body.toString()) as {
          TransactItems: object[];
        };
        return items.flatMap((item) => Object.keys(item)).map((kind) => `dynamodb:${kind}Item`);
      }
      const [service = "", name = ""] = operation.split(":");
      if (service !== "s3" || name === "AbortMultipartUpload") {
        return [operation];
      }
      return [name === "ListParts" ? "s3:ListMultipartUploadParts" : "s3:PutObject"];
    }

    /** Each route at its work, and what it answers. */
    async function journey(): Promise<string[]> {
      const client = await link({ max_files: 1 });
      const first = await client.create();
      const outcomes = [first.outcome, (await client.create()).outcome];
      outcomes.push(
        (await client.list(first.body)).outcome,
        (await client.sign(first.body)).outcome,
      );
      outcomes.push((await client.abort(first.body)).outcome);
      const second = await client.create();
      const part = await client.send(second.body, "abc");
      return [...outcomes, second.outcome, (await client.complete(second.body, [part])).outcome];
    }

    const expected = ["201", "409 link_used_up", "200", "200", "200", "201", "200"];

    for (const action of LINKS_ACTIONS) {
      it(action, async () => {
        expect(await journey()).to.deep.equal(expected);

        let denied = 0;
        program.onCall = (call, lambda) => {
          if (lambda === "links" && actionsOf(call).includes(action)) {
            denied += 1;
            throw new AwsError("AccessDenied", 403, `The role has no ${action}.`);
          }
        };
        const outcomes = await journey().catch(() => ["broken"]);

        expect(denied).to.be.above(0);
        expect(outcomes).not.to.deep.equal(expected);
      });
    }
  });

  it("leaves no trace of its ticket: in no log, no cache and no referrer", () => {
    const lines = program.events.flatMap((event) => (event.type === "log" ? [event.line] : []));
    expect(lines.some((line) => line.includes("Upload begun."))).to.equal(true);
    expect(lines.filter((line) => tickets.some((ticket) => line.includes(ticket)))).to.deep.equal(
      [],
    );
    for (const { headers, outcome } of answers) {
      expect(headers.get("referrer-policy"), outcome).to.equal("no-referrer");
      expect(headers.get("cache-control"), outcome).to.equal("no-store");
    }
    const texts = JSON.stringify(answers.map(({ body }) => body));
    expect(tickets.filter((ticket) => texts.includes(ticket))).to.deep.equal([]);
  });
});
