import { writeFileSync } from "node:fs";
import * as path from "node:path";
import { findCommand, runCommand } from "../command";
import { DOTTED_KEYS, LARGE_BYTES, ODD_KEYS, sha256Of, writeRandom } from "../files";
import { assertContains, assertEqual, type Suite } from "../suite";

const BUCKET = "clients-curl";

function encoded(key: string): string {
  return encodeURIComponent(key)
    .replaceAll("%2F", "/")
    .replaceAll(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}

export const curl: Suite = {
  name: "curl",
  missing: () => (findCommand("curl") ? undefined : "curl is not installed"),
  async run({ world, folder, check }) {
    const unsignedBody = ["-H", "x-amz-content-sha256: UNSIGNED-PAYLOAD"];
    const signed = (service: string, secret = world.secretAccessKey) => [
      ...["--silent", "--show-error", "--path-as-is"],
      ...["--aws-sigv4", `aws:amz:${world.region}:${service}`],
      ...["--user", `${world.accessKeyId}:${secret}`],
    ];
    const s3 = async (target: string, ...args: string[]) => {
      const all = [...signed("s3"), ...unsignedBody, ...args];
      const url = `${world.endpoint}/${BUCKET}${target}`;
      return (await runCommand("curl", [...all, url], { env: world.env, cwd: folder })).stdout;
    };
    const status = ["-o", "/dev/null", "-w", "%{http_code}"];

    await check("a bucket is created and listed", async () => {
      assertEqual(await s3("", "-X", "PUT", ...status), "200", "the status");
      assertContains(await s3(""), "<ListBucketResult", "the listing");
    });
    for (const key of [...ODD_KEYS, ...DOTTED_KEYS]) {
      await check(`the key ${JSON.stringify(key)}: PUT, GET, DELETE`, async () => {
        const target = `/${encoded(key)}`;
        const put = ["-X", "PUT", "--data-binary", key];
        assertEqual(await s3(target, ...put, ...status), "200", "the status of PUT");
        assertEqual(await s3(target), key, "the content");
        assertEqual(await s3(target, "-X", "DELETE", ...status), "204", "the status of DELETE");
        assertEqual(await s3(target, ...status), "404", "the status after it");
      });
    }
    await check("60 MB: PUT, GET, ranges", async () => {
      const large = writeRandom(path.join(folder, "large.bin"), LARGE_BYTES);
      assertEqual(await s3("/large.bin", "-T", "large.bin", ...status), "200", "the status");
      await s3("/large.bin", "-o", "down.bin");
      assertEqual(sha256Of(path.join(folder, "down.bin")), sha256Of(large), "the hash");
      assertEqual(await s3("/large.bin", "-r", "1-5", ...status), "206", "a range's status");
    });
    await check("a signed upload of the program, written once", async () => {
      const { managerUrl = "", managerApiKey = "" } = world.outputs;
      writeFileSync(path.join(folder, "signed.txt"), "a signed upload");
      const asked = await runCommand(
        "curl",
        [
          ...["--silent", "--show-error", "-H", `x-api-key: ${managerApiKey}`],
          ...["-d", '{"size":15,"content_type":"text/plain"}', `${managerUrl}/uploads`],
        ],
        { env: world.env },
      );
      const { url, headers } = JSON.parse(asked.stdout) as {
        url: string;
        headers: Record<string, string>;
      };
      const sent = Object.entries(headers).flatMap(([name, value]) => ["-H", `${name}: ${value}`]);
      const put = ["--silent", "-T", "signed.txt", ...sent, ...status, url];
      const first = await runCommand("curl", put, { env: world.env, cwd: folder });
      assertEqual(first.stdout, "200", "the status");
      const second = await runCommand("curl", put, { env: world.env, cwd: folder });
      assertEqual(second.stdout, "412", "the status of the second one");
    });
    await check("headers that are no ASCII come back", async () => {
      writeFileSync(path.join(folder, "body"), "x");
      const disposition = 'attachment; filename="日ü.txt"';
      const put = ["-T", "body", "-H", `content-disposition: ${disposition}`];
      assertEqual(await s3("/described", ...put, ...status), "200", "the status of PUT");
      const headers = await s3("/described", "-D", "-", "-o", "/dev/null");
      assertContains(headers, "200 OK", "the answer");
      assertContains(headers.toLowerCase(), "content-disposition: attachment", "the header");
      const head = await s3("/described", "-I");
      assertContains(head, "200 OK", "the answer to HEAD");
    });
    await check("errors: a wrong secret, an unsigned request", async () => {
      const url = `${world.endpoint}/${BUCKET}/described`;
      const args = [...signed("s3", "wrong"), ...unsignedBody, url];
      const wrong = await runCommand("curl", args, { env: world.env });
      assertContains(wrong.stdout, "<Code>SignatureDoesNotMatch</Code>", "the answer");
      const unsigned = await runCommand("curl", ["--silent", url], { env: world.env });
      assertContains(unsigned.stdout, "<Code>AccessDenied</Code>", "the answer");
    });
    await check("DynamoDB and STS, by their own protocols", async () => {
      const json = ["-H", "content-type: application/x-amz-json-1.0"];
      const list = ["-H", "x-amz-target: DynamoDB_20120810.ListTables", "-d", "{}"];
      const tables = await runCommand(
        "curl",
        [...signed("dynamodb"), ...json, ...list, world.endpoint],
        { env: world.env },
      );
      assertContains(tables.stdout, world.outputs.tableName ?? "", "the tables");
      const body = "Action=GetCallerIdentity&Version=2011-06-15";
      const identity = await runCommand("curl", [...signed("sts"), "-d", body, world.endpoint], {
        env: world.env,
      });
      assertContains(identity.stdout, "<Account>000000000000</Account>", "the identity");
    });
    await check("the bucket is emptied and deleted", async () => {
      for (const key of ["/large.bin", "/described"]) {
        await s3(key, "-X", "DELETE");
      }
      assertEqual(await s3("", "-X", "DELETE", ...status), "204", "the status");
    });
  },
};
