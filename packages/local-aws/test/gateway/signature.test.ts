import { Readable } from "node:stream";
import { PutItemCommand } from "@aws-sdk/client-dynamodb";
import {
  CopyObjectCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
} from "@aws-sdk/client-s3";
import { PublishCommand } from "@aws-sdk/client-sns";
import { SendMessageCommand } from "@aws-sdk/client-sqs";
import { expect } from "chai";
import { AwsError } from "../../awsError";
import { findService } from "../../gateway/findService";
import type { Secret, SecretOf, SignedCall } from "../../gateway/service";
import { isSigned } from "../../gateway/signature/claim";
import { verifySignature } from "../../gateway/signature/verify";
import type { HttpRequest } from "../../http";
import { SERVICE_APIS } from "../../services";
import { ACCOUNT, capture, captureOne, KEY, REGION } from "./capture";
import { signerOf } from "./signer";

const secretOf = (id: string): Secret | undefined => (id === KEY.accessKeyId ? KEY : undefined);

function verify(request: HttpRequest, now = new Date(), lookUp: SecretOf = secretOf): SignedCall {
  return verifySignature(findService(SERVICE_APIS, request), request, lookUp, now);
}

/** The code and status of the refusal; throws where there is none. */
function refusal(request: HttpRequest, now = new Date(), lookUp = secretOf): string {
  try {
    verify(request, now, lookUp);
  } catch (error) {
    if (error instanceof AwsError) {
      return `${error.code} ${error.status}`;
    }
    throw error;
  }
  throw new Error("The request was accepted");
}

function later(seconds: number): Date {
  return new Date(Date.now() + seconds * 1000);
}

const putItem = (): Promise<HttpRequest> =>
  captureOne(({ dynamodb }) =>
    dynamodb.send(new PutItemCommand({ TableName: "t", Item: { a: { S: "é" } } })),
  );
const putObject = (): Promise<HttpRequest> =>
  captureOne(({ s3 }) => s3.send(new PutObjectCommand({ Bucket: "b", Key: "k", Body: "hello" })));
const publish = (): Promise<HttpRequest> =>
  captureOne(({ sns }) => sns.send(new PublishCommand({ TopicArn: "arn:x", Message: "a b+c" })));

/** As the S3 presigner of the SDK does it. */
async function presign(
  path: string,
  options: { expiresIn?: number; query?: Record<string, string>; date?: Date } = {},
): Promise<HttpRequest> {
  const signed = await signerOf("s3", KEY).presign(
    {
      method: "PUT",
      protocol: "http:",
      hostname: "127.0.0.1",
      port: 4566,
      path,
      query: options.query ?? {},
      headers: { host: "127.0.0.1:4566", "x-amz-content-sha256": "UNSIGNED-PAYLOAD" },
    },
    { expiresIn: options.expiresIn ?? 60, signingDate: options.date },
  );
  const query = Object.entries(signed.query ?? {})
    .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(String(value))}`)
    .join("&");
  return {
    method: "PUT",
    url: `${path}?${query}`,
    headers: { host: "127.0.0.1:4566", "content-type": "text/plain" },
    body: Buffer.from("anything"),
  };
}

describe("verifySignature", () => {
  it("gives the signer, the service and the region of requests of the SDK's clients", async () => {
    const requests = await capture(async ({ dynamodb, s3, sns, sqs }) => {
      await dynamodb.send(new PutItemCommand({ TableName: "t", Item: { a: { S: "é" } } }));
      await s3.send(new PutObjectCommand({ Bucket: "b", Key: "k", Body: "hello" }));
      await sns.send(new PublishCommand({ TopicArn: "arn:x", Message: "a b+c" })).catch(() => 0);
      await sqs.send(
        new SendMessageCommand({ QueueUrl: `http://x/${ACCOUNT}/q`, MessageBody: "m" }),
      );
    });

    expect(requests.map((request) => verify(request))).to.deep.equal(
      ["dynamodb", "s3", "sns", "sqs"].map((service) => ({
        accessKeyId: KEY.accessKeyId,
        service,
        region: REGION,
        presigned: false,
      })),
    );
  });

  for (const key of [
    "a b",
    "a+b",
    "a%2Bb",
    "é/日本/🎉",
    "/x//y/",
    "a/../b/./c",
    "#?&=;",
    "it's (1)*!~@$,:'",
    "\u0001\n\t",
    "100%",
  ]) {
    it(`accepts the object key ${JSON.stringify(key)}`, async () => {
      const requests = await capture(async ({ s3 }) => {
        const object = { Bucket: "bucket", Key: key };
        await s3.send(new PutObjectCommand({ ...object, Body: "x", Metadata: { a: "b  c " } }));
        await s3.send(new GetObjectCommand({ ...object, VersionId: "a+/b=" }));
      });
      const copied = await captureOne(({ s3 }) =>
        s3.send(
          new CopyObjectCommand({
            Bucket: "bucket",
            Key: key,
            CopySource: encodeURIComponent(`bucket/${key}`),
          }),
        ),
      );
      const listed = await captureOne(({ s3 }) =>
        s3.send(new ListObjectsV2Command({ Bucket: "bucket", Prefix: key, Delimiter: "/" })),
      );

      expect(requests.map(({ method }) => method)).to.deep.equal(["PUT", "GET"]);
      for (const request of [...requests, copied, listed]) {
        expect(verify(request).service).to.equal("s3");
      }
    });
  }

  it("accepts a streamed body by its seed signature", async () => {
    const request = await captureOne(({ s3 }) =>
      s3.send(
        new PutObjectCommand({
          Bucket: "b",
          Key: "k",
          Body: Readable.from([Buffer.from("one"), Buffer.from("two")]),
          ContentLength: 6,
        }),
      ),
    );

    expect(request.headers["x-amz-content-sha256"]).to.match(/^(STREAMING-)?UNSIGNED-PAYLOAD/);
    expect(verify(request).service).to.equal("s3");
  });

  describe("of a body in signed chunks", () => {
    // https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html
    const SIGNATURES = [
      "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648",
      "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497",
      "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9",
    ];
    const chunk = (size: number, signature = "", content = "a") =>
      `${size.toString(16)};chunk-signature=${signature}\r\n${content.repeat(size)}\r\n`;
    const published = (body: string): HttpRequest => ({
      method: "PUT",
      url: "/examplebucket/chunkObject.txt",
      headers: {
        host: "s3.amazonaws.com",
        "x-amz-date": "20130524T000000Z",
        "x-amz-storage-class": "REDUCED_REDUNDANCY",
        "x-amz-content-sha256": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
        "content-encoding": "aws-chunked",
        "x-amz-decoded-content-length": "66560",
        "content-length": "66824",
        authorization:
          "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request," +
          "SignedHeaders=content-encoding;content-length;host;x-amz-content-sha256;x-amz-date;" +
          "x-amz-decoded-content-length;x-amz-storage-class," +
          "Signature=4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9",
      },
      body: Buffer.from(body),
    });
    const at = new Date("2013-05-24T00:00:00Z");
    const secret = { secretAccessKey: KEY.secretAccessKey };
    const [first = "", second = "", last = ""] = SIGNATURES;
    const whole = chunk(65536, first) + chunk(1024, second) + chunk(0, last);

    it("accepts the published example", () => {
      expect(verify(published(whole), at, () => secret).region).to.equal("us-east-1");
    });

    const WRONG: [string, string][] = [
      ["changed", chunk(65536, first) + chunk(1024, second, "b") + chunk(0, last)],
      ["left out", chunk(65536, first) + chunk(0, last)],
      ["cut off, with the last one", chunk(65536, first) + chunk(0, first)],
      [
        "with the signature of another one",
        chunk(65536, second) + chunk(1024, first) + chunk(0, last),
      ],
    ];
    for (const [what, body] of WRONG) {
      it(`refuses a chunk that is ${what}`, () => {
        expect(refusal(published(body), at, () => secret)).to.equal("SignatureDoesNotMatch 403");
      });
    }
  });

  it("refuses a wrong secret with each service's own code", async () => {
    const wrong = (): Secret => ({ ...KEY, secretAccessKey: "other" });

    expect(refusal(await putObject(), new Date(), wrong)).to.equal("SignatureDoesNotMatch 403");
    expect(refusal(await putItem(), new Date(), wrong)).to.equal("InvalidSignatureException 400");
    expect(refusal(await publish(), new Date(), wrong)).to.equal("SignatureDoesNotMatch 403");
  });

  it("refuses an access key that does not exist", async () => {
    const none = (): undefined => undefined;

    expect(refusal(await putObject(), new Date(), none)).to.equal("InvalidAccessKeyId 403");
    expect(refusal(await putItem(), new Date(), none)).to.equal("UnrecognizedClientException 400");
    expect(refusal(await publish(), new Date(), none)).to.equal("InvalidClientTokenId 403");
  });

  it("refuses another session's token", async () => {
    const other = (): Secret => ({ ...KEY, sessionToken: "another" });
    const tokenless = (): Secret => ({ secretAccessKey: KEY.secretAccessKey });

    expect(refusal(await putObject(), new Date(), other)).to.equal("InvalidToken 400");
    expect(refusal(await putItem(), new Date(), tokenless)).to.equal(
      "UnrecognizedClientException 400",
    );
  });

  it("allows clocks to differ by 15 minutes", async () => {
    const request = await putObject();

    expect(verify(request, later(14 * 60)).service).to.equal("s3");
    expect(refusal(request, later(16 * 60))).to.equal("RequestTimeTooSkewed 403");
    expect(refusal(request, later(-16 * 60))).to.equal("RequestTimeTooSkewed 403");
    expect(refusal(await putItem(), later(16 * 60))).to.equal("InvalidSignatureException 400");
    expect(refusal(await publish(), later(16 * 60))).to.equal("SignatureDoesNotMatch 403");
  });

  it("refuses a request that was changed after signing", async () => {
    const object = await putObject();
    const item = await putItem();

    expect(refusal({ ...object, body: Buffer.from("jello") })).to.equal(
      "XAmzContentSHA256Mismatch 400",
    );
    expect(refusal({ ...item, body: Buffer.from("{}") })).to.equal("InvalidSignatureException 400");
    expect(refusal({ ...object, url: object.url.replace("/k", "/l") })).to.equal(
      "SignatureDoesNotMatch 403",
    );
    expect(refusal({ ...object, url: `${object.url}&partNumber=1` })).to.equal(
      "SignatureDoesNotMatch 403",
    );
    expect(refusal({ ...object, method: "POST" })).to.equal("SignatureDoesNotMatch 403");
    expect(refusal({ ...object, headers: { ...object.headers, host: "evil" } })).to.equal(
      "SignatureDoesNotMatch 403",
    );
  });

  it("refuses headers for S3 that were added after signing", async () => {
    const object = await putObject();
    const presigned = await presign("/b/k");

    for (const request of [object, presigned]) {
      const headers = { ...request.headers, "x-amz-copy-source": "/b/secret" };
      expect(refusal({ ...request, headers })).to.equal("AccessDenied 403");
    }
  });

  it("refuses an incomplete signature", async () => {
    const request = await putItem();
    const { authorization = "" } = request.headers;
    const withAuthorization = (changed: string): HttpRequest => ({
      ...request,
      headers: { ...request.headers, authorization: changed },
    });

    expect(refusal(withAuthorization(authorization.replace(/, Signature=.*/, "")))).to.equal(
      "IncompleteSignatureException 400",
    );
    expect(refusal(withAuthorization(authorization.replace("aws4_request", "aws5")))).to.equal(
      "IncompleteSignatureException 400",
    );
    expect(refusal(withAuthorization(authorization.replace("HMAC", "ECDSA-P256")))).to.equal(
      "IncompleteSignatureException 400",
    );
    expect(refusal(withAuthorization(authorization.replace("host;", "")))).to.equal(
      "InvalidSignatureException 400",
    );
  });

  describe("of a presigned request", () => {
    it("accepts any body until it expires", async () => {
      const request = await presign("/bucket/a%20b/%C3%A9%2B%23", { query: { partNumber: "1" } });

      expect(verify(request)).to.include({ service: "s3", presigned: true });
      expect(verify(request, later(59)).presigned).to.equal(true);
      expect(refusal(request, later(61))).to.equal("AccessDenied 403");
    });

    it("refuses one from the future, and one that is valid for more than a week", async () => {
      const tooLong = await presign("/b/k");
      tooLong.url = tooLong.url.replace("X-Amz-Expires=60", "X-Amz-Expires=604801");

      expect(refusal(await presign("/b/k", { date: later(3600) }))).to.equal("AccessDenied 403");
      expect(refusal(tooLong)).to.equal("AuthorizationQueryParametersError 400");
    });

    it("refuses another path, method or token", async () => {
      const request = await presign("/b/k");

      expect(refusal({ ...request, url: request.url.replace("/b/k", "/b/l") })).to.equal(
        "SignatureDoesNotMatch 403",
      );
      expect(refusal({ ...request, method: "GET" })).to.equal("SignatureDoesNotMatch 403");
      expect(
        refusal({ ...request, url: request.url.replace(/X-Amz-Security-Token=[^&]*&/, "") }),
      ).to.equal("InvalidToken 400");
    });
  });
});

describe("isSigned and findService", () => {
  it("distinguish calls to services from everything else, and find the service", async () => {
    const signed = await putItem();
    const presigned = await presign("/b/k");
    const plain = { method: "GET", url: "/stage/x?a=1", headers: {}, body: Buffer.alloc(0) };

    expect([signed, presigned, plain].map(isSigned)).to.deep.equal([true, true, false]);
    const services = [signed, presigned].map((request) => findService(SERVICE_APIS, request));
    expect(services.map(({ name }) => name)).to.deep.equal(["dynamodb", "s3"]);
    expect(isSigned({ ...plain, headers: { authorization: "Bearer x" } })).to.equal(false);
    // A browser's preflight for a presigned request.
    expect(isSigned({ ...presigned, method: "OPTIONS" })).to.equal(false);
  });
});
