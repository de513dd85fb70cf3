import type { InputRules, RulesFor } from "./inputs";
import type { Provision } from "./resource";

/** A resource type with what it serves; any other input that a program sets stops the start. */
export interface ServedType {
  rules: InputRules;
  /** Called with inputs that fit the rules. */
  provision: Provision<never>;
}

/** The type parameter is what the handler reads: each of these inputs needs a rule. */
export function servedType<Inputs>(
  rules: RulesFor<Inputs>,
  provision: Provision<Inputs>,
): ServedType {
  return { rules, provision };
}
