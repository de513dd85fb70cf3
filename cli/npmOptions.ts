import type { Option } from "commander";

/** npm's own options, which anybody may set for npm. */
const OPTIONS_OF_NPM = new Set(["json", "verbose", "help", "all", "key"]);

/**
 * Without two dashes before it, npm takes an option for its own, and passes on its value at most.
 *
 * @param script the name of the script in package.json
 * @returns the first such option, and its value, which is "true" where npm passed that on apart
 */
export function optionTakenByNpm(
  script: string,
  options: readonly Option[],
): { option: Option; value: string } | undefined {
  if (process.env.npm_lifecycle_event !== script) {
    return undefined;
  }
  for (const option of options) {
    const value = process.env[`npm_config_${option.name().replaceAll("-", "_")}`];
    if (value !== undefined && !OPTIONS_OF_NPM.has(option.name())) {
      return { option, value };
    }
  }
  return undefined;
}
