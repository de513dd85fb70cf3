import { mkdirSync, writeFileSync } from "node:fs";
import * as path from "node:path";
import { findCommand, runCommand } from "../command";
import {
  assertSameFiles,
  LARGE_BYTES,
  ODD_NAMES,
  sha256Of,
  writeRandom,
  writeTree,
} from "../files";
import { assertContains, assertEqual, type Suite } from "../suite";

const BUCKET = "clients-s3cmd";

export const s3cmd: Suite = {
  name: "s3cmd",
  missing: () => (findCommand("s3cmd") ? undefined : "s3cmd is not installed"),
  async run({ world, folder, check }) {
    const settings = path.join(folder, "s3cfg");
    const write = (secret: string) => {
      const lines = {
        access_key: world.accessKeyId,
        secret_key: secret,
        bucket_location: world.region,
        host_base: world.host,
        // Path-style addresses.
        host_bucket: world.host,
        use_https: "False",
        signature_v2: "False",
        multipart_chunk_size_mb: "15",
        max_retries: "1",
        encoding: "UTF-8",
      };
      const text = Object.entries(lines).map(([name, value]) => `${name} = ${value}\n`);
      writeFileSync(settings, ["[default]\n", ...text].join(""));
    };
    write(world.secretAccessKey);
    const command = (args: string[], fails = false) =>
      runCommand("s3cmd", ["-c", settings, "--no-progress", ...args], {
        env: world.env,
        cwd: folder,
        fails,
      });
    const run = async (...args: string[]) => (await command(args)).stdout;
    const bucket = `s3://${BUCKET}`;

    await check("mb, ls, info of the bucket", async () => {
      await run("mb", bucket);
      assertContains(await run("ls"), bucket, "the buckets");
      assertContains(await run("info", bucket), world.region, "the location");
    });
    await check("put, info, cp, mv, get, del of odd names", async () => {
      mkdirSync(path.join(folder, "odd"));
      for (const name of ODD_NAMES) {
        writeFileSync(path.join(folder, "odd", name), name);
        await run("put", path.join(folder, "odd", name), `${bucket}/odd/${name}`);
      }
      const name = "it's & 100% ü+.txt";
      await run("cp", `${bucket}/odd/${ODD_NAMES[7] ?? ""}`, `${bucket}/${name}`);
      assertContains(await run("info", `${bucket}/${name}`), "MD5 sum", "the object");
      await run("mv", `${bucket}/${name}`, `${bucket}/moved ${name}`);
      await run("get", `${bucket}/moved ${name}`, path.join(folder, "got"));
      await run("del", `${bucket}/moved ${name}`);
      mkdirSync(path.join(folder, "odd down"));
      await run("get", "--recursive", `${bucket}/odd/`, path.join(folder, "odd down/"));
      assertSameFiles(path.join(folder, "odd down"), path.join(folder, "odd"));
    });
    await check("sync of 200 files both ways: no difference", async () => {
      const tree = writeTree(path.join(folder, "tree"), ODD_NAMES);
      await run("sync", `${tree}/`, `${bucket}/tree/`);
      assertEqual(await run("sync", `${tree}/`, `${bucket}/tree/`), "", "the second sync");
      const down = path.join(folder, "down");
      mkdirSync(down);
      await run("sync", `${bucket}/tree/`, `${down}/`);
      assertSameFiles(down, tree);
      assertContains(await run("du", `${bucket}/tree/`), "200 objects", "the size");
    });
    await check("60 MB in parts: put, get, multipart, listmp, abortmp", async () => {
      const large = writeRandom(path.join(folder, "large.bin"), LARGE_BYTES);
      await run("put", large, `${bucket}/large.bin`);
      await run("cp", `${bucket}/large.bin`, `${bucket}/large copy.bin`);
      await run("get", `${bucket}/large copy.bin`, path.join(folder, "large down.bin"));
      assertEqual(sha256Of(path.join(folder, "large down.bin")), sha256Of(large), "the hash");
      await run("multipart", bucket);
    });
    await check("put with metadata, modify", async () => {
      await run("put", "got", `${bucket}/described`, "--add-header=x-amz-meta-color:blue");
      assertContains(await run("info", `${bucket}/described`), "blue", "the metadata");
      await run("modify", "--add-header=content-type:text/x-odd", `${bucket}/described`);
      assertContains(await run("info", `${bucket}/described`), "text/x-odd", "the type");
    });
    await check("signurl", async () => {
      const url = (await run("signurl", `${bucket}/described`, "+60")).trim();
      // s3cmd signs URLs by SigV2 only.
      const answer = await fetch(url);
      assertEqual(answer.status, 400, "the status");
      assertContains(await answer.text(), "AWS4-HMAC-SHA256", "the answer");
    });
    await check("errors: NoSuchKey, a wrong secret", async () => {
      assertContains(
        (await command(["get", `${bucket}/lacking`, "-"], true)).stderr,
        "does not exist",
        "the error",
      );
      write("wrong");
      assertContains((await command(["ls"], true)).stderr, "SignatureDoesNotMatch", "the error");
      write(world.secretAccessKey);
    });
    await check("rb with all objects", async () => {
      await run("rb", "--recursive", "--force", bucket);
    });
  },
};
