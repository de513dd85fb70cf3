import { hash } from "node:crypto";
import { request as httpRequest } from "node:http";
import { crc32 } from "node:zlib";
import { PutItemCommand } from "@aws-sdk/client-dynamodb";
import { GetObjectCommand, HeadObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { expect } from "chai";
import {
  BUCKET,
  type BucketScene,
  formData,
  OBJECTS,
  openBucket,
  signForm,
} from "../s3/bucketScene";
import { captureOne } from "./capture";
import { signerOf } from "./signer";

type Headers = Record<string, string | string[]>;

interface Answer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  text: string;
}

describe("forged and unusual requests", () => {
  let scene: BucketScene;
  before(async () => {
    scene = await openBucket([
      ["s3:PutObject", OBJECTS],
      ["s3:GetObject", OBJECTS],
    ]);
  });
  after(() => scene.close());
  afterEach(() => {
    expect(scene.test.errors).to.deep.equal([]);
  });

  const operator = () => scene.test.cloud.roles.operator;

  /** Sends a request as it is: a URL is not normalized, a list of values is sent one by one. */
  function ask(method: string, url: string, headers: Headers = {}, body = ""): Promise<Answer> {
    const { hostname, port } = new URL(scene.test.cloud.endpoint);
    return new Promise((resolve, reject) => {
      const sent = { method, hostname, port, path: url, headers, agent: false };
      const request = httpRequest(sent, (response) => {
        let text = "";
        response.setEncoding("utf8");
        response.on("data", (chunk: string) => (text += chunk));
        response.on("end", () => {
          resolve({ status: response.statusCode ?? 0, headers: response.headers, text });
        });
      });
      request.on("error", reject);
      request.end(body);
    });
  }

  /** Signs a request with the operator's keys. */
  async function sign(
    service: string,
    {
      method = "GET",
      path = "/",
      headers = {},
      body = "",
    }: {
      method?: string;
      path?: string;
      headers?: Record<string, string>;
      body?: string;
    },
  ): Promise<Record<string, string>> {
    const { hostname, port, host } = new URL(scene.test.cloud.endpoint);
    const signed = await signerOf(service, operator()).sign({
      method,
      protocol: "http:",
      hostname,
      port: Number(port),
      path,
      headers: { host, ...headers },
      body,
    });
    return signed.headers;
  }

  async function presigned(key = "a"): Promise<string> {
    const url = await getSignedUrl(
      scene.client,
      new GetObjectCommand({ Bucket: BUCKET, Key: key }),
    );
    const { pathname, search } = new URL(url);
    return pathname + search;
  }

  describe("in aws-chunked", () => {
    const chunks = "4\r\nbody\r\n0\r\n\r\n";

    it("cannot be forms", async () => {
      for (const headers of [
        { "content-encoding": "aws-chunked" },
        { "content-encoding": "gzip, AWS-Chunked" },
        { "x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER" },
      ]) {
        const { url, fields } = await signForm(scene);
        const answer = await fetch(url, {
          method: "POST",
          headers,
          body: formData(fields, chunks),
        });

        expect(answer.status).to.equal(400);
        expect(await answer.text()).to.include("<Code>InvalidRequest</Code>");
      }
      expect(await scene.keys()).to.deep.equal([]);
    });

    it("need a signed mark: a presigned URL's holder cannot add it", async () => {
      const put = new PutObjectCommand({ Bucket: BUCKET, Key: "link", Body: chunks });
      const url = await getSignedUrl(scene.client, put);
      for (const [headers, status] of [
        [{ "x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER" }, 403],
        [{ "content-encoding": "aws-chunked" }, 400],
      ] as const) {
        const answer = await fetch(url, { method: "PUT", headers, body: chunks });
        expect(answer.status).to.equal(status);
      }
      expect(await scene.keys()).to.deep.equal([]);
    });
  });

  describe("with a credential scope that is not verified", () => {
    it("reach no other service", async () => {
      scene.calls.length = 0;
      const url = await presigned();
      const [path = "", query = ""] = url.split("?");
      const day = new Date().toISOString().slice(0, 10).replaceAll("-", "");
      const form = { "content-type": "application/x-www-form-urlencoded" };
      for (const service of ["sns", "dynamodb", "__proto__", "constructor"]) {
        const scope = `k/${day}/eu-central-1/${service}/aws4_request`;
        for (const forged of [
          `${path}?X-Amz-Signature=a?X-Amz-Credential=${scope}&${query}`,
          `${path}?X-Amz-Credential=${scope}&${query}`,
          `${path}?${query}&X-Amz-Credential=${scope}`,
          `/?X-Amz-Signature=a?X-Amz-Credential=${scope}`,
        ]) {
          const { status } = await ask("POST", forged, form, "Action=ListTopics");
          expect(status, forged).to.be.within(400, 499);
        }
        const authorization = `AWS4-HMAC-SHA256 Credential=${scope}, SignedHeaders=host, Signature=a`;
        const { status } = await ask("POST", "/", { ...form, authorization }, "Action=ListTopics");
        expect(status, service).to.be.within(400, 499);
      }
      expect(scene.calls.filter(({ status }) => status === 200)).to.deep.equal([]);
    });

    it("do not turn a signed link into a call to another service", async () => {
      const body = "Action=ListTopics";
      const { hostname, port, host } = new URL(scene.test.cloud.endpoint);
      const { query = {} } = await signerOf("s3", operator()).presign({
        method: "POST",
        protocol: "http:",
        hostname,
        port: Number(port),
        path: `/${BUCKET}/a`,
        headers: { host, "x-amz-content-sha256": hash("sha256", body) },
      });
      const link = new URLSearchParams(query as Record<string, string>).toString();
      const scope = `k/20260101/eu-central-1/sns/aws4_request`;
      const forged = `/${BUCKET}/a?X-Amz-Signature=a?X-Amz-Credential=${scope}&${link}`;

      const form = { "content-type": "application/x-www-form-urlencoded" };
      const { status, text } = await ask("POST", forged, form, body);

      expect(status).to.be.within(400, 499);
      expect(text).not.to.include("ListTopics");
    });
  });

  it("are refused with a parameter of the signature that is there twice", async () => {
    const url = await presigned();
    for (const [name, value] of new URLSearchParams(url.split("?")[1])) {
      const { status } = await ask("GET", `${url}&${name}=${encodeURIComponent(value)}`);
      if (name.startsWith("X-Amz-")) {
        expect(status, name).to.be.within(400, 403);
      }
    }
    const headers = await sign("s3", { path: `/${BUCKET}/a` });
    for (const [name, value] of Object.entries(headers)) {
      if (name !== "host") {
        const twice = { ...headers, [name]: [value, value] };
        const { status } = await ask("GET", `/${BUCKET}/a`, twice);
        expect(status, name).to.be.within(400, 403);
      }
    }
    expect((await ask("GET", url, headers)).text).to.include("Only one auth mechanism allowed");
  });

  for (const expires of ["0", "-1", "604801", "1e3", "60.5", "0x10", "+60", "%2060", "", "sixty"]) {
    it(`are refused with X-Amz-Expires=${expires}`, async () => {
      const url = (await presigned()).replace(/X-Amz-Expires=\d+/, `X-Amz-Expires=${expires}`);

      const { status, text } = await ask("GET", url);

      expect(status).to.equal(400);
      expect(text).to.include("<Code>AuthorizationQueryParametersError</Code>");
    });
  }

  describe("of Signature Version 2", () => {
    const query = "AWSAccessKeyId=k&Signature=s%3D&Expires=2000000000";
    for (const [method, path] of [
      ["GET", "/"],
      ["GET", `/${BUCKET}`],
      ["GET", `/${BUCKET}/a`],
      ["PUT", `/${BUCKET}/a`],
      ["POST", `/${BUCKET}?delete`],
      ["GET", "/no-such-bucket/a"],
    ] as const) {
      it(`are told of Version 4 by ${method} ${path}`, async () => {
        const url = `${path}${path.includes("?") ? "&" : "?"}${query}`;
        for (const answer of [
          await ask(method, url),
          await ask(method, path, { authorization: "AWS k:c2lnbmF0dXJl" }),
        ]) {
          expect(answer.status).to.equal(400);
          expect(answer.headers["content-type"]).to.equal("application/xml");
          expect(answer.text).to.include("<Code>InvalidRequest</Code>");
          expect(answer.text).to.include("AWS4-HMAC-SHA256");
        }
      });
    }

    it("are none on pages, whatever their parameters", async () => {
      expect((await ask("GET", `/_stack?${query}`)).text).not.to.include("AWS4-HMAC-SHA256");
    });
  });

  describe("to services that are not served", () => {
    const form = { "content-type": "application/x-www-form-urlencoded" };
    const PROTOCOLS: [string, string, Record<string, string>, RegExp][] = [
      [
        "iam",
        "Action=ListRoles&Version=2010-05-08",
        form,
        /^<ErrorResponse .*<Code>NotImplemented</s,
      ],
      ["cloudformation", "Action=ListStacks", form, /^<ErrorResponse .*<Code>NotImplemented</s],
      ["ec2", "Action=DescribeVpcs", form, /<Response><Errors><Error><Code>NotImplemented</],
      ["sqs", "Action=ListQueues", form, /^<ErrorResponse .*<Code>NotImplemented</s],
      ["kms", "{}", { "x-amz-target": "TrentService.ListKeys" }, /^\{"__type":".*#NotImplemented"/],
      ["lambda", "", {}, /^\{"__type":".*#NotImplemented"/],
    ];
    for (const [service, body, headers, expected] of PROTOCOLS) {
      it(`get their errors in the form of ${service}`, async () => {
        const signed = await sign(service, { method: "POST", headers, body });

        const { status, text } = await ask("POST", "/", signed, body);

        expect(status).to.equal(501);
        expect(text).to.match(expected);
      });
    }

    it("get an error in the same form where the signature is wrong", async () => {
      const body = "Action=ListRoles";
      const signed = await sign("iam", { method: "POST", headers: form, body });

      const { status, text } = await ask("POST", "/", signed, "Action=DeleteRole");

      expect(status).to.equal(403);
      expect(text).to.match(/^<ErrorResponse .*<Code>SignatureDoesNotMatch</s);
    });
  });

  for (const [service, target] of [
    ["sqs", "AmazonSQS.constructor"],
    ["dynamodb", "DynamoDB_20120810.__proto__"],
  ] as const) {
    it(`name no operation of ${service} with ${target}`, async () => {
      const headers = { "x-amz-target": target };
      const signed = await sign(service, { method: "POST", headers, body: "{}" });

      expect((await ask("POST", "/", signed, "{}")).status).to.equal(501);
    });
  }

  describe("that are valid", () => {
    it("may repeat a header, and hold bytes of UTF-8", async () => {
      const path = `/${BUCKET}/headers`;
      const headers = { "x-amz-meta-list": "a,b", "x-amz-meta-name": "日.txt" };
      const signed = await sign("s3", {
        method: "PUT",
        path,
        headers: { ...headers, "x-amz-content-sha256": "UNSIGNED-PAYLOAD" },
      });

      const { status } = await ask("PUT", path, {
        ...signed,
        "x-amz-meta-list": [" a ", "b"],
        "x-amz-meta-name": Buffer.from("日.txt").toString("latin1"),
      });

      expect(status).to.equal(200);
      const head = await scene.operator.send(
        new HeadObjectCommand({ Bucket: BUCKET, Key: "headers" }),
      );
      expect(head.Metadata?.list).to.equal("a,b");
    });

    it("may hold headers in a presigned query, of which S3 ignores the checksum", async () => {
      const object = { Bucket: BUCKET, Key: "hoisted" };
      const put = new PutObjectCommand({ ...object, Metadata: { a: "1" } });

      const link = await getSignedUrl(scene.client, put);
      const { status } = await fetch(link, { method: "PUT", body: "body" });

      expect(link).to.include("x-amz-meta-a=1").and.to.include("x-amz-checksum-crc32=AAAAAA");
      expect(status).to.equal(200);
      const head = await scene.operator.send(new HeadObjectCommand(object));
      expect(head.Metadata).to.deep.equal({ a: "1" });
    });

    it("may encode a slash of the path that is signed as it is", async () => {
      const path = `/${BUCKET}//k`;
      const headers = { "x-amz-content-sha256": "UNSIGNED-PAYLOAD" };
      const signed = await sign("s3", { method: "PUT", path, headers });

      expect((await ask("PUT", `/${BUCKET}/%2Fk`, signed)).status).to.equal(200);
      expect(await scene.keys()).to.include("/k");
    });

    it("have the CRC-32 of DynamoDB's answers in a header", async () => {
      const call = await captureOne(({ dynamodb }) =>
        dynamodb.send(new PutItemCommand({ TableName: "none", Item: {} })),
      );
      const target = call.headers["x-amz-target"] ?? "";
      const body = call.body.toString();
      const headers = { "x-amz-target": target, "content-type": "application/x-amz-json-1.0" };
      const signed = await sign("dynamodb", { method: "POST", headers, body });

      const answer = await ask("POST", "/", signed, body);

      expect(answer.headers["x-amz-crc32"]).to.equal(String(crc32(answer.text)));
    });
  });
});
