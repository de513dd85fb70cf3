import { PutItemCommand } from "@aws-sdk/client-dynamodb";
import { GetObjectCommand } from "@aws-sdk/client-s3";
import { PublishCommand } from "@aws-sdk/client-sns";
import { SendMessageCommand } from "@aws-sdk/client-sqs";
import { expect } from "chai";
import { AwsError } from "../../awsError";
import { errorCodeOf } from "../../gateway/errorCode";
import { createGateway } from "../../gateway/gateway";
import { listen } from "../../gateway/listener";
import { unserved } from "../../gateway/unserved";
import { SERVICE_APIS } from "../../services";
import { ACCOUNT, type Clients, clientsFor, destroyClients, KEY, PLACE } from "./capture";
import { servicesOf } from "./services";

describe("the errors of a service", () => {
  const cases: [service: string, code: string, act: (clients: Clients) => Promise<unknown>][] = [
    [
      "dynamodb",
      "ConditionalCheckFailedException",
      ({ dynamodb }) => dynamodb.send(new PutItemCommand({ TableName: "t", Item: {} })),
    ],
    [
      "dynamodb",
      "AccessDeniedException",
      ({ dynamodb }) => dynamodb.send(new PutItemCommand({ TableName: "t", Item: {} })),
    ],
    ["s3", "NoSuchKey", ({ s3 }) => s3.send(new GetObjectCommand({ Bucket: "b", Key: "k" }))],
    ["s3", "SlowDown", ({ s3 }) => s3.send(new GetObjectCommand({ Bucket: "b", Key: "k" }))],
    [
      "sns",
      "InvalidClientTokenId",
      ({ sns }) => sns.send(new PublishCommand({ TopicArn: "arn:x", Message: "m" })),
    ],
    [
      "sqs",
      "QueueDoesNotExist",
      ({ sqs }) =>
        sqs.send(new SendMessageCommand({ QueueUrl: `http://x/${ACCOUNT}/q`, MessageBody: "m" })),
    ],
  ];
  for (const [service, code, act] of cases) {
    it(`make the ${service} client throw ${code}, with its message and status`, async () => {
      const error = new AwsError(code, 418, 'No <key> "a&lt;b" here');
      const listener = await listen({ port: 0 });
      const gateway = createGateway({
        ...PLACE,
        principals: { find: () => ({ ...KEY, arn: "arn:x", policies: "all" }) },
        services: servicesOf(() => Promise.reject(error)),
        unsigned: () => Promise.reject(error),
      });
      listener.serve(gateway);
      const clients = clientsFor(listener.url);

      const thrown = await act(clients).catch((reason: unknown) => reason);

      destroyClients(clients);
      await listener.close();
      expect(thrown).to.include({ name: code, message: error.message });
      expect(thrown).to.have.nested.property("$metadata.httpStatusCode", 418);
      expect(thrown).to.have.nested.property("$metadata.requestId").that.is.a("string");
    });
  }

  for (const service of ["s3", "sns", "sts", "dynamodb", "sqs", "lambda", "logs", "kms"]) {
    it(`keep the code readable for observers of ${service} calls`, () => {
      const { errors } = SERVICE_APIS.find(({ name }) => name === service) ?? unserved(service);
      const response = errors.render(new AwsError("SomeCode", 400, "m"), "id");

      expect(errorCodeOf(response)).to.equal("SomeCode");
    });
  }
});

describe("errorCodeOf", () => {
  it("reads the code of an error, and no code for 2xx", () => {
    const response = (status: number, body: string): Parameters<typeof errorCodeOf>[0] => ({
      status,
      headers: {},
      body: Buffer.from(body),
    });

    expect(errorCodeOf(response(400, '{"__type":"com.amazon#Bad","m":1}'))).to.equal("Bad");
    const xml = "<Error>\n  <Code>NoSuchKey</Code></Error>";
    expect(errorCodeOf(response(404, xml))).to.equal("NoSuchKey");
    expect(errorCodeOf(response(404, ""))).to.equal(undefined);
    expect(errorCodeOf(response(200, "<Code>NoSuchKey</Code>"))).to.equal(undefined);
  });
});
