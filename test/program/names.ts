import { ACCOUNT_ID, REGION } from "../../testing/mockedAws";
import { json, only, type Recording, type Registration } from "../../testing/recordingMocks";

/** ARNs and URLs as the mocks make them. */
export const BUCKET = "arn:aws:s3:::uploads-1a2b3c4";
export const TABLE = `arn:aws:dynamodb:${REGION}:${ACCOUNT_ID}:table/events-1a2b3c4`;
export const RESERVATIONS = `arn:aws:dynamodb:${REGION}:${ACCOUNT_ID}:table/uploads-idempotency-1a2b3c4`;
export const COUNTS = `arn:aws:dynamodb:${REGION}:${ACCOUNT_ID}:table/events-counts-1a2b3c4`;
export const LINKS = `arn:aws:dynamodb:${REGION}:${ACCOUNT_ID}:table/links-1a2b3c4`;
export const STREAM = `${TABLE}/stream/2026-11-30T00:00:00.000`;
export const TOPIC = `arn:aws:sns:${REGION}:${ACCOUNT_ID}:notifier-1a2b3c4`;
export const ALARM_TOPIC = `arn:aws:sns:${REGION}:${ACCOUNT_ID}:alarms-1a2b3c4`;
export const QUEUE = `arn:aws:sqs:${REGION}:${ACCOUNT_ID}:dead-letters-1a2b3c4`;
export const QUEUE_URL = `https://sqs.${REGION}.amazonaws.com/${ACCOUNT_ID}/dead-letters-1a2b3c4`;
export const RULE = `arn:aws:events:${REGION}:${ACCOUNT_ID}:rule/sweep-1a2b3c4`;

/** The program's Lambdas. */
export const LAMBDAS = ["links", "manager", "notify", "process", "record", "sweep", "upload"];

/** What the role of the Lambda `links` may do with links and their files. */
export const LINKS_GRANTS = [
  `dynamodb:GetItem ${LINKS}`,
  `dynamodb:PutItem ${LINKS}`,
  `dynamodb:UpdateItem ${LINKS}`,
  `dynamodb:Query ${LINKS}/index/open-index`,
  `dynamodb:GetItem ${TABLE}`,
  `s3:PutObject ${BUCKET}/links/*`,
  `s3:ListMultipartUploadParts ${BUCKET}/links/*`,
  `s3:AbortMultipartUpload ${BUCKET}/links/*`,
];

export function functionArn(name: string): string {
  return `arn:aws:lambda:${REGION}:${ACCOUNT_ID}:function:${name}-1a2b3c4`;
}

export interface Statement {
  Effect: string;
  Action: string | string[];
  Resource: string | string[];
}

export function statementsOf(policy: Registration): Statement[] {
  return (json(policy, "policy") as { Statement: Statement[] }).Statement;
}

/** A Lambda's environment variables. */
export function variablesOf(recording: Recording, lambda: string): Record<string, string> {
  const { environment } = only(recording, "Function", lambda).inputs;
  return (environment as { variables: Record<string, string> }).variables;
}
