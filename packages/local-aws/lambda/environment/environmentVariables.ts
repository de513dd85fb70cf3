import { randomUUID } from "node:crypto";
import { delimiter, dirname } from "node:path";
import { AwsError } from "../../awsError";

/** The settings behind the variables of one execution environment. */
export interface EnvironmentSettings {
  functionName: string;
  handler: string;
  region: string;
  memoryMegabytes: number;
  logFormat: "JSON" | "Text";
  logGroupName: string;
  credentials: { accessKeyId: string; secretAccessKey: string; sessionToken?: string };
  /** The function's own variables. */
  environment: Record<string, string>;
  taskRoot: string;
  runtimeDir: string;
  /** `host:port` */
  runtimeApi: string;
  endpointUrl: string;
}

/**
 * The whole environment of a function's process: what AWS sets, the function's own variables and
 * AWS_ENDPOINT_URL. Nothing comes from the host's own environment, so that a function cannot depend
 * on what AWS does not set.
 *
 * Source: https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
 */
export function environmentVariables(settings: EnvironmentSettings): Record<string, string> {
  return {
    // A function may set these itself, as on AWS.
    LANG: "en_US.UTF-8",
    TZ: ":UTC",
    PATH: [dirname(process.execPath), "/usr/local/bin", "/usr/bin", "/bin"].join(delimiter),
    // Not on AWS. Without it the SDK would read the .aws folder of the user.
    HOME: settings.taskRoot,
    // Windows starts no process without it.
    ...(process.platform === "win32" && { SystemRoot: process.env.SystemRoot ?? "" }),
    ...settings.environment,
    ...reservedVariables(settings),
    AWS_ENDPOINT_URL: settings.endpointUrl,
  };
}

/**
 * Refuses the variables that AWS refuses, so that a program that runs locally also deploys.
 *
 * @throws AwsError InvalidParameterValueException
 */
export function checkOwnVariables(environment: Record<string, string>): void {
  const reserved = Object.keys(environment).filter((name) => RESERVED.has(name));
  if (reserved.length === 0) {
    return;
  }
  throw new AwsError(
    "InvalidParameterValueException",
    400,
    "Lambda was unable to configure your environment variables because the environment variables " +
      "you have provided contains reserved keys that are currently not supported for " +
      `modification. Reserved keys used in this request: ${reserved.join(", ")}`,
  );
}

const RESERVED = new Set([
  "_HANDLER",
  "_X_AMZN_TRACE_ID",
  "AWS_ACCESS_KEY",
  "AWS_ACCESS_KEY_ID",
  "AWS_DEFAULT_REGION",
  "AWS_EXECUTION_ENV",
  "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
  "AWS_LAMBDA_FUNCTION_NAME",
  "AWS_LAMBDA_FUNCTION_VERSION",
  "AWS_LAMBDA_INITIALIZATION_TYPE",
  "AWS_LAMBDA_LOG_GROUP_NAME",
  "AWS_LAMBDA_LOG_STREAM_NAME",
  "AWS_LAMBDA_RUNTIME_API",
  "AWS_REGION",
  "AWS_SECRET_ACCESS_KEY",
  "AWS_SECRET_KEY",
  "AWS_SESSION_TOKEN",
  "LAMBDA_RUNTIME_DIR",
  "LAMBDA_TASK_ROOT",
]);

function reservedVariables(settings: EnvironmentSettings): Record<string, string> {
  const { credentials } = settings;
  return {
    _HANDLER: settings.handler,
    AWS_REGION: settings.region,
    AWS_DEFAULT_REGION: settings.region,
    AWS_EXECUTION_ENV: "AWS_Lambda_nodejs24.x",
    AWS_LAMBDA_FUNCTION_NAME: settings.functionName,
    AWS_LAMBDA_FUNCTION_VERSION: "$LATEST",
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(settings.memoryMegabytes),
    AWS_LAMBDA_INITIALIZATION_TYPE: "on-demand",
    AWS_LAMBDA_LOG_GROUP_NAME: settings.logGroupName,
    AWS_LAMBDA_LOG_STREAM_NAME: logStreamName(),
    AWS_LAMBDA_LOG_FORMAT: settings.logFormat,
    AWS_LAMBDA_RUNTIME_API: settings.runtimeApi,
    LAMBDA_TASK_ROOT: settings.taskRoot,
    LAMBDA_RUNTIME_DIR: settings.runtimeDir,
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    ...(credentials.sessionToken !== undefined && { AWS_SESSION_TOKEN: credentials.sessionToken }),
  };
}

/** Each environment logs to a stream of its own: `2026/11/30/[$LATEST]` and 32 hex digits. */
function logStreamName(): string {
  const day = new Date().toISOString().slice(0, 10).replaceAll("-", "/");
  return `${day}/[$LATEST]${randomUUID().replaceAll("-", "")}`;
}
