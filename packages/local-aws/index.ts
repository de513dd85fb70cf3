/**
 * A Pulumi AWS program on one machine: `startRun` is the entry. This file is the package's public
 * face, with `local-aws/faults` and `local-aws/program`, which load less; nothing else may be
 * imported from outside. README.md explains each export.
 */
export { AwsError } from "./awsError";
export type { ItemChange } from "./dynamodb/changeFeed";
export { type Item, itemBytes } from "./dynamodb/dynalite";
export { createDynamoDb, type DynamoDbEngine, type TableDefinition } from "./dynamodb/engine";
export { type FaultReport, logicalName } from "./faults/faults";
export type { AllowedCall } from "./gateway/interceptor";
export type { HttpRequest, HttpResponse } from "./http";
export type { Credentials } from "./iam/roles";
export { checkOwnVariables } from "./lambda/environment/environmentVariables";
export { lambdaNodeFlags } from "./lambda/environment/nodeFlags";
export type { Fault } from "./lambda/host";
export type { Inspect } from "./lambda/inspect";
export type { OpenMail } from "./mail/mailbox";
export { type Run, type RunEvent, type RunOptions, startRun } from "./run";
export type { ObjectCreated } from "./s3/engine";
export { toS3Event } from "./s3/objectCreated";
export { StartError } from "./startError";
export { type EvaluationOptions, serveEvaluations } from "./watch/serveEvaluations";
export type { Reload, WatchOptions } from "./watch/watch";
