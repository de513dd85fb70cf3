import { createReadStream, readFileSync } from "node:fs";
import * as path from "node:path";
import * as dynamo from "@aws-sdk/client-dynamodb";
import * as s3 from "@aws-sdk/client-s3";
import { PublishCommand, SNSClient } from "@aws-sdk/client-sns";
import {
  CreateQueueCommand,
  DeleteMessageCommand,
  DeleteQueueCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import { createPresignedPost } from "@aws-sdk/s3-presigned-post";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { DOTTED_KEYS, LARGE_BYTES, ODD_KEYS, sha256Of, writeRandom } from "../files";
import { assert, assertContains, assertEqual, type Checks, type Suite } from "../suite";

/** The AWS SDK for JavaScript, the release that the Lambdas use. */

const BUCKET = "clients-javascript";

const PART_BYTES = 8 * 1024 * 1024;

/** Makes a call that has to be refused. @returns the error */
async function refused(name: string, call: Promise<unknown>): Promise<Error> {
  const error = await call.then(
    () => undefined,
    (thrown: unknown) => thrown as Error,
  );
  assert(error !== undefined, `expected the error ${name}, got an answer`);
  assertEqual(error.name, name, "the error's name");
  return error;
}

async function checkObjects(settings: s3.S3ClientConfig, { folder, check }: Checks): Promise<void> {
  const client = new s3.S3Client(settings);
  const Bucket = BUCKET;
  await check("a bucket is created", async () => {
    await client.send(new s3.CreateBucketCommand({ Bucket }));
    const { Buckets = [] } = await client.send(new s3.ListBucketsCommand({}));
    assert(
      Buckets.some(({ Name }) => Name === Bucket),
      "It is not listed.",
    );
  });
  const keys = [...ODD_KEYS, ...DOTTED_KEYS];
  for (const Key of keys) {
    await check(`the key ${JSON.stringify(Key)}: put, get, copy`, async () => {
      await client.send(new s3.PutObjectCommand({ Bucket, Key, Body: Key }));
      const got = await client.send(new s3.GetObjectCommand({ Bucket, Key }));
      assertEqual(await got.Body?.transformToString(), Key, "the content");
      const CopySource = `${Bucket}/${encodeURIComponent(Key)}`;
      const copy = { Bucket, Key: `copy/${Key}` };
      await client.send(new s3.CopyObjectCommand({ ...copy, CopySource }));
      const copied = await client.send(new s3.GetObjectCommand(copy));
      assertEqual(await copied.Body?.transformToString(), Key, "the copy");
    });
  }
  await check("pages of listings, DeleteObjects", async () => {
    const listed: string[] = [];
    const pages = s3.paginateListObjectsV2({ client, pageSize: 7 }, { Bucket });
    for await (const { Contents = [] } of pages) {
      listed.push(...Contents.map(({ Key = "" }) => Key));
    }
    const all = [...keys, ...keys.map((key) => `copy/${key}`)];
    const inOrder = all.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    assertEqual(listed, inOrder, "the keys");
    // The SDK writes these into its XML as they are, which AWS refuses as well.
    const isWritable = (key: string) => !key.includes("\u0007");
    for (const Key of all.filter((key) => !isWritable(key))) {
      await client.send(new s3.DeleteObjectCommand({ Bucket, Key }));
    }
    const Objects = all.filter(isWritable).map((Key) => ({ Key }));
    const deleted = await client.send(new s3.DeleteObjectsCommand({ Bucket, Delete: { Objects } }));
    assertEqual(deleted.Errors ?? [], [], "the errors");
    const left = await client.send(new s3.ListObjectsV2Command({ Bucket }));
    assertEqual(left.KeyCount, 0, "the number of keys left");
  });
  await check("60 MB in parts with checksums, streams, a copy by ranges, abort", async () => {
    const file = writeRandom(path.join(folder, "large.bin"), LARGE_BYTES);
    const object = { Bucket, Key: "large.bin" };
    const { UploadId } = await client.send(
      new s3.CreateMultipartUploadCommand({ ...object, ChecksumAlgorithm: "CRC64NVME" }),
    );
    const Parts: s3.CompletedPart[] = [];
    for (let start = 0; start < LARGE_BYTES; start += PART_BYTES) {
      const end = Math.min(start + PART_BYTES, LARGE_BYTES) - 1;
      const PartNumber = Parts.length + 1;
      const { ETag, ChecksumCRC64NVME } = await client.send(
        new s3.UploadPartCommand({
          ...object,
          UploadId,
          PartNumber,
          Body: createReadStream(file, { start, end }),
          ContentLength: end - start + 1,
          ChecksumAlgorithm: "CRC64NVME",
        }),
      );
      Parts.push({ PartNumber, ETag, ChecksumCRC64NVME });
    }
    const MultipartUpload = { Parts };
    const done = await client.send(
      new s3.CompleteMultipartUploadCommand({ ...object, UploadId, MultipartUpload }),
    );
    assert(done.ChecksumCRC64NVME !== undefined, "It has no checksum.");
    const got = await client.send(new s3.GetObjectCommand({ ...object, ChecksumMode: "ENABLED" }));
    const bytes = Buffer.from((await got.Body?.transformToByteArray()) ?? []);
    assert(bytes.equals(readFileSync(file)), "The content differs.");

    const copy = { Bucket, Key: "copied in part.bin" };
    const upload = await client.send(new s3.CreateMultipartUploadCommand(copy));
    const { CopyPartResult } = await client.send(
      new s3.UploadPartCopyCommand({
        ...copy,
        UploadId: upload.UploadId,
        PartNumber: 1,
        CopySource: `${Bucket}/large.bin`,
        CopySourceRange: "bytes=5-14",
      }),
    );
    assert(CopyPartResult?.ETag !== undefined, "The copied part has no ETag.");
    await client.send(new s3.AbortMultipartUploadCommand({ ...copy, UploadId: upload.UploadId }));
    await refused(
      "NoSuchUpload",
      client.send(new s3.ListPartsCommand({ ...copy, UploadId: upload.UploadId })),
    );
    assertEqual(sha256Of(file).length, 64, "the hash");
  });
  await check("metadata, conditions, errors", async () => {
    const object = { Bucket, Key: "described" };
    const ContentDisposition = "attachment; filename*=UTF-8''%C3%BC.txt";
    await client.send(
      new s3.PutObjectCommand({ ...object, Body: "x", ContentDisposition, Metadata: { a: "b" } }),
    );
    const head = await client.send(new s3.HeadObjectCommand(object));
    assertEqual(
      [head.ContentDisposition, head.Metadata],
      [ContentDisposition, { a: "b" }],
      "the headers",
    );
    await refused(
      "PreconditionFailed",
      client.send(new s3.PutObjectCommand({ ...object, Body: "y", IfNoneMatch: "*" })),
    );
    await refused("NoSuchKey", client.send(new s3.GetObjectCommand({ Bucket, Key: "lacking" })));
  });
  await check("presigned GET and PUT, a form", async () => {
    const object = { Bucket, Key: "presigned 'ü'+.txt" };
    // Otherwise the URL holds the checksum of the body at the time of signing, which is empty.
    const signer = new s3.S3Client({
      ...settings,
      requestChecksumCalculation: "WHEN_REQUIRED",
    });
    const put = await getSignedUrl(signer, new s3.PutObjectCommand(object));
    assertEqual((await fetch(put, { method: "PUT", body: "content" })).status, 200, "PUT");
    const get = await getSignedUrl(client, new s3.GetObjectCommand(object));
    assertEqual(await (await fetch(get)).text(), "content", "the content");
    const form = await createPresignedPost(client, { Bucket, Key: "form/${filename}" });
    const body = new FormData();
    for (const [name, value] of Object.entries(form.fields)) {
      body.append(name, value);
    }
    body.append("file", new Blob(["content"]), "it's ü.txt");
    const answer = await fetch(form.url, { method: "POST", body });
    assertEqual(answer.status, 204, "the form's status");
    await client.send(new s3.HeadObjectCommand({ Bucket, Key: "form/it's ü.txt" }));
  });
}

async function checkServices({ world, check }: Checks): Promise<void> {
  const settings = settingsOf(world);
  await check("DynamoDB: the program's table, a failed condition with its item", async () => {
    const client = new dynamo.DynamoDBClient(settings);
    const TableName = world.outputs.tableName;
    const { Table } = await client.send(new dynamo.DescribeTableCommand({ TableName }));
    assertEqual(Table?.GlobalSecondaryIndexes?.[0]?.IndexName, "time-index", "the index");
    const Item = { event_id: { S: "clients" }, event_timestamp: { S: "2020" } };
    await client.send(new dynamo.PutItemCommand({ TableName, Item }));
    const error = await refused(
      "ConditionalCheckFailedException",
      client.send(
        new dynamo.PutItemCommand({
          TableName,
          Item,
          ConditionExpression: "attribute_not_exists(event_id)",
          ReturnValuesOnConditionCheckFailure: "ALL_OLD",
        }),
      ),
    );
    assertEqual((error as Error & { Item?: unknown }).Item, Item, "the item");
    await client.send(new dynamo.DeleteItemCommand({ TableName, Key: Item }));
    client.destroy();
  });
  await check("SQS and SNS: send, receive, delete, publish", async () => {
    const sqs = new SQSClient(settings);
    const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: BUCKET }));
    await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: "ü & <x>" }));
    const { Messages } = await sqs.send(
      new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 5 }),
    );
    assertEqual(Messages?.[0]?.Body, "ü & <x>", "the message");
    const ReceiptHandle = Messages?.[0]?.ReceiptHandle;
    await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
    await sqs.send(new DeleteQueueCommand({ QueueUrl }));
    sqs.destroy();
    const sns = new SNSClient(settings);
    const Message = "from the clients";
    const published = await sns.send(
      new PublishCommand({ TopicArn: world.outputs.topicArn, Message }),
    );
    assertContains(published.MessageId ?? "", "-", "the message's id");
    sns.destroy();
  });
}

function settingsOf({ endpoint, region, accessKeyId, secretAccessKey }: Checks["world"]) {
  return { endpoint, region, credentials: { accessKeyId, secretAccessKey } };
}

export const javascript: Suite = {
  name: "javascript",
  missing: () => undefined,
  async run(checks) {
    await checkObjects({ ...settingsOf(checks.world), forcePathStyle: true }, checks);
    await checkServices(checks);
  },
};
