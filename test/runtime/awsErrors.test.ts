import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { DynamoDBClient, GetItemCommand } from "@aws-sdk/client-dynamodb";
import { GetObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { PublishCommand, SNSClient } from "@aws-sdk/client-sns";
import { expect } from "chai";
import {
  asError,
  eventError,
  isConditionFailed,
  isMessageRefused,
  isTransient,
} from "../../runtime/awsErrors";

type Answer = (response: ServerResponse) => void;

/** One call of each service, against an endpoint. */
const CALLS = {
  dynamodb: (endpoint: string, timeoutMs?: number) => {
    const client = new DynamoDBClient(clientConfig(endpoint, timeoutMs));
    return client.send(new GetItemCommand({ TableName: "t", Key: { id: { S: "1" } } }));
  },
  s3: (endpoint: string, timeoutMs?: number) => {
    const client = new S3Client({ ...clientConfig(endpoint, timeoutMs), forcePathStyle: true });
    return client.send(new GetObjectCommand({ Bucket: "b", Key: "k" }));
  },
  sns: (endpoint: string, timeoutMs?: number) => {
    const client = new SNSClient(clientConfig(endpoint, timeoutMs));
    return client.send(new PublishCommand({ TopicArn: "arn:aws:sns:::t", Message: "m" }));
  },
};

/** The body of each service's errors. */
const ERROR_BODIES: Record<keyof typeof CALLS, (code: string) => string> = {
  dynamodb: (code) => `{"__type":"com.amazonaws.dynamodb.v20120810#${code}","message":"why"}`,
  s3: (code) => `<Error><Code>${code}</Code><Message>why</Message></Error>`,
  sns: (code) =>
    `<ErrorResponse><Error><Type>Sender</Type><Code>${code}</Code><Message>why</Message></Error></ErrorResponse>`,
};

function clientConfig(endpoint: string, timeoutMs = 30_000) {
  return {
    endpoint,
    region: "us-east-1",
    credentials: { accessKeyId: "AKIA", secretAccessKey: "secret" },
    maxAttempts: 1,
    requestHandler: { requestTimeout: timeoutMs, throwOnRequestTimeout: true },
  };
}

/** The error that the SDK throws for this answer. */
async function thrownFor(
  service: keyof typeof CALLS,
  answer: Answer,
  timeoutMs?: number,
): Promise<unknown> {
  const server = createServer((request, response) => {
    request.resume().on("end", () => {
      answer(response);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  try {
    return await CALLS[service](`http://127.0.0.1:${port}`, timeoutMs).then(
      () => "no error",
      (error: unknown) => error,
    );
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

function refusal(service: keyof typeof CALLS, code: string, status: number): Promise<unknown> {
  return thrownFor(service, (response) =>
    response.writeHead(status).end(ERROR_BODIES[service](code)),
  );
}

describe("isTransient", () => {
  const transient: [service: keyof typeof CALLS, code: string, status: number][] = [
    ["dynamodb", "ProvisionedThroughputExceededException", 400],
    ["dynamodb", "ThrottlingException", 400],
    ["dynamodb", "RequestLimitExceeded", 400],
    ["dynamodb", "InternalServerError", 500],
    ["s3", "SlowDown", 503],
    ["s3", "InternalError", 500],
    ["s3", "ServiceUnavailable", 503],
    ["s3", "RequestTimeout", 400],
    ["s3", "ConditionalRequestConflict", 409],
    ["s3", "WhateverItIs", 429],
    ["sns", "Throttling", 400],
    ["sns", "InternalFailure", 500],
  ];
  for (const [service, code, status] of transient) {
    it(`is true of ${service}'s ${code} (${status}): a retry may succeed`, async () => {
      const error = await refusal(service, code, status);
      expect(asError(error).name).to.contain(code.replace(/Exception$/, ""));
      expect(isTransient(error)).to.equal(true);
    });
  }

  const permanent: [service: keyof typeof CALLS, code: string, status: number][] = [
    ["dynamodb", "AccessDeniedException", 400],
    ["dynamodb", "ValidationException", 400],
    ["dynamodb", "ResourceNotFoundException", 400],
    ["dynamodb", "ConditionalCheckFailedException", 400],
    ["s3", "AccessDenied", 403],
    ["s3", "NoSuchKey", 404],
    ["s3", "PreconditionFailed", 412],
    ["sns", "InvalidParameter", 400],
    ["sns", "AuthorizationError", 403],
  ];
  for (const [service, code, status] of permanent) {
    it(`is false of ${service}'s ${code} (${status}): a retry fails again`, async () => {
      const error = await refusal(service, code, status);
      expect(error).to.be.an("error");
      expect(isTransient(error)).to.equal(false);
    });
  }

  it("is true of a refused connection", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    server.close();
    await once(server, "close");

    const error: unknown = await CALLS.s3(`http://127.0.0.1:${port}`).catch((e: unknown) => e);

    expect(error).to.be.an("error").with.property("code", "ECONNREFUSED");
    expect(isTransient(error)).to.equal(true);
  });

  it("is true of a broken connection", async () => {
    const error = await thrownFor("dynamodb", (response) => response.destroy());
    expect(error).to.be.an("error");
    expect(isTransient(error)).to.equal(true);
  });

  it("is true of a timeout", async () => {
    const error = await thrownFor("s3", () => undefined, 50);
    expect(error).to.have.property("name", "TimeoutError");
    expect(isTransient(error)).to.equal(true);
  });

  it("is false of the program's own errors, and of other thrown values", () => {
    for (const thrown of [new TypeError("x is not a function"), "text", undefined, null, 503]) {
      expect(isTransient(thrown), String(thrown)).to.equal(false);
    }
  });
});

describe("isConditionFailed", () => {
  it("is true of DynamoDB's failed condition only", async () => {
    const failed = await refusal("dynamodb", "ConditionalCheckFailedException", 400);
    const other = await refusal("dynamodb", "ValidationException", 400);
    expect(isConditionFailed(failed)).to.equal(true);
    expect(isConditionFailed(other)).to.equal(false);
    expect(isConditionFailed(undefined)).to.equal(false);
  });
});

describe("asError", () => {
  it("converts any thrown value to an error", () => {
    expect(asError(new TypeError("no"))).to.include({ name: "TypeError", message: "no" });
    expect(asError("no")).to.deep.equal({ name: "Error", message: "no" });
    expect(asError(undefined)).to.deep.equal({ name: "Error", message: "undefined" });
  });
});

describe("isMessageRefused", () => {
  it("is true where SNS refuses the message", async () => {
    for (const code of ["InvalidParameter", "ParameterValueInvalid"]) {
      expect(isMessageRefused(await refusal("sns", code, 400)), code).to.equal(true);
    }
  });

  it("is false of errors that any message would cause", async () => {
    for (const [code, status] of [
      ["AuthorizationError", 403],
      ["NotFound", 404],
      ["KMSDisabled", 400],
      ["Throttling", 400],
      ["InternalFailure", 500],
    ] as const) {
      expect(isMessageRefused(await refusal("sns", code, status)), code).to.equal(false);
    }
  });
});

describe("eventError", () => {
  it("has code, message and step, with texts shortened for a row", () => {
    expect(eventError(new TypeError("no"), "process")).to.deep.equal({
      code: "TypeError",
      message: "no",
      step: "process",
    });
    const parsing = Object.assign(new Error("Parse Error"), { code: "HPE_INVALID_HEADER_TOKEN" });
    expect(eventError(parsing, "process").code).to.equal("HPE_INVALID_HEADER_TOKEN");
    expect(eventError("x".repeat(1_000_000), "notify").message).to.have.lengthOf(1000);
  });
});
