import * as pulumi from "@pulumi/pulumi";
import type { Grant } from "./policy";

/**
 * What a Lambda needs to use a resource: its environment variables and its permissions, together.
 * A component has a method for each of its uses, such as `bucket.storing()`.
 */
export interface Link<Names extends string = string> {
  /** Environment variables; a plain value where the deployment knows it. */
  environment: Record<Names, pulumi.Input<string>>;
  /** Permissions for the Lambda's role. */
  grants: Grant[];
}

/** The names of the environment variables that any of the links has. */
export type VariableOf<Links extends readonly Link[]> = {
  [Index in keyof Links]: Links[Index] extends Link<infer Names> ? Names : never;
}[number];

/**
 * Several links as one.
 *
 * @example
 * joined(events.advancing(), bucket.reading())
 *
 * @throws RunError when two links set a variable to different values
 */
export function joined<const Links extends readonly Link[]>(
  ...links: Links
): Link<VariableOf<Links>> {
  const environment: Record<string, pulumi.Input<string>> = {};
  for (const [name, value] of links.flatMap((link) => Object.entries(link.environment))) {
    if ((environment[name] ?? value) !== value) {
      throw new pulumi.RunError(
        `Two links set the environment variable ${name} to different values: ` +
          "give one of them another name.",
      );
    }
    environment[name] = value;
  }
  return {
    environment,
    grants: links.flatMap(({ grants }) => grants),
  };
}
