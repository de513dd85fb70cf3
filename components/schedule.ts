import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { CallbackLambda } from "./lambda/callbackLambda";

export interface ScheduleArgs {
  /** Minutes from one start to the next; a whole number. */
  everyMinutes: number;
  /** The Lambda to start. Its handler gets a `ScheduledEvent`. */
  lambda: CallbackLambda;
}

/** Starts a Lambda at a fixed rate. */
export class Schedule extends pulumi.ComponentResource {
  readonly rule: aws.cloudwatch.EventRule;

  constructor(name: string, args: ScheduleArgs, opts?: pulumi.ComponentResourceOptions) {
    super("s3-uploader:schedule:Schedule", name, {}, opts);
    const { everyMinutes, lambda } = args;
    const unit = everyMinutes === 1 ? "minute" : "minutes";
    this.rule = new aws.cloudwatch.EventRule(
      name,
      { scheduleExpression: `rate(${everyMinutes} ${unit})` },
      { parent: this },
    );
    const permission = new aws.lambda.Permission(
      `${name}-schedule`,
      {
        action: "lambda:InvokeFunction",
        function: lambda.function.name,
        principal: "events.amazonaws.com",
        sourceArn: this.rule.arn,
      },
      { parent: this },
    );
    new aws.cloudwatch.EventTarget(
      name,
      { rule: this.rule.name, arn: lambda.function.arn },
      // Without the permission, the first starts would be refused.
      { parent: this, dependsOn: [permission] },
    );
    this.registerOutputs({ ruleName: this.rule.name });
  }
}
