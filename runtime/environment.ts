/**
 * A setting that the component put into the Lambda's environment.
 *
 * @throws when it is missing, so that a wrong deployment fails in its init phase, by name
 */
export function environment(name: string): string {
  const value = process.env[name];
  if (value === undefined) {
    throw new Error(`The environment variable ${name} is not set.`);
  }
  return value;
}
