import { each, NO_EFFECT, only, refused, served, withoutEffect } from "../resources/inputs";
import { notServed, physicalName } from "../resources/resource";
import { servedType } from "../resources/servedType";

interface EventRuleInputs {
  name?: string;
  scheduleExpression?: string;
}

interface EventTargetInputs {
  /** The rule's name. */
  rule: string;
  /** The function's ARN. */
  arn: string;
  /** JSON. */
  input?: string;
}

const USE_A_SCHEDULE = "Use a schedule: rate(5 minutes).";
const GIVE_ALL = "Give the whole event as input.";
const DEFAULT_BUS = only(["default"], "Use the default event bus.");

export const eventRule = servedType<EventRuleInputs>(
  {
    name: served,
    scheduleExpression: served,
    eventBusName: DEFAULT_BUS,
    eventPattern: refused(USE_A_SCHEDULE),
    forceDestroy: NO_EFFECT.deletion,
    isEnabled: only([true], "Leave the rule out."),
    state: only(["ENABLED"], "Leave the rule out."),
  },
  (resource, cloud) => {
    const { scheduleExpression, name = physicalName(resource) } = resource.inputs;
    if (scheduleExpression === undefined) {
      throw notServed(resource, "has no schedule", USE_A_SCHEDULE);
    }
    return { id: name, state: { name, arn: cloud.schedules.putRule(name, scheduleExpression) } };
  },
);

export const eventTarget = servedType<EventTargetInputs>(
  {
    rule: served,
    arn: only(/^arn:aws:lambda:/, "Use a Lambda function as the target."),
    input: served,
    eventBusName: DEFAULT_BUS,
    forceDestroy: NO_EFFECT.deletion,
    ...each(["inputPath", "inputTransformer"], refused(GIVE_ALL)),
    targetId: withoutEffect("Targets are known by their resource."),
  },
  (resource, cloud) => {
    const { rule, arn, input } = resource.inputs;
    cloud.schedules.putTarget(rule, cloud.lambda.functionArn(arn), input);
    return { id: physicalName(resource) };
  },
);
