import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { HandlerFactory, RuntimeVariable } from "../../runtime/environment";
import { joined, type Link, type VariableOf } from "../link";
import { type Grant, grantsDocument, policyDocument } from "../policy";
import { type PackagedFiles, packageOf } from "./package";

/**
 * Makes the Lambda's handler: called once for each execution environment, with access to the
 * environment variables that the Lambda has.
 */
export type CallbackFactory<Event, Result, Names extends string = never> = HandlerFactory<
  Names | RuntimeVariable,
  Event,
  Result
>;

export interface CallbackLambdaArgs<
  Event,
  Result,
  Links extends readonly Link[],
  Names extends string,
> {
  /**
   * Builds clients and returns the handler. What it imports by `import("./module.ts")` is bundled, and not
   * loaded by the deployment; it may also capture functions of this project and plain data.
   */
  callbackFactory: CallbackFactory<Event, Result, NoInfer<VariableOf<Links> | Names>>;
  /** What the Lambda is for, as the AWS console shows it. */
  description: string;
  /**
   * The uses of other components: their environment variables, and the role's permissions.
   * @default none: the role may only write the Lambda's log
   */
  links?: Links;
  /**
   * Environment variables besides those of the links.
   * @default none
   */
  environment?: Record<Names, pulumi.Input<string>>;
  /**
   * Texts that the package holds beside the code, by file name; they are in LAMBDA_TASK_ROOT.
   * @default none
   */
  files?: PackagedFiles;
  limits: LambdaLimits;
}

export interface LambdaLimits {
  /** Seconds after which Lambda ends an invocation, 1 to 900. */
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
 * A Lambda made from a callback: one minified file that holds just what the callback uses, a role
 * of its own with one inline policy, and a log group that is deleted with the stack.
 *
 * The callback's settings come from environment variables: a captured output would become part of
 * the code, and change the code's hash whenever it changes. A variable that the factory's type
 * names, and that neither `links` nor `environment` has, fails `tsc`.
 *
 * @example
 * new CallbackLambda("record", {
 *   callbackFactory: async (environment) =>
 *     (await import("./handlers/record/record.ts")).recordHandler(environment),
 *   description: "Writes a row for each object",
 *   links: [events.reading(), events.recording()],
 *   environment: { STUCK_SECONDS: "900" },
 *   limits: { timeoutSeconds: 30, memoryMegabytes: 512, logRetentionDays: 14 },
 * });
 */
export class CallbackLambda<
  Event = never,
  Result = unknown,
  const Links extends readonly Link[] = readonly [],
  Names extends string = never,
>
  extends pulumi.ComponentResource
{
  readonly function: aws.lambda.Function;
  readonly role: aws.iam.Role;
  readonly logGroup: aws.cloudwatch.LogGroup;

  /**
   * @param name the logical name, also of what other components register for the Lambda
   */
  constructor(
    readonly name: string,
    args: CallbackLambdaArgs<Event, Result, Links, Names>,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("s3-uploader:lambda:CallbackLambda", name, {}, opts);
    const { description, limits } = args;
    const own: Link = { environment: args.environment ?? {}, grants: [] };
    const { environment, grants } = joined(...(args.links ?? []), own);

    this.logGroup = new aws.cloudwatch.LogGroup(
      name,
      {
        // A unique name: two people may deploy stacks of the same name to one account.
        namePrefix: `/aws/lambda/${pulumi.getProject()}-${pulumi.getStack()}-${name}-`,
        retentionInDays: limits.logRetentionDays,
      },
      // Version 1.0 deployed groups without a suffix, whose entries an upgrade keeps.
      { parent: this, ignoreChanges: ["name", "namePrefix"] },
    );
    this.role = new aws.iam.Role(
      name,
      { description, assumeRolePolicy: ASSUMED_BY_LAMBDA },
      { parent: this },
    );
    const policy = new aws.iam.RolePolicy(
      name,
      { role: this.role.id, policy: grantsDocument([this.writingLogs(), ...grants]) },
      { parent: this },
    );
    this.function = new aws.lambda.Function(
      name,
      {
        description,
        runtime: "nodejs24.x",
        architectures: ["arm64"],
        handler: "index.handler",
        code: new pulumi.asset.AssetArchive(
          packageOf(name, args.callbackFactory, args.files ?? {}),
        ),
        role: this.role.arn,
        environment: { variables: environment },
        timeout: limits.timeoutSeconds,
        memorySize: limits.memoryMegabytes,
        loggingConfig: { logFormat: "JSON", logGroup: this.logGroup.name },
      },
      // Without the policy, the first invocations could neither log nor work.
      { parent: this, dependsOn: [policy] },
    );
    this.registerOutputs({ functionName: this.function.name, roleArn: this.role.arn });
  }

  private writingLogs(): Grant {
    return {
      actions: ["logs:CreateLogStream", "logs:PutLogEvents"],
      resources: [pulumi.interpolate`${this.logGroup.arn}:log-stream:*`],
    };
  }
}
