import { randomBytes, randomUUID } from "node:crypto";
import { request as httpRequest } from "node:http";
import { ListTablesCommand, PutItemCommand } from "@aws-sdk/client-dynamodb";
import { ListMultipartUploadsCommand, ListObjectsV2Command } from "@aws-sdk/client-s3";
import { expect } from "chai";
import fc from "fast-check";
import { AwsError } from "local-aws";
import { LINK_ROUTES } from "../../handlers/links/routes";
import { sealTicket } from "../../runtime/ticket";
import { linkItem } from "../../store/links/link";
import { type Program, startProgram } from "../../testing/startProgram";
import { type Answer, ask, type Begun, type LinkClient, linkClient, put } from "./linkClient";

const MIB = 1024 ** 2;

const TEXT = Buffer.from("a text");

/** An origin whose pages may use links. */
const PAGE = "https://www.example.com";

const TICKET_CHARACTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

interface Link {
  link_id: string;
  url: string;
}

describe("an upload link, used in ways that it does not allow", () => {
  let program: Program;
  /** Takes what it is given; each test begins uploads of its own. */
  let link: Link;
  let client: LinkClient;
  const tickets: string[] = [];

  before(async () => {
    program = await startProgram({ allowedContentTypes: "text/*, image/*", corsOrigins: PAGE });
    link = await createLink({});
    client = linkClient(link.url);
  });

  after(() => program.stop());

  afterEach(() => {
    program.onCall = () => undefined;
  });

  function output(name: string): string {
    return String(program.run.outputs[name]);
  }

  function manager(route: string, body?: object): Promise<Answer<Link>> {
    const [method = "", path = ""] = route.split(" ");
    const headers = { "x-api-key": output("managerApiKey") };
    return ask(`${output("managerUrl")}${path}`, method, body, headers);
  }

  async function createLink(fields: object): Promise<Link> {
    const { status, body, message } = await manager("POST /links", { expires_in: 3600, ...fields });
    expect(status, message).to.equal(201);
    tickets.push(ticketOf(body));
    return body;
  }

  function ticketOf({ url }: Link): string {
    return url.slice(url.lastIndexOf("/") + 1);
  }

  async function begun(by = client, metadata: object = {}): Promise<Begun> {
    const { status, body, message } = await by.begin(`${randomUUID()}.txt`, metadata);
    expect(status, message).to.equal(201);
    return body;
  }

  /** Keys of all objects. */
  async function stored(): Promise<string[]> {
    const { Contents: objects = [] } = await program.s3.send(
      new ListObjectsV2Command({ Bucket: program.bucketName }),
    );
    return objects.map(({ Key }) => Key ?? "");
  }

  /** Keys of all uploads in parts that S3 has. */
  async function unfinished(): Promise<string[]> {
    const { Uploads: uploads = [] } = await program.s3.send(
      new ListMultipartUploadsCommand({ Bucket: program.bucketName }),
    );
    return uploads.map(({ Key }) => Key ?? "");
  }

  /** Makes requests that have to be refused so, and to leave bucket and rows as they are. */
  async function refused(
    status: number,
    code: string,
    ...requests: (() => Promise<Answer<unknown>>)[]
  ): Promise<void> {
    const before = [await stored(), await unfinished()];
    for (const request of requests) {
      const answer = await request();
      expect([answer.status, answer.code], request.toString()).to.deep.equal([status, code]);
      expect(answer.message).to.be.a("string").and.not.equal("");
      expect(answer.headers.get("referrer-policy")).to.equal("no-referrer");
      expect(answer.headers.get("cache-control")).to.equal("no-store");
    }
    expect([await stored(), await unfinished()]).to.deep.equal(before);
    expect(await program.rowsOf("/links/")).to.deep.equal([]);
  }

  /** Every request that does something with an upload, or would begin one. */
  function allRequests(by: LinkClient, upload: Begun, parts = [{ PartNumber: 1, ETag: "a" }]) {
    return [
      () => by.begin("file.txt"),
      () => by.sign(upload, 1),
      () => by.list(upload),
      () => by.complete(upload, parts),
    ];
  }

  describe("its ticket", () => {
    it("lets nobody in who has changed a character", async () => {
      const upload = await begun();
      const ticket = ticketOf(link);
      const base = link.url.slice(0, -ticket.length);
      await fc.assert(
        fc.asyncProperty(
          fc.nat(ticket.length - 1),
          fc.constantFrom(...TICKET_CHARACTERS.split("")),
          fc.nat(LINK_ROUTES.length - 1),
          async (position, character, index) => {
            fc.pre(ticket[position] !== character);
            const altered = ticket.slice(0, position) + character + ticket.slice(position + 1);
            const { method = "", path = "" } = LINK_ROUTES[index] ?? {};
            const suffix = path
              .replace("{upload_id}", upload.uploadId)
              .replace("{part_number}", "1");
            const url = `${base}${altered}${suffix}?key=${encodeURIComponent(upload.key)}`;
            const answer = await ask(url, method);
            expect([answer.status, answer.code]).to.deep.equal([403, "forbidden"]);
          },
        ),
        { numRuns: 64 },
      );
      expect(await unfinished()).to.include(upload.key);
    });

    it("is no other text: shorter, longer, padded, in another encoding, of another stack, none", async () => {
      const ticket = ticketOf(link);
      const base = link.url.slice(0, -ticket.length - 1);
      const foreign = [randomBytes(32).toString("base64")];
      const others = [
        ticket.slice(0, -1),
        `${ticket}A`,
        `${ticket}=`,
        `${ticket}%00`,
        `%20${ticket}`,
        ticket.toLowerCase(),
        Buffer.from(ticket, "base64url").toString("hex"),
        Buffer.alloc(48).toString("base64url"),
        sealTicket(foreign, link.link_id),
        link.link_id,
        "s3",
        "a".repeat(3000),
      ];
      tickets.push(...others.filter((text) => text.length >= 60));
      await refused(
        403,
        "forbidden",
        ...others.map((text) => () => ask(`${base}/${text}`)),
        ...others.map((text) => () => linkClient(`${base}/${text}`).begin("file.txt")),
        () => ask(base),
        () => ask(`${base}/`),
      );
    });

    it("is asked for by every route", async () => {
      const base = output("linkUrl");
      const requests = LINK_ROUTES.flatMap(({ method, path }) => {
        const below = path.replace("{upload_id}", "id").replace("{part_number}", "1");
        return [below, `/x${below}`].map((each) => () => ask(base + each, method));
      });
      await refused(403, "forbidden", ...requests.filter((_, index) => index > 0));
    });

    it("opens nothing of the manager's, nor does the manager's key open a link", async () => {
      for (const path of ["/events", "/links", `/links/${link.link_id}`, "/uploads"]) {
        const answer = await ask(`${output("managerUrl")}${path}`, "GET", undefined, {
          "x-api-key": ticketOf(link),
        });
        expect([answer.status, answer.code]).to.deep.equal([403, "forbidden"]);
      }
      const key = { "x-api-key": output("managerApiKey") };
      const answer = await ask(`${output("linkUrl")}/${link.link_id}`, "GET", undefined, key);
      expect(answer.status).to.equal(403);
    });
  });

  describe("after its time", () => {
    it("takes, signs, lists and completes nothing more", async () => {
      const expiring = await createLink({});
      const by = linkClient(expiring.url);
      const upload = await begun(by);
      const part = await by.send(upload, 1, TEXT);
      const Item = linkItem({
        link_id: expiring.link_id,
        created_at: "2026-01-01T00:00:00.000Z",
        expires_at: new Date(Date.now() - 1).toISOString(),
        taken: 1,
        stored: 0,
      });
      const { TableNames: names = [] } = await program.dynamo.send(new ListTablesCommand({}));
      await program.dynamo.send(
        new PutItemCommand({
          TableName: names.find((name) => name.startsWith("links-")),
          Item: Item,
        }),
      );
      await refused(410, "link_expired", () => ask(by.url), ...allRequests(by, upload, [part]));
    });

    it("takes, signs, lists and completes nothing once it is revoked", async () => {
      const revoked = await createLink({});
      const by = linkClient(revoked.url);
      const upload = await begun(by);
      const part = await by.send(upload, 1, TEXT);
      expect((await manager(`DELETE /links/${revoked.link_id}`)).status).to.equal(200);
      await refused(410, "link_revoked", () => ask(by.url), ...allRequests(by, upload, [part]));
    });
  });

  describe("a file", () => {
    it("above its size is refused at once, or when its parts are counted", async () => {
      const small = linkClient((await createLink({ max_bytes: 6 * MIB })).url);
      await refused(413, "too_large", () => small.begin("large.txt", { size: 6 * MIB + 1 }));

      const upload = await begun(small);
      await refused(400, "invalid_part_number", () => small.sign(upload, 3));
      const parts = [
        await small.send(upload, 1, Buffer.alloc(5 * MIB)),
        await small.send(upload, 2, Buffer.alloc(MIB + 1)),
      ];
      const answer = await small.complete(upload, parts);
      expect([answer.status, answer.code]).to.deep.equal([413, "too_large"]);
      expect(await stored()).not.to.include(upload.key);
      expect(await unfinished()).not.to.include(upload.key);
    });

    it("of a type that it does not take is refused, whether by the link or the stack", async () => {
      const images = linkClient((await createLink({ content_types: ["image/*"] })).url);
      await refused(
        415,
        "type_not_allowed",
        () => images.begin("file.txt", {}, "text/plain"),
        () => images.begin("file.txt", {}, ""),
        () => client.begin("file.zip", {}, "application/zip"),
      );
      const list = await images.begin("file.png", {}, "image/png, text/html");
      expect([list.status, list.code]).to.deep.equal([400, "invalid_content_type"]);
    });

    it("without a byte is refused, and a form for any", async () => {
      await refused(400, "empty_file", () => client.begin("empty.txt", { size: 0 }));
      await refused(400, "use_multipart", () => ask(`${link.url}/s3/params?filename=a&type=b`));
    });

    it("beyond the link's number is refused, until one is given up", async () => {
      const one = linkClient((await createLink({ max_files: 1 })).url);
      const upload = await begun(one);
      await refused(409, "link_used_up", () => one.begin("second.txt"));
      expect((await one.abort(upload)).status).to.be.within(200, 204);
      await begun(one);
    });
  });

  describe("an upload", () => {
    it("of another link, or under another key, is not found, and goes on", async () => {
      const other = linkClient((await createLink({})).url);
      const [mine, theirs] = [await begun(), await begun(other)];
      const part = await other.send(theirs, 1, TEXT);
      const mixed: Begun[] = [
        theirs,
        { ...mine, uploadId: theirs.uploadId },
        { ...theirs, uploadId: mine.uploadId },
        { ...mine, key: mine.key.replace(/[^/]+$/, "other.txt") },
        { ...mine, key: mine.key.replace(/^links\//, "signed/") },
        { ...mine, key: "sample.jpg" },
        { ...mine, key: `${mine.key}/../../x` },
        { ...mine, uploadId: "no-such-upload" },
      ];
      await refused(
        404,
        "upload_not_found",
        ...mixed.flatMap((upload) => [
          () => client.sign(upload, 1),
          () => client.list(upload),
          () => client.complete(upload, [part]),
          () => client.abort(upload),
        ]),
      );
      expect((await other.complete(theirs, [part])).status).to.equal(200);
    });

    it("of another link does not say what became of its file, nor does any other event", async () => {
      const other = linkClient((await createLink({})).url);
      const theirs = await begun(other);
      const part = await other.send(theirs, 1, TEXT);
      await other.complete(theirs, [part]);
      const seen = await ask(`${other.url}/files/${theirs.event_id}`);
      expect([seen.status, seen.body.status]).to.deep.equal([200, "stored"]);
      const { event } = await program.putEvent({});
      for (const id of [
        theirs.event_id,
        (await begun()).event_id,
        event.event_id,
        "no-id",
        "%00",
      ]) {
        const answer = await ask(`${client.url}/files/${id}`);
        expect([answer.status, answer.code], id).to.deep.equal([404, "file_not_found"]);
      }
    });

    it("is completed once: of the same parts again is the same answer, of others 409", async () => {
      const upload = await begun();
      const part = await client.send(upload, 1, TEXT);
      const spare = await client.sign(upload, 2);
      const first = await client.complete(upload, [part]);
      expect(first.status, first.message).to.equal(200);

      const again = await client.complete(upload, [part]);
      expect([again.status, again.body]).to.deep.equal([200, first.body]);
      const others = [{ PartNumber: 1, ETag: "0123456789abcdef0123456789abcdef" }];
      await refused(
        409,
        "upload_completed",
        () => client.complete(upload, others),
        () => client.complete(upload, [part, { PartNumber: 2, ETag: part.ETag }]),
        () => client.sign(upload, 2),
        () => client.list(upload),
        () => client.abort(upload),
      );
      expect(await put(spare.body.url, TEXT)).to.include({ status: 404, code: "NoSuchUpload" });
      expect(await stored()).to.include(upload.key);
    });

    it("that was given up is not found, and takes no more parts", async () => {
      const upload = await begun();
      const part = await client.send(upload, 1, TEXT);
      const spare = await client.sign(upload, 1);
      await client.abort(upload);
      await refused(
        404,
        "upload_not_found",
        () => client.sign(upload, 1),
        () => client.list(upload),
        () => client.complete(upload, [part]),
      );
      expect(await put(spare.body.url, TEXT)).to.include({ status: 404, code: "NoSuchUpload" });
    });

    it("is not completed of parts that S3 does not have, and then goes on", async () => {
      const upload = await begun();
      const part = await client.send(upload, 1, TEXT);
      const wrong = { PartNumber: 1, ETag: "0123456789abcdef0123456789abcdef" };
      await refused(
        400,
        "invalid_part",
        () => client.complete(upload, [wrong]),
        () => client.complete(upload, [part, { ...wrong, PartNumber: 2 }]),
      );
      await refused(
        400,
        "invalid_parts",
        () => client.complete(upload, []),
        () => client.complete(upload, [{ ...part, PartNumber: 2 }]),
        () => client.complete(upload, [part, part]),
      );
      const two = [part, await client.send(upload, 2, TEXT)];
      await refused(400, "part_too_small", () => client.complete(upload, two));
      expect((await client.complete(upload, [part])).status).to.equal(200);
    });
  });

  describe("the URL of a part", () => {
    it("takes this part alone: no other number, key, upload, length or method", async () => {
      const size = 5 * MIB + 10;
      const upload = await begun(client, { size });
      const other = await begun();
      const last = await client.sign(upload, 2);
      const url = new URL(last.body.url);
      const changed = (change: (copy: URL) => void) => {
        const copy = new URL(url);
        change(copy);
        return copy.href;
      };
      const parameter = (name: string, value: string) =>
        changed((copy) => {
          copy.searchParams.set(name, value);
        });
      const ten = Buffer.alloc(10);
      for (const [altered, bytes, method] of [
        [parameter("partNumber", "1"), ten],
        [parameter("uploadId", other.uploadId), ten],
        [
          changed((copy) => {
            copy.pathname = copy.pathname.replace(/[^/]+$/, "other.txt");
          }),
          ten,
        ],
        [parameter("X-Amz-Expires", "604800"), ten],
        [
          changed((copy) => {
            copy.searchParams.delete("uploadId");
            copy.searchParams.delete("partNumber");
          }),
          ten,
        ],
        [url.href, Buffer.alloc(11)],
        [url.href, Buffer.alloc(9)],
        [url.href, ten, "GET"],
        [url.href, ten, "DELETE"],
      ] as [string, Buffer, string?][]) {
        const answer = await put(altered, bytes, method);
        expect(answer.status, `${method ?? "PUT"} ${altered} ${bytes.length}`).to.equal(403);
        expect(answer.code).to.equal("SignatureDoesNotMatch");
      }
      expect((await client.list(upload)).body).to.deep.equal([]);
      expect((await put(url.href, ten)).status).to.equal(200);
      expect((await client.list(upload)).body).to.have.length(1);
    });

    it("has a number of the file", async () => {
      const upload = await begun(client, { size: 5 * MIB + 10 });
      await refused(
        400,
        "invalid_part_number",
        ...["0", "3", "10001", "-1", "1.5", "one", "1e1", "%31%00"].map(
          (number) => () => client.sign(upload, number),
        ),
      );
    });
  });

  describe("a path", () => {
    /** Unlike fetch, http sends a path as it is. */
    function raw(path: string, method = "GET"): Promise<{ status: number; text: string }> {
      const { hostname, port, pathname } = new URL(link.url);
      return new Promise((resolve, reject) => {
        const sent = httpRequest({ hostname, port, method, path: pathname + path }, (answer) => {
          let text = "";
          answer.setEncoding("utf8");
          answer.on("data", (chunk: string) => (text += chunk));
          answer.on("end", () => {
            resolve({ status: answer.statusCode ?? 0, text });
          });
        });
        sent.on("error", reject).end();
      });
    }

    it("with tricks in it reaches nothing", async () => {
      const upload = await begun();
      const key = encodeURIComponent(upload.key);
      const before = [await stored(), await unfinished()];
      const paths = [
        "/../",
        "/../../stage/events",
        "/..%2f..%2fevents",
        "/%2e%2e/events",
        "//s3//multipart",
        "/s3%2fmultipart",
        "/s3/multipart%2f",
        "/S3/Multipart",
        `/s3/multipart/..%2f${upload.uploadId}/1?key=${key}`,
        `/s3/multipart/${upload.uploadId}%2f1?key=${key}`,
        `/s3/multipart/${upload.uploadId}%00/1?key=${key}`,
        `/s3/multipart/${upload.uploadId}/1%00?key=${key}`,
        `/s3/multipart/${upload.uploadId}/1/complete?key=${key}`,
        `/s3/multipart/${"a".repeat(7000)}/1?key=${key}`,
        `/s3/multipart/${upload.uploadId}/1?key=${"a".repeat(7000)}`,
        `/s3/multipart/${upload.uploadId}/1`,
        `/s3/multipart/${upload.uploadId}/1?key=${key}&key=${key}`,
        `/s3/multipart/${upload.uploadId}/1?key=${key}%00`,
        `/s3/multipart/${upload.uploadId}/1?key=%2e%2e/${key}`,
        `/s3/multipart/${upload.uploadId}/1?key=%ff`,
        `/s3/multipart/${upload.uploadId}/1?key=${key}&partNumber=2`,
        `/s3/multipart/%E0%A4%A/1?key=${key}`,
      ];
      for (const path of paths) {
        for (const method of ["GET", "POST", "DELETE"]) {
          const { status, text } = await raw(path, method);
          expect(status, `${method} ${path.slice(0, 80)} ${text.slice(0, 200)}`).to.be.within(
            400,
            499,
          );
          const { error } = JSON.parse(text) as { error: { code: string } };
          expect(error.code).to.match(/^[a-z_]+$/);
        }
      }
      expect([await stored(), await unfinished()]).to.deep.equal(before);
    });

    it("with a name that leads elsewhere stays below the link's own prefix", async () => {
      for (const name of ["../../x.txt", "/etc/passwd", "a/../../b.txt", "\0.txt", "..", ""]) {
        const { status, body } = await client.begin(name);
        expect(status).to.equal(201);
        expect(body.key).to.match(
          new RegExp(`^links/${link.link_id}/[^/]+/${body.event_id}/[^/\\0]+$`),
        );
      }
      const { status, body } = await client.begin(`${"n".repeat(5000)}.txt`);
      expect(status).to.equal(201);
      expect(Buffer.byteLength(body.key)).to.be.below(1024);
    });
  });

  describe("a page", () => {
    it("of an allowed origin may use the link, and read what it refuses", async () => {
      const asked = {
        origin: PAGE,
        "access-control-request-method": "DELETE",
        "access-control-request-headers": "content-type",
      };
      const preflight = await ask(`${link.url}/s3/multipart/id`, "OPTIONS", undefined, asked);
      expect(preflight.status).to.equal(204);
      expect(preflight.headers.get("access-control-allow-methods")).to.contain("DELETE");
      const answers = [
        preflight,
        await ask(link.url, "GET", undefined, { origin: PAGE }),
        await ask(`${link.url}/s3/params`, "GET", undefined, { origin: PAGE }),
        await ask(`${output("linkUrl")}/no-ticket`, "GET", undefined, { origin: PAGE }),
      ];
      expect(answers.map(({ status }) => status)).to.deep.equal([204, 200, 400, 403]);
      for (const { headers } of answers) {
        expect(headers.get("access-control-allow-origin")).to.equal(PAGE);
      }
    });

    it("of another origin cannot", async () => {
      const answer = await ask(link.url, "GET", undefined, { origin: "https://example.com" });
      expect(answer.headers.get("access-control-allow-origin")).to.equal(null);
    });
  });

  describe("the log", () => {
    it("has no ticket, not even when requests fail", async () => {
      const upload = await begun();
      for (const [operation, request] of [
        ["dynamodb:GetItem", () => client.list(upload)],
        ["s3:ListParts", () => client.list(upload)],
        ["s3:CreateMultipartUpload", () => client.begin("file.txt")],
      ] as const) {
        program.onCall = ({ operation: called }, lambda) => {
          if (lambda === "links" && called === operation) {
            throw new AwsError("AccessDenied", 403, "no");
          }
        };
        expect((await request()).status, operation).to.equal(502);
      }
      await program.logged("AccessDenied");
      const log = program.events
        .map((event) => JSON.stringify(event))
        .filter((text) => !text.includes('"type":"ready"'));
      expect(log.some((text) => text.includes(link.link_id) || text.includes("links"))).to.equal(
        true,
      );
      for (const ticket of tickets) {
        const [line] = log.filter((text) => text.includes(ticket));
        expect(line).to.equal(undefined);
      }
    });
  });
});
