import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import * as path from "node:path";
import { type CommandOptions, runCommand } from "../command";
import {
  assertSameFiles,
  LARGE_BYTES,
  ODD_NAMES,
  sha256Of,
  writeRandom,
  writeTree,
} from "../files";
import { assert, assertContains, assertEqual, type Checks, type Suite } from "../suite";
import { CACHE } from "../world";

/** The one of clients/install: an older one would ignore AWS_ENDPOINT_URL and call AWS. */
const AWS = path.join(CACHE, "venv", "bin", "aws");

const BUCKET = "clients-aws-cli";

const TABLE = "clients-aws-cli";

type Aws = (args: string[], options?: Partial<CommandOptions>) => Promise<string>;

/** Calls the AWS CLI. Resolves with standard output, or with standard error where it has to fail. */
function awsOf({ world, folder }: Checks): Aws {
  return async (args, options) => {
    // Version 1 ignores AWS_ENDPOINT_URL for SQS, and would call AWS.
    const endpoint = args[0] === "sqs" ? ["--endpoint-url", world.endpoint] : [];
    const ended = await runCommand(AWS, [...endpoint, ...args], {
      env: world.env,
      cwd: folder,
      ...options,
    });
    return options?.fails ? ended.stderr : ended.stdout;
  };
}

function jsonOf(text: string): Record<string, unknown> {
  return JSON.parse(text) as Record<string, unknown>;
}

async function checkFiles({ world, folder, check }: Checks, aws: Aws): Promise<void> {
  const bucket = `s3://${BUCKET}`;
  await check("s3 mb, ls", async () => {
    await aws(["s3", "mb", bucket]);
    assertContains(await aws(["s3", "ls"]), BUCKET, "the buckets");
  });
  await check("s3 cp, mv, ls, rm of odd names", async () => {
    const [first = "", second = "", third = ""] = [0, 5, 12].map((index) => ODD_NAMES[index]);
    writeFileSync(path.join(folder, first), "content");
    await aws(["s3", "cp", first, `${bucket}/${first}`]);
    await aws(["s3", "mv", `${bucket}/${first}`, `${bucket}/${second}`]);
    await aws(["s3", "cp", `${bucket}/${second}`, `${bucket}/${third}`]);
    assertEqual(await aws(["s3", "cp", `${bucket}/${third}`, "-"]), "content", "the copy");
    const names = (await aws(["s3", "ls", bucket])).trim().split("\n");
    assertEqual(
      names.map((line) => line.slice(31)),
      [second, third].sort(),
      "the listing",
    );
    await aws(["s3", "rm", `${bucket}/${second}`]);
    await aws(["s3", "rm", `${bucket}/${third}`]);
    assertEqual(await aws(["s3", "ls", bucket, "--recursive"]), "", "what is left");
  });
  await check("s3 sync of 200 files both ways: no difference", async () => {
    const tree = writeTree(path.join(folder, "tree"));
    await aws(["s3", "sync", tree, `${bucket}/tree`, "--only-show-errors"]);
    assertEqual(await aws(["s3", "sync", tree, `${bucket}/tree`, "--dryrun"]), "", "up again");
    assertEqual(await aws(["s3", "sync", `${bucket}/tree`, tree, "--dryrun"]), "", "down again");
    const down = path.join(folder, "down");
    await aws(["s3", "sync", `${bucket}/tree`, down, "--only-show-errors"]);
    assertSameFiles(down, tree);
    await aws(["s3", "sync", `${bucket}/tree`, `${bucket}/tree copy`, "--only-show-errors"]);
    const copied = await aws(["s3", "ls", `${bucket}/tree copy/`, "--recursive", "--summarize"]);
    assertContains(copied, "Total Objects: 200", "the copy");
    await aws(["s3", "rm", bucket, "--recursive", "--only-show-errors"]);
    assertEqual(await aws(["s3", "ls", bucket, "--recursive"]), "", "what is left");
  });
  await check("s3 cp and mv of 60 MB: up, between keys, down", async () => {
    const large = writeRandom(path.join(folder, "large.bin"), LARGE_BYTES);
    await aws(["s3", "cp", large, `${bucket}/large.bin`, "--only-show-errors"]);
    const copy = `${bucket}/large copy.bin`;
    await aws(["s3", "cp", `${bucket}/large.bin`, copy, "--only-show-errors"]);
    await aws(["s3", "mv", copy, `${bucket}/moved.bin`, "--only-show-errors"]);
    const down = path.join(folder, "large down.bin");
    await aws(["s3", "mv", `${bucket}/moved.bin`, down, "--only-show-errors"]);
    assertEqual(sha256Of(down), sha256Of(large), "the hash");
    assertEqual(
      (await aws(["s3", "ls", bucket])).trim().replace(/^\S+ \S+ +/, ""),
      `${LARGE_BYTES} large.bin`,
      "what is left",
    );
  });
  await check("s3 cp of a stream", async () => {
    await aws(["s3", "cp", "-", `${bucket}/stream`], { input: "from a pipe" });
    assertEqual(await aws(["s3", "cp", `${bucket}/stream`, "-"]), "from a pipe", "the content");
  });
  await check("s3 cp with content type, disposition and metadata", async () => {
    writeFileSync(path.join(folder, "described"), "x");
    await aws([
      ...["s3", "cp", "described", `${bucket}/described`, "--content-type", "text/x-odd"],
      ...["--content-disposition", 'attachment; filename="a b.txt"', "--metadata", "color=blue"],
    ]);
    const head = jsonOf(
      await aws(["s3api", "head-object", "--bucket", BUCKET, "--key", "described"]),
    );
    assertEqual(
      [head.ContentType, head.ContentDisposition, head.Metadata],
      ["text/x-odd", 'attachment; filename="a b.txt"', { color: "blue" }],
      "the headers",
    );
  });
  await check("s3 presign", async () => {
    // Version 1 signs URLs by SigV2 otherwise, which buckets in newer regions refuse, too.
    const config = path.join(folder, "config");
    writeFileSync(config, "[default]\ns3 =\n  signature_version = s3v4\n");
    const env = { ...world.env, AWS_CONFIG_FILE: config };
    const url = (await aws(["s3", "presign", `${bucket}/stream`], { env })).trim();
    assertEqual(await (await fetch(url)).text(), "from a pipe", "the content");
    assertEqual((await fetch(`${url}0`)).status, 403, "the status of a changed URL");
  });
}

async function checkRequests({ world, check }: Checks, aws: Aws): Promise<void> {
  const api = async (operation: string, ...args: string[]) =>
    aws(["s3api", operation, "--bucket", BUCKET, ...args]);
  await check("s3api list-objects-v2 with --max-items and --page-size", async () => {
    for (const key of ["a", "b", "c", "d", "e"]) {
      await api("put-object", "--key", `pages/${key}`);
    }
    const list = ["--prefix", "pages/", "--page-size", "2"];
    const first = jsonOf(await api("list-objects-v2", ...list, "--max-items", "3"));
    const rest = jsonOf(
      await api("list-objects-v2", ...list, "--starting-token", String(first.NextToken)),
    );
    assertEqual(
      [first, rest].flatMap(({ Contents }) =>
        (Contents as { Key: string }[]).map(({ Key }) => Key),
      ),
      ["pages/a", "pages/b", "pages/c", "pages/d", "pages/e"],
      "the keys",
    );
  });
  await check("s3api multipart: create, list, abort", async () => {
    const key = ["--key", "it's unfinished"];
    const { UploadId } = jsonOf(await api("create-multipart-upload", ...key));
    assertContains(await api("list-multipart-uploads"), String(UploadId), "the uploads");
    await api("abort-multipart-upload", ...key, "--upload-id", String(UploadId));
    assert(
      !(await api("list-multipart-uploads")).includes(String(UploadId)),
      "The upload is still listed.",
    );
  });
  await check("s3api conditional writes", async () => {
    await api("put-object", "--key", "once", "--if-none-match", "*");
    const error = await aws(
      ["s3api", "put-object", "--bucket", BUCKET, "--key", "once", "--if-none-match", "*"],
      { fails: true },
    );
    assertContains(error, "(PreconditionFailed)", "the error");
  });
  await check("s3api delete-objects with a quote in a key", async () => {
    await api("put-object", "--key", "it's.txt");
    await api("delete-objects", "--delete", JSON.stringify({ Objects: [{ Key: "it's.txt" }] }));
    assertEqual(
      await api("list-objects-v2", "--prefix", "it's.txt", "--query", "Contents"),
      "null\n",
      "what is left",
    );
  });
  await check("errors: NoSuchKey, NoSuchBucket, SignatureDoesNotMatch", async () => {
    const get = ["s3api", "get-object", "--key", "lacking", "/dev/null", "--bucket"];
    assertContains(await aws([...get, BUCKET], { fails: true }), "(NoSuchKey)", "the error");
    assertContains(
      await aws([...get, "clients-lacking"], { fails: true }),
      "(NoSuchBucket)",
      "the error",
    );
    const env = { ...world.env, AWS_SECRET_ACCESS_KEY: "wrong" };
    assertContains(
      await aws([...get, BUCKET], { fails: true, env }),
      "(SignatureDoesNotMatch)",
      "the error",
    );
  });
}

async function checkServices({ check }: Checks, aws: Aws): Promise<void> {
  await check(
    "dynamodb: create, put, query the index, scan by pages, update, condition",
    async () => {
      const table = ["--table-name", TABLE];
      await aws([
        ...["dynamodb", "create-table", ...table, "--billing-mode", "PAY_PER_REQUEST"],
        ...["--attribute-definitions", "AttributeName=id,AttributeType=S"],
        ...["AttributeName=status,AttributeType=S", "AttributeName=time,AttributeType=S"],
        ...["--key-schema", "AttributeName=id,KeyType=HASH", "--global-secondary-indexes"],
        JSON.stringify([
          {
            IndexName: "time-index",
            KeySchema: [
              { AttributeName: "status", KeyType: "HASH" },
              { AttributeName: "time", KeyType: "RANGE" },
            ],
            Projection: { ProjectionType: "ALL" },
          },
        ]),
      ]);
      await aws(["dynamodb", "wait", "table-exists", ...table]);
      const put = (id: string) => ({
        PutRequest: { Item: { id: { S: id }, status: { S: "new" }, time: { S: `t${id}` } } },
      });
      await aws([
        ...["dynamodb", "batch-write-item", "--request-items"],
        JSON.stringify({ [TABLE]: ["3", "1", "2"].map(put) }),
      ]);
      const ids = async (...args: string[]) =>
        jsonOf(await aws(["dynamodb", ...args, ...table, "--query", "{ids: Items[].id.S}"])).ids;
      assertEqual(
        await ids(
          ...["query", "--index-name", "time-index", "--key-condition-expression", "#s = :s"],
          ...["--expression-attribute-names", '{"#s":"status"}'],
          ...["--expression-attribute-values", '{":s":{"S":"new"}}'],
        ),
        ["1", "2", "3"],
        "the query",
      );
      assertEqual(
        ((await ids("scan", "--page-size", "1")) as string[]).sort(),
        ["1", "2", "3"],
        "the scan",
      );
      const key = ["--key", '{"id":{"S":"1"}}'];
      const updated = jsonOf(
        await aws([
          ...["dynamodb", "update-item", ...table, ...key, "--return-values", "UPDATED_NEW"],
          ...[
            "--update-expression",
            "SET n = :n",
            "--expression-attribute-values",
            '{":n":{"N":"7"}}',
          ],
        ]),
      );
      assertEqual(updated.Attributes, { n: { N: "7" } }, "the update");
      const error = await aws(
        [
          ...["dynamodb", "delete-item", ...table, ...key],
          ...["--condition-expression", "attribute_not_exists(id)"],
        ],
        { fails: true },
      );
      assertContains(error, "(ConditionalCheckFailedException)", "the error");
      await aws(["dynamodb", "delete-table", ...table]);
    },
  );
  await check("sns, sqs: subscribe, publish, receive, delete", async () => {
    const name = "clients-aws-cli";
    const { QueueUrl } = jsonOf(await aws(["sqs", "create-queue", "--queue-name", name]));
    const queue = ["--queue-url", String(QueueUrl)];
    const { QueueArn } = jsonOf(
      await aws([
        ...["sqs", "get-queue-attributes", ...queue, "--attribute-names", "QueueArn"],
        ...["--query", "Attributes"],
      ]),
    );
    const { TopicArn } = jsonOf(await aws(["sns", "create-topic", "--name", name]));
    const Policy = JSON.stringify({
      Version: "2012-10-17",
      Statement: [
        {
          Effect: "Allow",
          Principal: { Service: "sns.amazonaws.com" },
          Action: "sqs:SendMessage",
          Resource: QueueArn,
        },
      ],
    });
    await aws([
      ...["sqs", "set-queue-attributes", ...queue, "--attributes", JSON.stringify({ Policy })],
    ]);
    const topic = ["--topic-arn", String(TopicArn)];
    await aws([
      ...["sns", "subscribe", ...topic, "--protocol", "sqs"],
      ...["--notification-endpoint", String(QueueArn)],
    ]);
    await aws(["sns", "publish", ...topic, "--subject", "a subject", "--message", "<published> ü"]);
    const { Messages } = jsonOf(
      await aws(["sqs", "receive-message", ...queue, "--wait-time-seconds", "5"]),
    );
    const [message] = Messages as { Body: string; ReceiptHandle: string }[];
    const notification = jsonOf(message?.Body ?? "{}");
    assertEqual(
      [notification.Type, notification.Subject, notification.Message],
      ["Notification", "a subject", "<published> ü"],
      "the notification",
    );
    const handle = ["--receipt-handle", message?.ReceiptHandle ?? ""];
    await aws(["sqs", "delete-message", ...queue, ...handle]);
    await aws(["sns", "delete-topic", ...topic]);
    await aws(["sqs", "delete-queue", ...queue]);
  });
  await check("sts get-caller-identity", async () => {
    const identity = jsonOf(await aws(["sts", "get-caller-identity"]));
    assertEqual(identity.Account, "000000000000", "the account");
  });
}

/** The program itself: an object put straight into its bucket becomes an event, and a mail. */
async function checkPipeline({ world, folder, check }: Checks, aws: Aws): Promise<void> {
  await check("the program's bucket and table: a file that is put becomes an event", async () => {
    const { bucketName = "", tableName = "" } = world.outputs;
    mkdirSync(path.join(folder, "pipeline"));
    const name = "it's from the CLI ü.txt";
    writeFileSync(path.join(folder, "pipeline", name), "content");
    await aws(["s3", "cp", path.join(folder, "pipeline", name), `s3://${bucketName}/`]);
    const notified = [
      ...["dynamodb", "query", "--table-name", tableName, "--index-name", "time-index"],
      ...["--key-condition-expression", "event_status = :status", "--expression-attribute-values"],
      ...['{":status":{"S":"notified"}}', "--query", "{infos: Items[].event_info.S}"],
    ];
    const deadline = Date.now() + 60_000;
    for (;;) {
      const infos = jsonOf(await aws(notified)).infos as string[];
      if (infos.some((info) => jsonOf(info).Key === name)) {
        return;
      }
      assert(Date.now() < deadline, `After a minute, the events are ${JSON.stringify(infos)}`);
    }
  });
}

export const awsCli: Suite = {
  name: "aws-cli",
  missing: () => (existsSync(AWS) ? undefined : "awscli is not installed: clients/install"),
  async run(checks) {
    const aws = awsOf(checks);
    await checkFiles(checks, aws);
    await checkRequests(checks, aws);
    await checkServices(checks, aws);
    await checkPipeline(checks, aws);
  },
};
