import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { type Cloud, type CloudOptions, openCloud as openLocalCloud } from "../cloud";
import { provision } from "../resources";
import type { QueuedMessage } from "../sqs/engine";
import { queueArnOf } from "../sqs/queueArn";

export const REGION = "eu-central-1";

/** The outputs of a resource. */
export type State = Record<string, string>;

/** A cloud of a test, with functions that make resources in it as a program would. */
export interface TestCloud {
  cloud: Cloud;
  /** The errors that the cloud reported. */
  errors: string[];
  /** The payload of each invocation so far, and the time of its start. */
  invocations: { functionName: string; payload: unknown; at: number }[];
  /** Makes a resource; `type` without `aws:`. */
  make(type: string, name: string, inputs: object): Promise<State>;
  /** Makes a function whose handler has this body, with a role of these permissions alone. */
  makeFunction(
    name: string,
    body: string,
    allowed?: [action: string, arn: string][],
  ): Promise<State>;
  /** Every message on a queue, without receiving any. */
  queueMessages(urlOrArn: string): QueuedMessage[];
  close(): Promise<void>;
}

export async function openCloud(options: Partial<CloudOptions> = {}): Promise<TestCloud> {
  const folder = mkdtempSync(path.join(tmpdir(), "cloud-"));
  const errors: string[] = [];
  const invocations: TestCloud["invocations"] = [];
  const cloud = await openLocalCloud({
    port: 0,
    region: REGION,
    mailDir: path.join(folder, "mail"),
    workDir: path.join(folder, "lambda"),
    s3EventDelayMs: 0,
    onError: (message) => errors.push(message),
    interceptInvocation: ({ functionName, payload }) => {
      invocations.push({ functionName, payload: JSON.parse(payload), at: performance.now() });
      return undefined;
    },
    ...options,
  });
  const make = async (type: string, name: string, inputs: object): Promise<State> => {
    const resource = { type: `aws:${type}`, name, inputs: inputs as Record<string, unknown> };
    const { id, state } = await provision(resource, cloud);
    return { id, ...state };
  };
  return {
    cloud,
    errors,
    invocations,
    make,
    async makeFunction(name, body, allowed = []) {
      const role = await make("iam/role:Role", name, { assumeRolePolicy: "{}" });
      const Statement = allowed.map(([Action, Resource]) => ({
        Effect: "Allow",
        Action,
        Resource,
      }));
      await make("iam/rolePolicy:RolePolicy", name, {
        role: role.name,
        policy: JSON.stringify({ Version: "2012-10-17", Statement }),
      });
      const code = `exports.handler = async (event) => { ${body} };`;
      return make("lambda/function:Function", name, {
        name,
        runtime: "nodejs24.x",
        handler: "index.handler",
        code: new pulumi.asset.AssetArchive({ "index.js": new pulumi.asset.StringAsset(code) }),
        role: role.arn,
      });
    },
    queueMessages: (urlOrArn) => cloud.sqs.messages(queueArnOf(urlOrArn, cloud)),
    async close() {
      await cloud.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
