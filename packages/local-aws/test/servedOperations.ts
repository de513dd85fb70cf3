import * as dynamoDb from "@aws-sdk/client-dynamodb";
import * as s3 from "@aws-sdk/client-s3";
import * as sns from "@aws-sdk/client-sns";
import * as sqs from "@aws-sdk/client-sqs";
import { openCloud, REGION } from "./testCloud";

interface Client {
  send(command: unknown): Promise<unknown>;
  destroy(): void;
}

type Constructor<T> = new (input: object) => T;

/** The SDK of each service: it exports a command for every operation of the service. */
const SDKS: [service: string, sdk: object, client: Constructor<Client>][] = [
  ["DynamoDB", dynamoDb, dynamoDb.DynamoDBClient],
  ["S3", s3, s3.S3Client],
  ["SNS", sns, sns.SNSClient],
  ["SQS", sqs, sqs.SQSClient],
];

/** Enough for each operation to be recognized; none of these resources exists. */
const INPUT = {
  Bucket: "bucket",
  Key: "key",
  Body: "body",
  CopySource: "bucket/key",
  UploadId: "1",
  PartNumber: 1,
  Delete: { Objects: [{ Key: "key" }] },
  RequestRoute: "route",
  RequestToken: "token",
  TableName: "table",
  RequestItems: { table: { Keys: [] } },
  QueueUrl: "http://127.0.0.1/000000000000/queue",
  QueueName: "queue",
  Name: "topic",
  TopicArn: `arn:aws:sns:${REGION}:000000000000:topic`,
  SubscriptionArn: `arn:aws:sns:${REGION}:000000000000:topic:1`,
  ResourceArn: `arn:aws:sns:${REGION}:000000000000:topic`,
  Message: "message",
};

const NOT_IMPLEMENTED = 501;

async function isServed(client: Client, command: unknown): Promise<boolean> {
  try {
    await client.send(command);
    return true;
  } catch (error) {
    const { $metadata } = error as Error & { $metadata?: { httpStatusCode?: number } };
    if ($metadata?.httpStatusCode === undefined) {
      // It was not sent at all: INPUT lacks something.
      throw error;
    }
    return $metadata.httpStatusCode !== NOT_IMPLEMENTED;
  }
}

/** Names of operations, by service, sorted. */
type Operations = Record<string, string[]>;

/** All operations of the SDKs: those that are answered with 501, and the others. */
export async function servedOperations(): Promise<{ served: Operations; refused: Operations }> {
  const test = await openCloud();
  const { cloud } = test;
  const served: Operations = {};
  const refused: Operations = {};
  for (const [service, sdk, Client] of SDKS) {
    const client = new Client({
      endpoint: cloud.endpoint,
      region: REGION,
      credentials: cloud.roles.operator,
      maxAttempts: 1,
      disableHostPrefix: true,
    });
    const all = { served: [] as string[], refused: [] as string[] };
    for (const [name, Command] of Object.entries(sdk)) {
      if (/^[A-Z]\w*Command$/.test(name)) {
        const command = new (Command as Constructor<unknown>)(INPUT);
        const kind = (await isServed(client, command)) ? "served" : "refused";
        all[kind].push(name.replace(/Command$/, ""));
      }
    }
    served[service] = all.served.sort();
    refused[service] = all.refused.sort();
    client.destroy();
  }
  await test.close();
  return { served, refused };
}
