import { writeFileSync } from "node:fs";
import * as path from "node:path";
import { findCommand, runCommand } from "../command";
import { assertSameFiles, LARGE_BYTES, sha256Of, writeRandom, writeTree } from "../files";
import { assert, assertContains, assertEqual, type Suite } from "../suite";

const BUCKET = "clients-rclone";

export const rclone: Suite = {
  name: "rclone",
  missing: () => (findCommand("rclone") ? undefined : "rclone is not installed"),
  async run({ world, folder, check }) {
    const env = {
      ...world.env,
      RCLONE_CONFIG: "/notfound",
      RCLONE_CONFIG_LOCAL_TYPE: "s3",
      RCLONE_CONFIG_LOCAL_PROVIDER: "Other",
      RCLONE_CONFIG_LOCAL_ENV_AUTH: "true",
      RCLONE_CONFIG_LOCAL_ENDPOINT: world.endpoint,
      RCLONE_CONFIG_LOCAL_REGION: world.region,
      // A failed request is a failed check: the second try would hide it.
      RCLONE_RETRIES: "1",
      RCLONE_LOW_LEVEL_RETRIES: "1",
    };
    const remote = `local:${BUCKET}`;
    const run = async (...args: string[]) =>
      (await runCommand("rclone", args, { env, cwd: folder })).stdout;
    const fails = async (...args: string[]) =>
      (await runCommand("rclone", args, { env, cwd: folder, fails: true })).stderr;

    await check("mkdir, lsd", async () => {
      await run("mkdir", remote);
      assertContains(await run("lsd", "local:"), BUCKET, "the buckets");
    });
    await check("sync of 200 files both ways, check: no difference", async () => {
      const tree = writeTree(path.join(folder, "tree"));
      await run("sync", tree, `${remote}/tree`);
      await run("check", tree, `${remote}/tree`);
      await run("check", "--download", tree, `${remote}/tree`);
      const again = await runCommand("rclone", ["sync", "-v", tree, `${remote}/tree`], { env });
      assertContains(again.stderr, "There was nothing to transfer", "the second sync");
      const down = path.join(folder, "down");
      await run("sync", `${remote}/tree`, down);
      assertSameFiles(down, tree);
      await run("sync", `${remote}/tree`, `${remote}/copy`);
      await run("check", `${remote}/tree`, `${remote}/copy`);
      assertContains(await run("size", remote), "Total objects: 400", "the size");
    });
    await check("a difference is found", async () => {
      writeFileSync(path.join(folder, "tree", "folder 0", "besides.txt"), "x");
      assertContains(
        await fails("check", path.join(folder, "tree"), `${remote}/tree`),
        "1 differences found",
        "the report",
      );
      await run("sync", path.join(folder, "tree"), `${remote}/tree`);
      await run("check", path.join(folder, "tree"), `${remote}/tree`);
    });
    await check("purge and delete", async () => {
      await run("purge", `${remote}/copy`);
      await run("delete", `${remote}/tree`);
      assertEqual(await run("lsf", "-R", "--files-only", remote), "", "what is left");
    });
    await check("60 MB in parts: up, between keys, down, cat of a range", async () => {
      const large = writeRandom(path.join(folder, "large.bin"), LARGE_BYTES);
      const parts = ["--s3-upload-cutoff", "8M", "--s3-chunk-size", "8M", "--s3-copy-cutoff", "8M"];
      await run("copyto", ...parts, large, `${remote}/large.bin`);
      await run("copyto", ...parts, `${remote}/large.bin`, `${remote}/large copy.bin`);
      await run("moveto", ...parts, `${remote}/large copy.bin`, `${remote}/large moved.bin`);
      const down = path.join(folder, "large down.bin");
      await run("copyto", "--multi-thread-streams", "4", `${remote}/large moved.bin`, down);
      assertEqual(sha256Of(down), sha256Of(large), "the hash");
      assertEqual(
        (await run("cat", "--offset", "10", "--count", "5", `${remote}/large.bin`)).length > 0,
        true,
        "the range",
      );
    });
    await check("rcat, of a length that is not known before", async () => {
      const args = ["rcat", `${remote}/it's a pipe & more.txt`];
      await runCommand("rclone", args, { env, input: "from a pipe" });
      assertEqual(
        await run("cat", `${remote}/it's a pipe & more.txt`),
        "from a pipe",
        "the content",
      );
    });
    await check("touch, lsjson with metadata, link", async () => {
      await run("touch", "--timestamp", "2020-01-02T03:04:05", `${remote}/large.bin`);
      const [file] = JSON.parse(await run("lsjson", `${remote}/large.bin`)) as {
        ModTime: string;
      }[];
      assertContains(file?.ModTime ?? "", "2020-01-02T03:04:05", "the time");
      const url = (await run("link", `${remote}/it's a pipe & more.txt`)).trim();
      assertEqual(await (await fetch(url)).text(), "from a pipe", "the content of the link");
    });
    await check("cleanup, of unfinished uploads", async () => {
      await run("backend", "list-multipart-uploads", remote);
      await run("backend", "cleanup", "-o", "max-age=1s", remote);
      await run("cleanup", remote);
    });
    await check("errors: a wrong secret", async () => {
      const { stderr } = await runCommand("rclone", ["lsd", "local:"], {
        env: { ...env, AWS_SECRET_ACCESS_KEY: "wrong" },
        fails: true,
      });
      assertContains(stderr, "SignatureDoesNotMatch", "the error");
    });
    await check("purge of the bucket", async () => {
      await run("purge", remote);
      assert(!(await run("lsd", "local:")).includes(BUCKET), "The bucket is still there.");
    });
  },
};
