/**
 * Reads a Lambda's environment variables by name. A function that needs some of them takes this as
 * a parameter: a Lambda whose component does not set them all then fails `tsc`.
 *
 * @throws when a variable is not set, which fails the Lambda's init phase with the variable's name
 */
export type Environment<Names extends string> = (name: Names) => string;

/** Variables that Lambda itself sets for every function. */
export type RuntimeVariable = "LAMBDA_TASK_ROOT" | "AWS_REGION";

/** @throws when the variable is not set */
function environmentVariable(name: string): string {
  const value = process.env[name];
  if (value === undefined) {
    throw new Error(`The environment variable ${name} is not set.`);
  }
  return value;
}

/**
 * Gives a callback factory its environment variables. Pulumi serializes the result, and this
 * module's code with it.
 */
export function withEnvironment<Names extends string, Handler>(
  factory: (environment: Environment<Names>) => Handler,
): () => Handler {
  return () => factory(environmentVariable);
}
