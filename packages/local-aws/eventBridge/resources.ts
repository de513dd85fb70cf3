import { physicalName, type Provision } from "../resources/resource";

interface EventRuleInputs {
  name?: string;
  scheduleExpression?: string;
  eventPattern?: string;
}

interface EventTargetInputs {
  /** The rule's name. */
  rule: string;
  /** The function's ARN. */
  arn: string;
  /** JSON. */
  input?: string;
}

export const eventRule: Provision<EventRuleInputs> = (resource, cloud) => {
  const { scheduleExpression, eventPattern } = resource.inputs;
  const name = resource.inputs.name ?? physicalName(resource);
  if (scheduleExpression === undefined || eventPattern !== undefined) {
    throw new Error(
      `The local EventBridge has schedules only; the rule "${name}" wants a pattern.`,
    );
  }
  return { id: name, state: { name, arn: cloud.schedules.putRule(name, scheduleExpression) } };
};

export const eventTarget: Provision<EventTargetInputs> = (resource, cloud) => {
  const { rule, arn, input } = resource.inputs;
  cloud.schedules.putTarget(rule, cloud.lambda.functionArn(arn), input);
  return { id: physicalName(resource) };
};
