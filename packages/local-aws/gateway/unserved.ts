import { AwsError } from "../awsError";
import { type JsonErrorOptions, jsonErrors } from "../protocols/json";
import { operationOf } from "../protocols/operation";
import { ec2Errors, isQueryRequest, queryErrors } from "../protocols/query";
import type { Service, ServiceErrors } from "./service";
import { COMMON_RULES } from "./signature/canonicalRequest";

/** Details of a service without an engine. */
export interface UnservedOptions {
  errors?: JsonErrorOptions;
  /** What its x-amz-target begins with. @default it is recognized by its credential scope only */
  targetPrefix?: string;
}

/**
 * A service without an engine: its calls are answered with 501, in the protocol of the request.
 *
 * @param name as in a credential scope
 */
export function unserved(name: string, { errors, targetPrefix }: UnservedOptions = {}): Service {
  const refuse = (): never => {
    throw new AwsError("NotImplemented", 501, `${name} is not served on one machine`);
  };
  return {
    name,
    errors: jsonErrors(errors),
    errorsOf: (request) => (isQueryRequest(request) ? queryErrorsOf(name) : jsonErrors(errors)),
    signing: COMMON_RULES,
    recognizes: ({ headers }) =>
      targetPrefix !== undefined && (headers["x-amz-target"]?.startsWith(targetPrefix) ?? false),
    read: (request) => ({
      operation: `${name}:${operationOf(request)}`,
      grants: refuse,
      forward: refuse,
    }),
  };
}

function queryErrorsOf(name: string): ServiceErrors {
  return name === "ec2"
    ? ec2Errors()
    : queryErrors({ namespace: `https://${name}.amazonaws.com/doc/`, denied: "AccessDenied" });
}
