import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { DynamoDBClient, ScanCommand } from "@aws-sdk/client-dynamodb";
import { GetObjectCommand, ListBucketsCommand, S3Client } from "@aws-sdk/client-s3";
import { expect } from "chai";
import PostalMime from "postal-mime";
import { PROGRAM_DIR } from "../../start/programDir";
import { eventually } from "../../testing/eventually";
import { type Line, type Runner, startNpm, startRunner } from "../../testing/startProcess";

const picture = readFileSync(path.join(PROGRAM_DIR, "sample.jpg"));

interface Ready extends Line {
  outputs: Record<string, string>;
  endpoint: string;
  accessKeyId: string;
  secretAccessKey: string;
  region: string;
  mail: string;
  inbox: string;
}

describe("npm start", function () {
  const runners: Runner[] = [];
  const folders: string[] = [];

  function start(args: string[], environment?: NodeJS.ProcessEnv): Runner {
    const runner = startRunner(args, undefined, environment);
    runners.push(runner);
    return runner;
  }

  async function ready(runner: Runner): Promise<Ready> {
    return (await runner.json(({ type }) => type === "ready")) as Ready;
  }

  function temporaryFolder(): string {
    const folder = mkdtempSync(path.join(tmpdir(), "s3-uploader-test-"));
    folders.push(folder);
    return folder;
  }

  afterEach(async () => {
    for (const runner of runners.splice(0)) {
      await runner.dispose();
    }
    for (const folder of folders.splice(0)) {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  async function upload({ outputs }: Ready, name: string): Promise<string> {
    const response = await fetch(`${outputs.uploadUrl ?? ""}?filename=${name}`, {
      method: "POST",
      headers: { "content-type": "image/jpeg", "x-api-key": outputs.uploadApiKey ?? "" },
      body: picture,
    });
    expect(response.status).to.equal(201);
    return ((await response.json()) as { event_id: string }).event_id;
  }

  function reached(runner: Runner, eventId: string, status: string): Promise<Line> {
    return runner.json(
      (line) => line.type === "status" && line.event_id === eventId && line.event_status === status,
    );
  }

  function clientSettings({ endpoint, region, accessKeyId, secretAccessKey }: Ready) {
    return { endpoint, region, credentials: { accessKeyId, secretAccessKey } };
  }

  /** The children of a process, by Linux's own list. */
  function childrenOf(pid: number): number[] {
    const list = `/proc/${pid}/task/${pid}/children`;
    return existsSync(list)
      ? readFileSync(list, "utf8").split(" ").filter(Boolean).map(Number)
      : [];
  }

  function descendantsOf(pid: number): number[] {
    return childrenOf(pid).flatMap((child) => [child, ...descendantsOf(child)]);
  }

  function isBundler(pid: number): boolean {
    const file = `/proc/${pid}/cmdline`;
    return existsSync(file) && readFileSync(file, "utf8").includes("esbuild");
  }

  /** A dead process stays in Linux's list until its parent has looked at it: as a zombie, Z. */
  function isAlive(pid: number): boolean {
    const stat = `/proc/${pid}/stat`;
    return existsSync(stat) && !readFileSync(stat, "utf8").includes(") Z ");
  }

  async function ended(pids: number[]): Promise<void> {
    while (pids.some(isAlive)) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  it("prints outputs, curl line, inbox and keys, then a line for each status and mail", async () => {
    const runner = start(["--port", "0", "--email", "me@example.com"]);
    const uploadLine = await runner.line((line) => line.includes("curl -X POST"));
    const url = /'(http:[^']+)'/.exec(uploadLine)?.[1] ?? "";

    const response = await fetch(url, {
      method: "POST",
      headers: { "content-type": "image/jpeg" },
      body: picture,
    });

    expect(response.status).to.equal(201);
    const mailLine = await runner.line((line) => line.includes("mail to"));
    expect(mailLine).to.match(/mail to me@example\.com: File processed: "sample\.jpg"$/);
    await runner.line((line) => /notified +sample\.jpg$/.test(line));
    const text = runner.lines.join("\n");
    for (const shown of [
      /uploadUrl +http:\/\/127\.0\.0\.1:\d+\//,
      /bucketName +uploads-/,
      /tableName +events-/,
      /topicArn +arn:aws:sns:/,
      /email +me@example\.com/,
      /deadLetterQueueUrl +http:/,
      /AWS_ENDPOINT_URL=http:\/\/127\.0\.0\.1:\d+/,
      /AWS_REGION=us-east-1 AWS_DEFAULT_REGION=us-east-1/,
      /AWS_ACCESS_KEY_ID=\w+/,
      /AWS CLI from 1\.29 or 2\.13 and boto3 from 1\.28/,
      /aws --endpoint-url http:\/\/127\.0\.0\.1:\d+ /,
      /http:\/\/127\.0\.0\.1:\d+\/_inbox/,
      /uploaded +sample\.jpg/,
      /processed +sample\.jpg/,
    ]) {
      expect(text).to.match(shown);
    }
  });

  it("ends on Ctrl-C, with all child processes, whatever is still open, and leaves no files", async () => {
    const runner = start(["--port", "0", "--json"]);
    const { mail, endpoint } = await ready(runner);
    const children = childrenOf(runner.process.pid ?? 0);
    // A request that never ends.
    const { hostname, port } = new URL(endpoint);
    const client = connect(Number(port), hostname).on("error", () => undefined);
    client.write(
      `PUT /bucket/key HTTP/1.1\r\nHost: localhost:${port}\r\nContent-Length: 1000\r\n\r\n`,
    );
    await once(client, "ready");

    runner.process.kill("SIGINT");

    expect(await runner.exited).to.equal(0);
    await ended(children);
    expect(existsSync(path.dirname(mail))).to.equal(false);
    client.destroy();
  });

  it("ends on Ctrl-C during uploads without a word about those that it cuts off", async () => {
    const runner = start(["--port", "0"]);
    const command = await runner.line((line) => line.includes("curl -X POST"));
    await runner.line((line) => line.startsWith("Ctrl-C ends"));
    const url = /http:[^']+/.exec(command)?.[0] ?? "";
    const send = () =>
      fetch(url, { method: "POST", body: picture }).then((answer) => answer.text());
    await send();
    const uploads = Promise.allSettled(Array.from({ length: 20 }, send));

    runner.process.kill("SIGINT");

    expect(await runner.exited).to.equal(0);
    await uploads;
    expect(runner.errors()).to.equal("");
    expect(runner.lines.filter((line) => /refused|error/i.test(line))).to.deep.equal([]);
  });

  it("shuts down cleanly when npm forwards a second Ctrl-C", async () => {
    const runner = startNpm(["--port", "0", "--json"]);
    runners.push(runner);
    const { mail } = await ready(runner);

    process.kill(-(runner.process.pid ?? 0), "SIGINT");

    // With 0, or by the signal, as the shell that npm has started.
    expect(await runner.exited).to.be.oneOf([0, null]);
    expect(runner.errors()).to.equal("");
    expect(existsSync(path.dirname(mail))).to.equal(false);
  });

  it("ends with npm, whose shell passes no signal on, and leaves no process", async () => {
    const runner = startNpm(["--port", "0", "--json"]);
    runners.push(runner);
    const { mail } = await ready(runner);
    const children = descendantsOf(runner.process.pid ?? 0);

    runner.process.kill("SIGTERM");

    await ended(children);
    expect(existsSync(path.dirname(mail))).to.equal(false);
  });

  it("removes its temporary files on Ctrl-C while it starts, without a word", async () => {
    const runner = start(["--port", "0"]);
    const isOfRun = (name: string) => name.startsWith("local-aws-");
    await eventually(() => readdirSync(runner.temporary).find(isOfRun));

    runner.process.kill("SIGINT");

    expect(await runner.exited).to.equal(0);
    expect(runner.errors()).to.equal("");
    expect(readdirSync(runner.temporary).filter(isOfRun)).to.deep.equal([]);
  });

  it("ends on Ctrl-C while it starts, without a word", async () => {
    const runner = startNpm(["--port", "0"], { cold: true });
    runners.push(runner);
    const npm = runner.process.pid ?? 0;
    // Ctrl-C reaches the bundler, too, whose end must not show as an error.
    const bundler = await eventually(() => descendantsOf(npm).find(isBundler));

    process.kill(-npm, "SIGINT");

    expect(await runner.exited).to.be.oneOf([0, null]);
    expect({ lines: runner.lines, errors: runner.errors() }).to.deep.equal({
      lines: [],
      errors: "",
    });
    await ended([bundler]);
  });

  it("leaves no child process behind when it is killed", async () => {
    const runner = start(["--port", "0", "--json"]);
    await ready(runner);
    const children = childrenOf(runner.process.pid ?? 0);

    runner.process.kill("SIGKILL");

    await ended(children);
  });

  it("keeps files, rows and mails in the folder of --data, and resumes with them, after a kill too", async () => {
    // Prepare: a first run is ended in order, a second one killed with an unfinished event.
    const data = path.join(temporaryFolder(), "new", "folder");
    const first = start(["--port", "0", "--json", "--data", data]);
    const before = await ready(first);
    const keptId = await upload(before, "kept.jpg");
    await reached(first, keptId, "notified");
    first.process.kill("SIGINT");
    await first.exited;
    const digests = ["--config", "digestSeconds=300"];
    const killed = start(["--port", "0", "--json", "--data", data, ...digests]);
    const interruptedId = await upload(await ready(killed), "interrupted.jpg");
    await reached(killed, interruptedId, "processed");
    killed.process.kill("SIGKILL");
    await killed.exited;

    // Act: a third run.
    const last = start(["--port", "0", "--json", "--data", data]);
    const after = await ready(last);
    const nextId = await upload(after, "next.jpg");
    await reached(last, nextId, "notified");
    await reached(last, interruptedId, "notified");

    // Assess: it has what the runs before it have stored, and finished what was left.
    expect(after.outputs.bucketName).to.equal(before.outputs.bucketName);
    const dynamo = new DynamoDBClient(clientSettings(after));
    const s3 = new S3Client(clientSettings(after));
    const { Items = [] } = await dynamo.send(
      new ScanCommand({ TableName: after.outputs.tableName }),
    );
    expect(Items.map((item) => [item.event_id?.S, item.event_status?.S])).to.have.deep.members(
      [keptId, interruptedId, nextId].map((id) => [id, "notified"]),
    );
    const kept = Items.find((item) => item.event_id?.S === keptId);
    const { Key } = JSON.parse(kept?.event_info?.S ?? "") as { Key: string };
    const object = await s3.send(new GetObjectCommand({ Bucket: after.outputs.bucketName, Key }));
    expect(Buffer.from((await object.Body?.transformToByteArray()) ?? []).equals(picture))
      .to //
      .equal(true);
    const mailDir = path.join(data, "mail");
    const mails = await Promise.all(
      readdirSync(mailDir).map((file) => PostalMime.parse(readFileSync(path.join(mailDir, file)))),
    );
    const texts = mails.map(({ subject = "", text = "" }) => `${subject}\n${text}`);
    for (const name of ["kept.jpg", "next.jpg", "interrupted.jpg"]) {
      expect(
        texts.filter((text) => text.includes(name)),
        name,
      ).to.have.lengthOf(1);
    }
    expect(texts.find((text) => text.includes("kept.jpg"))).to.contain(
      'File processed: "kept.jpg"',
    );
    dynamo.destroy();
    s3.destroy();
  });

  it("reports wrong usage in one line, with exit code 2", async () => {
    const { port, close } = await occupiedPort();
    const wrong: [string[], RegExp][] = [
      [["--colour"], /unknown option '--colour'/],
      [["extra"], /too many arguments/],
      [["--port", "http"], /port is a whole number/],
      [["--config", "digestSeconds"], /NAME=VALUE/],
      [
        ["--port", "0", "--config", "digestSecond=0"],
        /^There is no setting "digestSecond"; .* Give another with --config NAME=VALUE\.$/,
      ],
      [["--data", ""], /A folder has a name/],
      [["--port", String(port)], new RegExp(`^Port ${port} is in use`)],
      [
        ["--port", "0", "--data", path.join(PROGRAM_DIR, "package.json", "x")],
        /^The folder .*x can/,
      ],
      [["--port", "0", "--data", "/proc/x"], /^The folder \/proc\/x cannot be written to: /],
      [
        ["--port", "0", "--email", "nobody"],
        /^The setting "email" is "nobody"; allowed: .* with "--email ADDRESSES"\.$/,
      ],
      [
        ["--port", "0", "--config", "maxUploadBytes=abc"],
        /^The setting "maxUploadBytes" is "abc"; .* with "--config maxUploadBytes=VALUE"\.$/,
      ],
    ];

    for (const [args, message] of wrong) {
      const runner = start(args);
      expect(await runner.exited, args.join(" ")).to.equal(2);
      expect(runner.errors().trim()).to.match(message);
      expect(runner.errors().trim().split("\n")).to.have.lengthOf(1);
      expect(runner.lines).to.deep.equal([]);
    }
    await close();
  });

  it("explains its options with --help", async () => {
    const runner = start(["--help"]);

    expect(await runner.exited).to.equal(0);
    for (const option of [
      "--port",
      "--data",
      "--email",
      "--confirm",
      "--config",
      "--json",
      "--help",
    ]) {
      expect(runner.lines.join("\n")).to.contain(option);
    }
  });

  describe("of one run", () => {
    let printed: Ready;
    let runner: Runner;
    let data: string;
    let dataParent: string;

    before(async () => {
      dataParent = mkdtempSync(path.join(tmpdir(), "s3-uploader-test-"));
      data = path.join(dataParent, "data");
      const settings = ["--data", data, "--config", "requireApiKey=true"];
      runner = startRunner(["--port", "0", "--json", ...settings]);
      printed = await ready(runner);
    });

    after(async () => {
      await runner.dispose();
      rmSync(dataParent, { recursive: true, force: true });
    });

    it("serves other AWS clients with the keys that it prints, and refuses other keys", async () => {
      const s3 = new S3Client(clientSettings(printed));
      const stranger = new S3Client({
        ...clientSettings(printed),
        credentials: { accessKeyId: "AKIAOTHER", secretAccessKey: "other" },
      });

      const { Buckets } = await s3.send(new ListBucketsCommand({}));

      expect(Buckets?.map(({ Name }) => Name)).to.deep.equal([printed.outputs.bucketName]);
      const refusal = await stranger
        .send(new ListBucketsCommand({}))
        .catch((error: unknown) => error);
      expect(refusal).to.have.property("name", "InvalidAccessKeyId");
      s3.destroy();
      stranger.destroy();
    });

    it("shows the mails on its inbox page", async () => {
      await upload(printed, "shown.jpg");
      await runner.json(({ type }) => type === "mail");

      const page = await (await fetch(printed.inbox)).text();

      expect(page).to.contain("File processed: &quot;shown.jpg&quot;");
    });

    it("prints an upload command with the key, where the API requires one", () => {
      const { uploadCommand, uploadApiKey = "" } = printed.outputs;

      expect(uploadCommand).to.contain(`x-api-key: ${uploadApiKey}"`);
    });

    it("tells how to give an option that npm took for its own", async () => {
      const taken: [npm: Record<string, string>, args: string[], form: string][] = [
        [{ npm_config_port: "4611" }, [], "npm start -- --port 4611"],
        [{ npm_config_port: "true" }, ["4611"], "npm start -- --port 4611"],
        [{ npm_config_data: "true" }, [], "npm start -- --data <dir>"],
      ];
      for (const [npm, args, form] of taken) {
        const runner = start(args, { npm_lifecycle_event: "start", ...npm });

        expect(await runner.exited, form).to.equal(2);
        expect(runner.errors()).to.equal(
          `error: npm took the option --${form.split(" ")[3]?.slice(2) ?? ""} for its own. ` +
            `Write two dashes before the options: ${form}\n`,
        );
      }
    });

    it("refuses a data folder that another run uses, with exit code 2", async () => {
      const second = start(["--port", "0", "--data", data]);

      expect(await second.exited).to.equal(2);
      expect(second.errors()).to.match(/^The folder .* most likely another run uses it\./);
    });
  });

  async function occupiedPort() {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    return {
      port,
      close: () => new Promise((resolve) => server.close(resolve)),
    };
  }
});
