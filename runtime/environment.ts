import type { Context } from "aws-lambda";

/**
 * Reads a Lambda's environment variables by name. A function that needs some of them takes this as
 * a parameter: a Lambda whose component does not set them all then fails `tsc`.
 *
 * @throws when a variable is not set, by its name: a Lambda's invocations fail with that
 */
export type Environment<Names extends string> = (name: Names) => string;

/** Variables that Lambda itself sets for every function. */
export type RuntimeVariable = "LAMBDA_TASK_ROOT" | "AWS_REGION";

/** What Lambda calls for each event. */
export type Handler<Event, Result> = (event: Event, context: Context) => Promise<Result>;

/** Makes a Lambda's handler: called once for each execution environment, and again where it has failed. */
export type HandlerFactory<Names extends string, Event, Result> = (
  environment: Environment<Names>,
) => Handler<Event, Result> | Promise<Handler<Event, Result>>;

/** @throws when the variable is not set */
function environmentVariable(name: string): string {
  const value = process.env[name];
  if (value === undefined) {
    throw new Error(`The environment variable ${name} is not set.`);
  }
  return value;
}

/**
 * Gives a callback factory its environment variables. Pulumi serializes the result, and with it this
 * module's code.
 */
export function withEnvironment<Names extends string, Event, Result>(
  factory: HandlerFactory<Names, Event, Result>,
): () => Handler<Event, Result> {
  return () => {
    const make = () => Promise.resolve(factory(environmentVariable));
    // At once, not at the first event: Lambda's init phase costs no caller any time.
    let handler: ReturnType<typeof make> | undefined = make();
    // An error is the answer to the next event. Unhandled until then, it would end the process without.
    handler.catch(() => undefined);
    return async (event, context) => {
      const making = (handler ??= make());
      const handle = await making.catch((error: unknown) => {
        // The event after that finds out whether the cause is gone.
        handler = undefined;
        throw error;
      });
      return handle(event, context);
    };
  };
}
