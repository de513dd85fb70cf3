import { GetObjectCommand, ListObjectsV2Command, S3Client } from "@aws-sdk/client-s3";
import { createPresignedPost, type PresignedPostOptions } from "@aws-sdk/s3-presigned-post";
import type { CloudOptions } from "../../cloud";
import type { ServiceCall } from "../../gateway/gateway";
import { openCloud, REGION, type TestCloud } from "../testCloud";

export const BUCKET = "files-of-a-test";
export const OBJECTS = `arn:aws:s3:::${BUCKET}/*`;

/** A bucket behind a gateway, and a role's client for it. */
export interface BucketScene {
  test: TestCloud;
  /** Path-style, of the bucket. */
  url: string;
  /** Signs as the role. */
  client: S3Client;
  /** May do everything. */
  operator: S3Client;
  calls: ServiceCall[];
  /** The keys in the bucket. */
  keys(): Promise<string[]>;
  read(key: string): Promise<string>;
  close(): Promise<void>;
}

/** @param allowed what the role may do */
export async function openBucket(
  allowed: [action: string, arn: string][],
  options: Partial<CloudOptions> = {},
): Promise<BucketScene> {
  const calls: ServiceCall[] = [];
  const test = await openCloud({ onCall: (call) => calls.push(call), ...options });
  await test.make("s3/bucket:Bucket", "files", { bucket: BUCKET });
  const { cloud } = test;
  const { arn } = cloud.roles.create("signer");
  const Statement = allowed.map(([Action, Resource]) => ({
    Effect: "Allow" as const,
    Action,
    Resource,
  }));
  if (Statement.length > 0) {
    cloud.roles.addPolicy("signer", { Statement });
  }
  const clientOf = (credentials: { accessKeyId: string; secretAccessKey: string }) =>
    new S3Client({ endpoint: cloud.endpoint, region: REGION, credentials, maxAttempts: 1 });
  const client = clientOf(cloud.roles.credentialsFor(arn, "signer"));
  const operator = clientOf(cloud.roles.operator);
  return {
    test,
    url: `${cloud.endpoint}/${BUCKET}`,
    client,
    operator,
    calls,
    async keys() {
      const { Contents = [] } = await operator.send(new ListObjectsV2Command({ Bucket: BUCKET }));
      return Contents.map(({ Key = "" }) => Key);
    },
    async read(Key) {
      const { Body } = await operator.send(new GetObjectCommand({ Bucket: BUCKET, Key }));
      return (await Body?.transformToString()) ?? "";
    },
    async close() {
      client.destroy();
      operator.destroy();
      await test.close();
    },
  };
}

type Signed = Awaited<ReturnType<typeof createPresignedPost>>;

/** A form that the scene's role has signed for `key`. */
export function signForm(
  { client }: Pick<BucketScene, "client">,
  options: Partial<PresignedPostOptions> = {},
): Promise<Signed> {
  return createPresignedPost(client, { Bucket: BUCKET, Key: "a key", ...options });
}

/** A form's data: its fields, then the file. */
export function formData(
  fields: Record<string, string>,
  file: string | Buffer | undefined = "content",
  fileName = "file.txt",
): FormData {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) {
    form.append(name, value);
  }
  form.append("file", new Blob([new Uint8Array(Buffer.from(file))]), fileName);
  return form;
}

/** A refusal: its status, and the elements of S3's XML. */
export async function refusal(response: Response): Promise<Record<string, string>> {
  const text = await response.text();
  const elements = [...text.matchAll(/<(\w+)>([^<]*)<\/\1>/g)].map(
    ([, name = "", value = ""]): [string, string] => [name, value.replaceAll("&quot;", '"')],
  );
  return { status: `${response.status}`, ...Object.fromEntries(elements) };
}
