import { SERVED } from "../resources";
import { EVERYWHERE, type InputRule, type InputRules } from "../resources/inputs";

/** Pulumi's class of a type token: `aws.s3.Bucket` of `aws:s3/bucket:Bucket`. */
export function className(token: string): string {
  const [provider = "", module = "", name = ""] = token.split(":");
  const folder = module.split("/")[0] ?? "";
  return [provider, ...(folder === "index" ? [] : [folder]), name].join(".");
}

/** The rules of a type and of the inputs inside its inputs, by path. */
function rulesIn(rules: InputRules, path = ""): [path: string, rule: InputRule][] {
  return Object.entries(rules)
    .flatMap(([name, rule]) =>
      rule.kind === "parts"
        ? rulesIn(rule.parts, `${path}${name}.`)
        : [[path + name, rule] as [string, InputRule]],
    )
    .sort(([a], [b]) => (a < b ? -1 : 1));
}

/** The values that a rule accepts, as README.md shows them; undefined for an input that it refuses. */
function values(rule: InputRule): string | undefined {
  switch (rule.kind) {
    case "served":
      return rule.range ? ` (${rule.range.join(" to ")})` : "";
    case "only":
      if (rule.accepted instanceof RegExp) {
        return ` (${rule.remedy.replace(/\.$/, "")})`;
      }
      return rule.accepted.length > 0
        ? ` (${rule.accepted.map((value) => `\`${String(value)}\``).join(", ")})`
        : undefined;
    default:
      return undefined;
  }
}

/** README.md's list: by class, the inputs that are served. */
export function servedInputs(): Record<string, string> {
  return Object.fromEntries(
    Object.entries(SERVED).map(([token, { rules = {} } = {}]) => [
      className(token),
      rulesIn(rules)
        .flatMap(([path, rule]) => {
          const accepted = values(rule);
          return accepted === undefined ? [] : [`\`${path}\`${accepted}`];
        })
        .join(", "),
    ]),
  );
}

/** README.md's list: by reason, the inputs without an effect. */
export function inputsWithoutEffect(): Record<string, string> {
  const inputs = new Map<string, string[]>();
  const all: [type: string, rules: InputRules][] = [
    ["all types", EVERYWHERE],
    ...Object.entries(SERVED).map(([token, type]): [string, InputRules] => [
      `\`${className(token)}\``,
      type?.rules ?? {},
    ]),
  ];
  for (const [type, rules] of all) {
    const byReason = Map.groupBy(rulesIn(rules), ([, rule]) =>
      rule.kind === "withoutEffect" ? rule.reason : undefined,
    );
    for (const [reason, found] of byReason) {
      if (reason !== undefined) {
        const names = found.map(([path]) => `\`${path}\``).join(", ");
        inputs.set(reason, [...(inputs.get(reason) ?? []), `${type}: ${names}`]);
      }
    }
  }
  return Object.fromEntries(
    [...inputs].map(([reason, cells]) => [reason.replace(/\.$/, ""), cells.join("; ")]),
  );
}
