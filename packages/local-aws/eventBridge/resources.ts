import { notServed, physicalName, type Provision } from "../resources/resource";

interface EventRuleInputs {
  name?: string;
  scheduleExpression?: string;
  eventPattern?: string;
  isEnabled?: boolean;
  state?: string;
}

interface EventTargetInputs {
  /** The rule's name. */
  rule: string;
  /** The function's ARN. */
  arn: string;
  /** JSON. */
  input?: string;
  inputPath?: string;
  inputTransformer?: object;
}

export const eventRule: Provision<EventRuleInputs> = (resource, cloud) => {
  const { scheduleExpression, eventPattern, isEnabled = true, state = "ENABLED" } = resource.inputs;
  const name = resource.inputs.name ?? physicalName(resource);
  if (scheduleExpression === undefined || eventPattern !== undefined) {
    throw notServed(resource, "has an event pattern", "Use a schedule: rate(5 minutes).");
  }
  if (!isEnabled || state !== "ENABLED") {
    throw notServed(resource, "is disabled", "Leave the rule out.");
  }
  return { id: name, state: { name, arn: cloud.schedules.putRule(name, scheduleExpression) } };
};

export const eventTarget: Provision<EventTargetInputs> = (resource, cloud) => {
  const { rule, arn, input, inputPath, inputTransformer } = resource.inputs;
  if (inputPath !== undefined || inputTransformer !== undefined) {
    throw notServed(resource, "changes the event", "Give the whole event as input.");
  }
  cloud.schedules.putTarget(rule, cloud.lambda.functionArn(arn), input);
  return { id: physicalName(resource) };
};
