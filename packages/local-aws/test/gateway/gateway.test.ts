import { once } from "node:events";
import { type ClientRequest, type IncomingMessage, request as httpRequest } from "node:http";
import type { AddressInfo } from "node:net";
import { connect, createServer as createSocketServer, type Socket } from "node:net";
import { networkInterfaces } from "node:os";
import { PutItemCommand } from "@aws-sdk/client-dynamodb";
import { GetObjectCommand, HeadObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { PublishCommand } from "@aws-sdk/client-sns";
import { expect } from "chai";
import { AwsError } from "../../awsError";
import { dynamoDbApi } from "../../dynamodb/service";
import { createGateway, type GatewayOptions, type ServiceCall } from "../../gateway/gateway";
import { listen, type Listener, type ListenOptions } from "../../gateway/listener";
import type { HttpRequest, HttpResponse } from "../../http";
import type { PolicyDocument } from "../../iam/policy";
import type { Principal } from "../../iam/principal";
import { ACCOUNT, type Clients, clientsFor, destroyClients, KEY, PLACE, REGION } from "./capture";
import { s3ServiceOf, serviceOf, servicesOf } from "./services";

const ROLE = `arn:aws:sts::${ACCOUNT}:assumed-role/process/process`;
const TABLE = `arn:aws:dynamodb:${REGION}:${ACCOUNT}:table/t`;
const putItem = (): PutItemCommand => new PutItemCommand({ TableName: "t", Item: {} });
const getObject = (): GetObjectCommand => new GetObjectCommand({ Bucket: "b", Key: "k" });

function allow(Action: string, Resource: string): PolicyDocument {
  return { Version: "2012-10-17", Statement: [{ Effect: "Allow", Action, Resource }] };
}

function answer(body: string, status = 200, headers: Record<string, string> = {}): HttpResponse {
  return { status, headers, body: Buffer.from(body) };
}

/** A gateway, its clients, and its backends' view. */
interface Scene {
  url: string;
  port: number;
  clients: Clients;
  listener: Listener;
  /** The requests that the backends got. */
  seen: HttpRequest[];
  calls: ServiceCall[];
  errors: unknown[];
}

describe("the gateway", () => {
  const open: Scene[] = [];
  const sockets: Socket[] = [];

  afterEach(async () => {
    for (const socket of sockets.splice(0)) {
      socket.destroy();
    }
    for (const { clients, listener } of open.splice(0)) {
      destroyClients(clients);
      await listener.close();
    }
  });

  /** A gateway whose backends answer `respond`, for a caller with the given policies. */
  async function setUp(
    policies: Principal["policies"],
    respond: (request: HttpRequest) => HttpResponse | Promise<HttpResponse> = () => answer("{}"),
    options: Partial<GatewayOptions & ListenOptions> = {},
  ): Promise<Scene> {
    const seen: HttpRequest[] = [];
    const calls: ServiceCall[] = [];
    const errors: unknown[] = [];
    const backend = async (request: HttpRequest): Promise<HttpResponse> => {
      seen.push(request);
      return respond(request);
    };
    const principal: Principal = { ...KEY, arn: ROLE, policies, functionName: "process" };
    const onError = (error: unknown): void => {
      errors.push(error);
    };
    const listener = await listen({ port: 0, onError, ...options });
    const gateway = createGateway({
      ...PLACE,
      principals: { find: (id) => (id === KEY.accessKeyId ? principal : undefined) },
      services: servicesOf(backend),
      unsigned: backend,
      observe: (call) => calls.push(call),
      onError,
      ...options,
    });
    listener.serve(gateway);
    const { url, port } = listener;
    const scene = { url, port, clients: clientsFor(url), listener, seen, calls, errors };
    open.push(scene);
    return scene;
  }

  function send(
    { port }: Scene,
    options: { method?: string; path?: string; headers?: Record<string, string>; body?: string },
  ): Promise<IncomingMessage & { text: string }> {
    return new Promise((resolve, reject) => {
      const { method = "GET", path = "/", headers, body } = options;
      const request: ClientRequest = httpRequest(
        { port, host: "127.0.0.1", method, path, headers, agent: false },
        (response) => {
          const chunks: Buffer[] = [];
          response.on("data", (chunk: Buffer) => chunks.push(chunk));
          response.on("end", () => {
            resolve(Object.assign(response, { text: Buffer.concat(chunks).toString() }));
          });
        },
      );
      request.on("error", reject);
      request.end(body);
    });
  }

  async function thrownBy(promise: Promise<unknown>): Promise<unknown> {
    return promise.then(
      () => expect.fail("It was answered"),
      (error: unknown) => error,
    );
  }

  /** The raw answer to raw bytes; the connection stays open. */
  async function exchange(port: number, bytes: string, until: RegExp): Promise<string> {
    const socket = connect(port, "127.0.0.1");
    sockets.push(socket);
    socket.write(bytes);
    let text = "";
    for await (const chunk of socket as AsyncIterable<Buffer>) {
      text += chunk.toString();
      if (until.test(text)) {
        break;
      }
    }
    return text;
  }

  describe("with a signed call", () => {
    it("forwards what the caller's policy allows, as it was sent", async () => {
      const scene = await setUp([allow("dynamodb:PutItem", TABLE)]);

      await scene.clients.dynamodb.send(putItem());

      expect(scene.seen).to.have.length(1);
      expect(scene.seen[0]).to.include({ method: "POST", url: "/" });
      expect(JSON.parse(String(scene.seen[0]?.body))).to.deep.equal({ TableName: "t", Item: {} });
    });

    it("gives the caller to the backend", async () => {
      const callers: string[] = [];
      const scene = await setUp("all", undefined, {
        services: [
          serviceOf(dynamoDbApi, (_, { arn }) => {
            callers.push(arn);
            return Promise.resolve(answer("{}"));
          }),
        ],
      });

      await scene.clients.dynamodb.send(putItem());

      expect(callers).to.deep.equal([ROLE]);
    });

    it("denies the rest with DynamoDB's error, before any backend", async () => {
      const scene = await setUp([allow("dynamodb:GetItem", TABLE)]);

      const error = await thrownBy(scene.clients.dynamodb.send(putItem()));

      expect(error).to.include({
        name: "AccessDeniedException",
        message:
          `User: ${ROLE} is not authorized to perform: dynamodb:PutItem on resource: ${TABLE} ` +
          "because no identity-based policy allows the dynamodb:PutItem action",
      });
      expect(error).to.have.nested.property("$metadata.httpStatusCode", 400);
      expect(scene.seen).to.deep.equal([]);
    });

    it("denies with S3's and SNS's errors, too", async () => {
      const { clients } = await setUp([]);
      const publish = new PublishCommand({ TopicArn: "arn:aws:sns:r:1:t", Message: "m" });

      const byS3 = await thrownBy(clients.s3.send(getObject()));
      const bySns = await thrownBy(clients.sns.send(publish));

      expect(byS3).to.include({ name: "AccessDenied" });
      expect(byS3).to.have.nested.property("$metadata.httpStatusCode", 403);
      // The wire says AuthorizationError; the client's model has its own name for that.
      expect(bySns).to.include({ name: "AuthorizationErrorException" });
      expect(bySns).to.have.nested.property("$metadata.httpStatusCode", 403);
    });

    it("lets the operator do everything", async () => {
      const scene = await setUp("all");

      await scene.clients.dynamodb.send(putItem());

      expect(scene.seen).to.have.length(1);
    });

    it("denies the operator, too, what a resource's policy denies to everybody", async () => {
      const deny: PolicyDocument = {
        Statement: { Effect: "Deny", Principal: "*", Action: "dynamodb:PutItem", Resource: TABLE },
      };
      const scene = await setUp("all", undefined, { resourcePolicyOf: () => deny });

      const error = await thrownBy(scene.clients.dynamodb.send(putItem()));

      expect(error).to.have.property("message").that.includes("explicit deny in a resource-based");
      expect(scene.seen).to.deep.equal([]);
    });

    it("applies the resource's own policy", async () => {
      const grant: PolicyDocument = {
        Statement: {
          Effect: "Allow",
          Principal: { AWS: `arn:aws:iam::${ACCOUNT}:role/process` },
          Action: "dynamodb:PutItem",
          Resource: TABLE,
        },
      };
      const scene = await setUp([], undefined, {
        resourcePolicyOf: (arn) => (arn === TABLE ? grant : undefined),
      });

      await scene.clients.dynamodb.send(putItem());

      expect(scene.seen).to.have.length(1);
    });

    it("counts as one over TLS for a policy that demands it", async () => {
      const insecure: PolicyDocument = {
        Statement: {
          Effect: "Deny",
          Action: "*",
          Resource: "*",
          Condition: { Bool: { "aws:SecureTransport": "false" } },
        },
      };
      const scene = await setUp([allow("*", "*"), insecure]);

      await scene.clients.dynamodb.send(putItem());

      expect(scene.seen).to.have.length(1);
    });

    it("refuses a signature made with another secret", async () => {
      const scene = await setUp("all");
      const clients = clientsFor(scene.url, { ...KEY, secretAccessKey: "guessed" });

      const error = await thrownBy(clients.s3.send(getObject()));

      destroyClients(clients);
      expect(error).to.include({ name: "SignatureDoesNotMatch" });
      expect(scene.seen).to.deep.equal([]);
      expect(scene.calls[0]).to.include({ operation: "s3:GetObject", principalArn: undefined });
    });

    it("refuses another region, and names the right one", async () => {
      const scene = await setUp("all", undefined, { region: "us-west-2" });

      const error = await thrownBy(scene.clients.dynamodb.send(putItem()));

      expect(error).to.have.property("message").that.includes("expecting 'us-west-2'");
    });

    it("answers 501 for a service that is not served", async () => {
      const scene = await setUp("all", undefined, { services: [] });

      const error = await thrownBy(scene.clients.dynamodb.send(putItem()));

      expect(error).to.include({ name: "NotImplemented" });
      expect(error).to.have.nested.property("$metadata.httpStatusCode", 501);
    });

    it("hides a missing object from callers who may not list the bucket", async () => {
      const missing = (): HttpResponse => answer("<Error><Code>NoSuchKey</Code></Error>", 404);
      const object = "arn:aws:s3:::b/*";
      const reader = await setUp([allow("s3:GetObject", object)], missing);
      const lister = await setUp(
        [allow("s3:GetObject", object), allow("s3:ListBucket", "arn:aws:s3:::b")],
        missing,
      );
      const head = new HeadObjectCommand({ Bucket: "b", Key: "k" });

      expect(await thrownBy(reader.clients.s3.send(getObject()))).to.include({
        name: "AccessDenied",
      });
      expect(await thrownBy(reader.clients.s3.send(head))).to.have.nested.property(
        "$metadata.httpStatusCode",
        403,
      );
      expect(await thrownBy(lister.clients.s3.send(getObject()))).to.include({ name: "NoSuchKey" });
    });

    it("does not hide a missing bucket", async () => {
      const { clients } = await setUp([allow("s3:GetObject", "arn:aws:s3:::b/*")], () =>
        answer("<Error><Code>NoSuchBucket</Code></Error>", 404),
      );

      expect(await thrownBy(clients.s3.send(getObject()))).to.include({ name: "NoSuchBucket" });
    });

    it("reports the end of each call", async () => {
      const scene = await setUp([allow("dynamodb:PutItem", TABLE)]);

      await scene.clients.dynamodb.send(putItem());
      await thrownBy(scene.clients.s3.send(getObject()));

      expect(scene.calls).to.have.length(2);
      expect(scene.calls[0]).to.include({
        service: "dynamodb",
        operation: "dynamodb:PutItem",
        principalArn: ROLE,
        functionName: "process",
        status: 200,
        errorCode: undefined,
        requestBytes: 27,
      });
      expect(scene.calls[0]?.durationMs).to.be.within(0, 60_000);
      expect(scene.calls[0]?.startedAt).to.be.closeTo(Date.now(), 60_000);
      expect(scene.calls[1]).to.include({
        operation: "s3:GetObject",
        status: 403,
        errorCode: "AccessDenied",
      });
    });

    it("lets an interceptor answer for the backend, or after it", async () => {
      const intercepted: string[] = [];
      const scene = await setUp("all", undefined, {
        intercept: async ({ operation, principal }, forward) => {
          intercepted.push(`${operation} by ${principal.arn}`);
          if (intercepted.length === 1) {
            throw new AwsError("ProvisionedThroughputExceededException", 400, "");
          }
          return forward();
        },
      });

      const error = await thrownBy(scene.clients.dynamodb.send(putItem()));
      await scene.clients.dynamodb.send(putItem());

      expect(error).to.include({ name: "ProvisionedThroughputExceededException" });
      expect(intercepted).to.deep.equal(Array(2).fill(`dynamodb:PutItem by ${ROLE}`));
      expect(scene.seen).to.have.length(1);
    });

    it("answers 500 with a request id when a backend fails, and reports why", async () => {
      const failure = new Error("disk full");
      const scene = await setUp("all", () => Promise.reject(failure));

      const byDynamodb = await thrownBy(scene.clients.dynamodb.send(putItem()));
      const byS3 = await thrownBy(scene.clients.s3.send(getObject()));

      expect(byDynamodb).to.include({ name: "InternalServerError" });
      expect(byDynamodb)
        .to.have.property("message")
        .that.matches(/request [0-9a-f-]{36}/);
      expect(byS3).to.include({ name: "InternalError" });
      expect(scene.errors).to.deep.equal([failure, failure]);
    });

    it("still answers when an observer of the calls fails", async () => {
      const failure = new Error("observer");
      const scene = await setUp("all", undefined, {
        observe: () => {
          throw failure;
        },
      });

      await scene.clients.dynamodb.send(putItem());

      expect(scene.errors).to.deep.equal([failure]);
    });
  });

  describe("with an unsigned request", () => {
    it("forwards it unchanged", async () => {
      const scene = await setUp([], () => answer("hello", 201, { "Content-Type": "text/plain" }));

      const response = await send(scene, {
        method: "POST",
        path: "/stage/a%20b?c=+%2B&c=2#",
        headers: { "x-one": "1" },
        body: "body",
      });

      expect(scene.seen[0]).to.include({ method: "POST", url: "/stage/a%20b?c=+%2B&c=2#" });
      expect(scene.seen[0]?.headers).to.include({ "x-one": "1" });
      expect(String(scene.seen[0]?.body)).to.equal("body");
      expect(response).to.include({ statusCode: 201, text: "hello" });
      expect(response.headers).to.include({ "content-type": "text/plain", "content-length": "5" });
      expect(scene.calls).to.deep.equal([]);
    });

    it("requires a signature for a call to a service", async () => {
      const scene = await setUp([]);

      const response = await send(scene, {
        method: "POST",
        headers: { "x-amz-target": "DynamoDB_20120810.PutItem" },
        body: "{}",
      });

      expect(response.statusCode).to.equal(400);
      expect(response.text).to.include("MissingAuthenticationTokenException");
      expect(scene.seen).to.deep.equal([]);
    });

    const SDK = { "amz-sdk-invocation-id": "id" };
    const CALLS: [
      what: string,
      method: string,
      path: string,
      headers: Record<string, string>,
      code: string,
    ][] = [
      [
        "SNS",
        "POST",
        "/",
        { "content-type": "application/x-www-form-urlencoded; charset=utf-8" },
        "MissingAuthenticationToken",
      ],
      ["S3", "GET", "/?x-id=ListBuckets", SDK, "AccessDenied"],
    ];
    for (const [what, method, path, headers, code] of CALLS) {
      it(`answers an unsigned call to ${what} in its own protocol`, async () => {
        const scene = await setUp([]);

        const response = await send(scene, { method, path, headers });

        expect(response.statusCode).to.equal(403);
        expect(response.text).to.include(`<Code>${code}</Code>`);
        expect(scene.seen).to.deep.equal([]);
      });
    }

    it("answers 500 when its handler fails, and reports why", async () => {
      const failure = new Error("no such page");
      const scene = await setUp([], () => Promise.reject(failure));

      const response = await send(scene, {});

      expect(response.statusCode).to.equal(500);
      expect(JSON.parse(response.text)).to.have.property("message").that.includes("request ");
      expect(scene.errors).to.deep.equal([failure]);
    });
  });

  describe("as an HTTP server", () => {
    it("answers a HEAD with the length of the body, without the body", async () => {
      const object = { "content-length": "12345", etag: '"x"' };
      const scene = await setUp("all", ({ url }) =>
        url.startsWith("/b/") ? answer("", 200, object) : answer("four"),
      );

      const head = await scene.clients.s3.send(new HeadObjectCommand({ Bucket: "b", Key: "k" }));
      const other = await send(scene, { method: "HEAD", path: "/page" });

      expect(head.ContentLength).to.equal(12345);
      expect(other.headers["content-length"]).to.equal("4");
      expect(other.text).to.equal("");
    });

    it("sends no body with 204 and 304, and the exact length with the rest", async () => {
      const scene = await setUp([], ({ url }) =>
        answer("é", Number(url.slice(1)), {
          "Content-Length": "7",
          "Transfer-Encoding": "chunked",
        }),
      );

      const [created, none, unchanged] = await Promise.all(
        ["/201", "/204", "/304"].map((path) => send(scene, { path })),
      );

      expect(created?.headers).to.include({ "content-length": "2" });
      expect(created?.headers).not.to.have.property("transfer-encoding");
      expect(created?.text).to.equal("é");
      expect([none?.text, unchanged?.text]).to.deep.equal(["", ""]);
      expect(none?.headers).not.to.have.property("content-length");
    });

    it("accepts a chunked body, and one that waits for '100 Continue'", async () => {
      const scene = await setUp([], ({ body }) => answer(`got ${String(body)}`));
      const head = `PUT /x HTTP/1.1\r\nHost: localhost:${scene.port}\r\n`;

      const chunked = await exchange(
        scene.port,
        `${head}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n`,
        /got .*/,
      );
      const interim = await exchange(
        scene.port,
        `${head}Content-Length: 2\r\nExpect: 100-continue\r\n\r\n`,
        /\r\n\r\n/,
      );

      expect(chunked).to.include("got abcde");
      expect(interim).to.match(/^HTTP\/1.1 100 /);
    });

    it("drops a request whose client leaves before its end, and serves the next", async () => {
      const scene = await setUp([], () => answer("hello"));
      const head = `PUT /x HTTP/1.1\r\nHost: localhost:${scene.port}\r\nContent-Length: 100\r\n`;
      const socket = connect(scene.port, "127.0.0.1");

      socket.write(`${head}Expect: 100-continue\r\n\r\n`);
      await once(socket, "data");
      socket.write("half");
      socket.resetAndDestroy();
      const next = await send(scene, { path: "/next" });

      expect(next.text).to.equal("hello");
      expect(scene.seen.map(({ url }) => url)).to.deep.equal(["/next"]);
      expect(scene.errors).to.deep.equal([]);
    });

    it("refuses a body that is too large, announced or not", async () => {
      const scene = await setUp("all", undefined, { maxBodyBytes: 1000 });
      const body = "x".repeat(100_000);

      const announced = await send(scene, {
        method: "POST",
        headers: { "content-length": String(body.length) },
        body,
      });
      const chunked = await send(scene, {
        method: "POST",
        headers: { "transfer-encoding": "chunked" },
        body,
      });
      const signed = await thrownBy(
        scene.clients.s3.send(new PutObjectCommand({ Bucket: "b", Key: "k", Body: body })),
      );

      expect([announced.statusCode, chunked.statusCode]).to.deep.equal([413, 413]);
      expect(signed).to.include({ name: "EntityTooLarge" });
      expect(scene.seen).to.deep.equal([]);
    });

    it("refuses a form that is too large with S3's error, readable for the site's page", async () => {
      const scene = await setUp("all", undefined, {
        maxBodyBytes: 1000,
        services: [
          s3ServiceOf(() => expect.fail("It was forwarded"), {
            hasBucket: (name) => name === "files",
            corsRulesOf: () => [{ allowedOrigins: ["*"], allowedMethods: ["POST"] }],
          }),
        ],
      });

      const refused = await send(scene, {
        method: "POST",
        path: "/files",
        headers: { origin: "https://example.com", "content-type": "multipart/form-data" },
        body: "x".repeat(2000),
      });

      expect(refused.statusCode).to.equal(413);
      expect(refused.headers).to.include({
        "access-control-allow-origin": "*",
        "content-type": "application/xml",
      });
      expect(refused.text).to.contain("<Code>EntityTooLarge</Code>");
    });

    it("answers 503 until it has something to serve", async () => {
      const listener = await listen({ port: 0, maxBodyBytes: 10 });
      const clients = clientsFor(listener.url);
      try {
        const page = await fetch(listener.url);
        expect(page.status).to.equal(503);
        expect(page.headers.get("retry-after")).to.equal("1");
        expect(await page.text()).to.equal("The local run is starting.\n");
        expect(await thrownBy(clients.dynamodb.send(putItem()))).to.have.nested.property(
          "$metadata.httpStatusCode",
          503,
        );
      } finally {
        destroyClients(clients);
        await listener.close();
      }
    });

    it("listens on 127.0.0.1 only", async () => {
      const listener = await listen({ port: 0 });
      const addresses = Object.values(networkInterfaces()).flatMap((each) => each ?? []);
      const others = addresses.map(({ address }) => address).filter((ip) => ip !== "127.0.0.1");

      for (const host of ["::1", ...others]) {
        expect(await thrownBy(once(connect(listener.port, host), "connect")), host).to.be.an(
          "error",
        );
      }

      await listener.close();
    });

    it("throws the server's own error when its port is taken", async () => {
      const taken = createSocketServer().listen(0, "127.0.0.1");
      await once(taken, "listening");
      const { port } = taken.address() as AddressInfo;

      const error = await thrownBy(listen({ port }));

      taken.close();
      expect(error).to.include({ code: "EADDRINUSE" });
    });

    it("closes at once, idle and busy connections included", async () => {
      let arrived: () => void = () => undefined;
      const busy = new Promise<void>((resolve) => (arrived = resolve));
      const scene = await setUp([], ({ url }) => {
        if (url !== "/never") {
          return answer("idle");
        }
        arrived();
        return new Promise<HttpResponse>(() => undefined);
      });
      await exchange(scene.port, `GET / HTTP/1.1\r\nHost: localhost:${scene.port}\r\n\r\n`, /idle/);
      const unanswered = thrownBy(send(scene, { path: "/never" }));
      await busy;

      // The busy connection would keep it open for good.
      await scene.listener.close();

      expect(await unanswered).to.include({ code: "ECONNRESET" });
    });
  });
});
