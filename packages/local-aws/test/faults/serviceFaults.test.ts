import { PutItemCommand } from "@aws-sdk/client-dynamodb";
import { PutObjectCommand } from "@aws-sdk/client-s3";
import { PublishCommand } from "@aws-sdk/client-sns";
import { SendMessageCommand } from "@aws-sdk/client-sqs";
import { expect } from "chai";
import { createFaults, type Faults } from "../../faults/faults";
import type { FaultRule } from "../../faults/plan";
import { createGateway, type ServiceCall } from "../../gateway/gateway";
import { listen, type Listener } from "../../gateway/listener";
import type { HttpResponse } from "../../http";
import { ACCOUNT, type Clients, clientsFor, destroyClients, KEY, PLACE } from "../gateway/capture";
import { servicesOf } from "../gateway/services";

interface Scene {
  clients: Clients;
  listener: Listener;
  faults: Faults;
  /** How many calls took effect. */
  served(): number;
  calls: ServiceCall[];
  errors: unknown[];
}

const COMMANDS: Record<string, (clients: Clients) => Promise<unknown>> = {
  dynamodb: ({ dynamodb }) => dynamodb.send(new PutItemCommand({ TableName: "t", Item: {} })),
  s3: ({ s3 }) => s3.send(new PutObjectCommand({ Bucket: "b", Key: "k", Body: "x" })),
  sns: ({ sns }) =>
    sns.send(new PublishCommand({ TopicArn: `arn:aws:sns:x:${ACCOUNT}:t`, Message: "m" })),
  sqs: ({ sqs }) =>
    sqs.send(new SendMessageCommand({ QueueUrl: `http://q/${ACCOUNT}/q`, MessageBody: "m" })),
};

describe("faults of services, as an SDK client without retries sees them", () => {
  const open: Scene[] = [];

  afterEach(async () => {
    for (const { clients, listener, faults } of open.splice(0)) {
      faults.stop();
      destroyClients(clients);
      await listener.close();
    }
  });

  async function setUp(rules: FaultRule[], functionName?: string): Promise<Scene> {
    let served = 0;
    const calls: ServiceCall[] = [];
    const errors: unknown[] = [];
    const faults = createFaults({ seed: 1, rules });
    const backend = (): Promise<HttpResponse> => {
      served += 1;
      return Promise.resolve({ status: 200, headers: {}, body: Buffer.from("{}") });
    };
    const principal = {
      ...KEY,
      arn: `arn:aws:sts::${ACCOUNT}:assumed-role/process/process`,
      policies: "all" as const,
      ...(functionName !== undefined && { functionName }),
    };
    const listener = await listen({ port: 0 });
    const gateway = createGateway({
      ...PLACE,
      principals: { find: () => principal },
      services: servicesOf(backend),
      unsigned: backend,
      intercept: faults.interceptCall,
      observe: (call) => calls.push(call),
      onError: (error) => errors.push(error),
    });
    listener.serve(gateway);
    const clients = clientsFor(listener.url);
    const scene = { clients, listener, faults, served: () => served, calls, errors };
    open.push(scene);
    return scene;
  }

  /** The errors' names of a number of calls. */
  async function namesOf({ clients }: Scene, service: string, count = 12): Promise<string[]> {
    const names = new Set<string>();
    for (let index = 0; index < count; index += 1) {
      await COMMANDS[service]?.(clients).catch((error: unknown) =>
        names.add((error as Error).name),
      );
    }
    return [...names].sort();
  }

  const throttled: Record<string, string[]> = {
    dynamodb: ["ProvisionedThroughputExceededException", "ThrottlingException"],
    s3: ["SlowDown"],
    sns: ["Throttling"],
    sqs: ["RequestThrottled"],
  };
  const failed: Record<string, string[]> = {
    dynamodb: ["InternalServerError", "ServiceUnavailable"],
    s3: ["InternalError", "ServiceUnavailable"],
    sns: ["InternalFailure", "ServiceUnavailable"],
    sqs: ["InternalFailure", "ServiceUnavailable"],
  };
  for (const service of Object.keys(COMMANDS)) {
    it(`throttles ${service} with its own error, before the call takes effect`, async () => {
      const scene = await setUp([{ kind: "throttle", share: 1 }], "process");

      expect(await namesOf(scene, service)).to.deep.equal(throttled[service]);
      expect(scene.served()).to.equal(0);
      expect(scene.faults.report().injected).to.deep.equal({ throttle: 12 });
    });

    it(`fails ${service} with its own error`, async () => {
      const scene = await setUp([{ kind: "serverError", share: 1 }], "process");

      expect(await namesOf(scene, service)).to.deep.equal(failed[service]);
      expect(scene.served()).to.equal(0);
      expect(new Set(scene.calls.map(({ status }) => status))).to.deep.equal(new Set([500, 503]));
    });
  }

  it("resets connections, some before and some after the call took effect", async () => {
    const scene = await setUp([{ kind: "reset", share: 1 }], "process");
    const codes = new Set<unknown>();

    for (let index = 0; index < 16; index += 1) {
      await COMMANDS.dynamodb?.(scene.clients).catch((error: unknown) =>
        codes.add((error as NodeJS.ErrnoException).code),
      );
    }

    expect([...codes]).to.deep.equal(["ECONNRESET"]);
    expect(scene.served()).to.be.within(1, 15);
    // Observers get the calls, and none counts as a failure of the gateway.
    expect(scene.calls).to.have.lengthOf(16);
    expect(scene.calls[0]).to.include({ status: 0, errorCode: "ConnectionReset" });
    expect(scene.errors).to.deep.equal([]);
  });

  it("delays calls, and forwards them", async () => {
    const scene = await setUp([{ kind: "latency", share: 1, milliseconds: 60 }], "process");

    expect(await namesOf(scene, "dynamodb", 1)).to.deep.equal([]);

    expect(scene.calls[0]?.durationMs).to.be.at.least(55);
    expect(scene.calls[0]?.status).to.equal(200);
  });

  it("leaves the operator's calls alone", async () => {
    const scene = await setUp([{ kind: "reset", share: 1 }]);

    expect(await namesOf(scene, "s3", 3)).to.deep.equal([]);
    expect(scene.served()).to.equal(3);
  });
});
