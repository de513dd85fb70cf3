import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { Context } from "aws-lambda";
import { type Environment, type RuntimeVariable, withEnvironment } from "../../runtime/environment";
import { Grant, grantsDocument, policyDocument } from "../policy";
import { bundle } from "./bundle";

/**
 * Makes the Lambda's handler: called once for each execution environment, with the environment
 * variables that the Lambda has.
 */
export type CallbackFactory<Event, Result, Names extends string = never> = (
  environment: Environment<Names | RuntimeVariable>,
) => (event: Event, context: Context) => Promise<Result>;

export interface CallbackLambdaArgs<Event, Result, Names extends string> {
  /** What it is for, as the AWS console shows it. */
  description: string;
  /**
   * Builds the clients and returns the handler. Its settings come from environment variables: a
   * captured output would be part of the code, and change the code's hash with it.
   */
  callbackFactory: CallbackFactory<Event, Result, NoInfer<Names>>;
  /**
   * Texts that the package holds beside the code, by their names; they lie in LAMBDA_TASK_ROOT.
   * @default none
   */
  files?: Record<string, string>;
  /** Environment variables. */
  environment: Record<Names, pulumi.Input<string>>;
  /** All that the role may do, besides writing its own log. */
  grants: Grant[];
  /** Seconds until an invocation is ended. */
  timeoutSeconds: number;
  /** Megabytes of memory, which decide the share of a CPU as well (1,769 MB are one vCPU). */
  memoryMegabytes: number;
  /** Days until log entries are deleted. */
  logRetentionDays: number;
}

const ASSUMED_BY_LAMBDA = policyDocument([
  {
    Effect: "Allow",
    Principal: { Service: "lambda.amazonaws.com" },
    Action: "sts:AssumeRole",
  },
]);

/**
 * How Pulumi writes an object that is more than its properties, such as a Map, a Date or a
 * Uint8Array: as an empty one, or as just the method that is used, and without a warning.
 */
const SHELLS = [
  /^var _*(\w+) = Object\.create\(global\.(\w+)\.prototype\);$/m,
  /^Object\.defineProperty\(_*(\w+), .*\bvalue: global\.(?!(?:Array|Function|Object|RegExp)\b)(\w+)\.prototype\./m,
];

function refuseShells(text: string): void {
  for (const shell of SHELLS) {
    const [, variable, type] = shell.exec(text) ?? [];
    if (variable !== undefined && type !== undefined) {
      throw new Error(`it captures "${variable}", which would lose what makes it a ${type}.`);
    }
  }
}

async function serialize(callbackFactory: () => unknown): Promise<string> {
  const { text } = await pulumi.runtime.serializeFunction(callbackFactory, {
    isFactoryFunction: true,
    exportName: "handler",
  });
  refuseShells(text);
  return text;
}

let lastSerialization: Promise<unknown> = Promise.resolve();

/**
 * Serializes one callback after the other. All of it is work for this process, so that none would
 * be done sooner by beginning the others as well.
 */
function serializeInTurn(callbackFactory: () => unknown): Promise<string> {
  const serialization = lastSerialization.then(() => serialize(callbackFactory));
  // The caller hears of an error; the next in turn does not have to.
  lastSerialization = serialization.catch(() => undefined);
  return serialization;
}

async function packageOf<Event, Result, Names extends string>(
  name: string,
  callbackFactory: CallbackFactory<Event, Result, Names>,
  files: Record<string, string>,
): Promise<pulumi.asset.AssetMap> {
  try {
    const serialized = serializeInTurn(withEnvironment(callbackFactory));
    const texts = { ...files, "index.js": await bundle(serialized) };
    return Object.fromEntries(
      Object.entries(texts).map(([file, text]) => [file, new pulumi.asset.StringAsset(text)]),
    );
  } catch (error) {
    throw new pulumi.RunError(
      `The callback of Lambda "${name}" cannot be packed: ${(error as Error).message}\n` +
        "Build clients inside the callback factory, and capture only functions and plain data.",
    );
  }
}

/**
 * A Lambda made from a callback: one minified file that holds just what the callback uses, a role
 * of its own with one inline policy, and a log group that ends with the stack.
 */
export class CallbackLambda<Event = never, Result = unknown, Names extends string = never>
  extends pulumi.ComponentResource
{
  readonly function: aws.lambda.Function;
  readonly role: aws.iam.Role;
  readonly logGroup: aws.cloudwatch.LogGroup;

  constructor(
    name: string,
    args: CallbackLambdaArgs<Event, Result, Names>,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("s3-uploader:lambda:CallbackLambda", name, {}, opts);

    this.logGroup = new aws.cloudwatch.LogGroup(
      name,
      {
        name: `/aws/lambda/${pulumi.getProject()}-${pulumi.getStack()}-${name}`,
        retentionInDays: args.logRetentionDays,
      },
      { parent: this },
    );

    this.role = new aws.iam.Role(
      name,
      { description: args.description, assumeRolePolicy: ASSUMED_BY_LAMBDA },
      { parent: this },
    );

    const writeLogs: Grant = {
      actions: ["logs:CreateLogStream", "logs:PutLogEvents"],
      resources: [pulumi.interpolate`${this.logGroup.arn}:log-stream:*`],
    };
    const policy = new aws.iam.RolePolicy(
      name,
      { role: this.role.id, policy: grantsDocument([writeLogs, ...args.grants]) },
      { parent: this },
    );

    this.function = new aws.lambda.Function(
      name,
      {
        description: args.description,
        runtime: "nodejs24.x",
        architectures: ["arm64"],
        handler: "index.handler",
        code: new pulumi.asset.AssetArchive(
          packageOf(name, args.callbackFactory, args.files ?? {}),
        ),
        role: this.role.arn,
        environment: { variables: args.environment },
        timeout: args.timeoutSeconds,
        memorySize: args.memoryMegabytes,
        loggingConfig: { logFormat: "JSON", logGroup: this.logGroup.name },
      },
      // Without the policy, the first invocations could neither log nor work.
      { parent: this, dependsOn: [policy] },
    );

    this.registerOutputs({ functionName: this.function.name, roleArn: this.role.arn });
  }
}
