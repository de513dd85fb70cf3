import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { expect } from "chai";
import { eventually } from "../../testing/eventually";
import { apiError, type FakeManager, someEvent, startFakeManager } from "./fakeManager";
import { runEvents, spawnEvents } from "./runEvents";

describe("npm run events", function () {
  let fake: FakeManager;
  let folder: string;
  let connection: string[];

  beforeEach(async () => {
    fake = await startFakeManager();
    folder = mkdtempSync(path.join(tmpdir(), "events-test-"));
    connection = ["--url", `${fake.url}/`, "--key", fake.key];
  });
  afterEach(async () => {
    await fake.close();
    rmSync(folder, { recursive: true });
  });

  function file(name: string, content = name): string {
    const made = path.join(folder, name);
    writeFileSync(made, content);
    return made;
  }

  it("finds the local run's manager by its port, or another one by URL and key", async () => {
    fake.events = [someEvent("one")];
    const environment = { EVENTS_URL: fake.url, EVENTS_KEY: fake.key };

    const [byPort, byOptions, byEnvironment] = await Promise.all([
      runEvents(["list", "--port", String(fake.port)]),
      runEvents([...connection, "list"]),
      runEvents(["list"], environment),
    ]);

    expect(byPort).to.have.property("code", 0);
    expect(byPort.lines).to.have.lengthOf(2);
    expect(byPort.lines[0]).to.match(/^time \(UTC\) +status +id +size +type +file name +error$/);
    expect(byPort.lines[1]).to.match(
      /^2026-11-21 21:23:54 +notified +one +78\.0 kB +image\/jpeg +one\.jpg$/,
    );
    expect(byOptions).to.deep.equal(byPort);
    expect(byEnvironment).to.deep.equal(byPort);
  });

  it("tells how to give an option that npm took for its own", async () => {
    const { code, lines, errors } = await runEvents(["list", "failed"], {
      npm_lifecycle_event: "events",
      npm_config_status: "true",
    });

    expect([code, lines]).to.deep.equal([2, []]);
    expect(errors).to.deep.equal([
      "error: npm took the option --status for its own. Write two dashes before the command: " +
        "npm run events -- list --status <status>",
    ]);
  });

  it("tells the same of an option of a command in a group", async () => {
    const { code, errors } = await runEvents(["link", "create", "7d"], {
      npm_lifecycle_event: "events",
      npm_config_expires_in: "true",
    });

    expect([code, errors.length]).to.deep.equal([2, 1]);
    expect(errors[0]).to.match(/npm run events -- link create --expires-in <time>$/);
  });

  it("explains in one line how to connect when nothing answers", async () => {
    await fake.close();

    const { code, errors } = await runEvents(["stats", "--port", String(fake.port)]);

    expect([code, errors.length]).to.deep.equal([1, 1]);
    expect(errors[0]).to.match(/npm start.*--url.*--key/);
    fake = await startFakeManager();
  });

  it("refuses wrong usage with exit code 2, before any request", async () => {
    const wrong: [string[], RegExp][] = [
      [["--url", fake.url, "list"], /needs the manager's --key/],
      [[...connection, "--port", "1", "list"], /cannot be used with/],
      [[...connection, "list", "--status", "lost"], /Allowed choices are/],
      [[...connection, "retry"], /either an event's id or --all-failed/],
      [[...connection, "retry", "one", "--dry-run"], /go with --all-failed/],
      [[...connection, "upload", "x", "--concurrency", "0"], /whole number/],
      [[...connection, "upload", "x", "--type", "a\r\nb"], /media type/],
      [[...connection, "upload", "x", "--metadata", "a"], /customer=4711/],
      [[...connection, "link", "create"], /--expires-in/],
      [[...connection, "colour"], /unknown command/],
      [[...connection, "show", ""], /no event's id/],
      [[...connection, "delete", "."], /no event's id/],
      [[...connection, "retry", ".."], /no event's id/],
      [[...connection, "--key", "ключ", "list"], /printable ASCII/],
      [[...connection, "--upload-key", "", "stats"], /printable ASCII/],
    ];

    const ended = await Promise.all(wrong.map(([args]) => runEvents(args)));

    for (const [index, { code, lines, errors }] of ended.entries()) {
      const [args, message] = wrong[index] ?? [[], /^$/];
      expect(code, args.join(" ")).to.equal(2);
      expect(errors.join("\n")).to.match(message);
      expect(lines).to.deep.equal([]);
    }
    expect(fake.seen).to.deep.equal([]);
  });

  it("reports the API's errors in one line, or as JSON", async () => {
    fake.faults = { "GET /stats": [apiError(403, "forbidden"), apiError(403, "forbidden")] };

    const text = await runEvents([...connection, "stats"]);
    const json = await runEvents([...connection, "stats", "--json"]);

    expect(text).to.deep.equal({
      code: 1,
      lines: [],
      errors: ["error: It is forbidden. (forbidden)"],
    });
    expect([json.code, json.lines, json.errors.map((line) => JSON.parse(line) as unknown)]) //
      .to.deep.equal([1, [], [{ error: { code: "forbidden", message: "It is forbidden." } }]]);
  });

  it("ends with exit code 2 when the API refuses an option's value", async () => {
    fake.faults = { "GET /events": [apiError(400, "invalid_from")] };

    const { code, errors } = await runEvents([...connection, "list", "--from", "yesterday"]);

    expect([code, errors]).to.deep.equal([2, ["error: It is invalid_from. (invalid_from)"]]);
  });

  it("uploads files with a line for each, and exit code 1 if one failed", async () => {
    const missing = path.join(folder, "missing.txt");
    const small = file("small.txt");
    const large = file("large.bin", "x".repeat(5000));

    const text = await runEvents([
      ...connection,
      "upload",
      small,
      large,
      missing,
      "--concurrency",
      "1",
    ]);
    const json = await runEvents([...connection, "--json", "upload", small]);

    expect([text.code, text.errors]).to.deep.equal([1, []]);
    expect(text.lines).to.have.lengthOf(3);
    expect(text.lines[0]).to.match(/^done .*small\.txt +id-events-\w+ +sent directly$/);
    expect(text.lines[1]).to.match(/^done .*large\.bin +id-events-\w+ +sent to S3$/);
    expect(text.lines[2]).to.match(/^failed .*missing\.txt +There is no such file\. \(file_not_f/);
    expect(json.code).to.equal(0);
    const result = JSON.parse(json.lines.join()) as Record<string, unknown>;
    expect(result).to.include({ file: small, ok: true, via: "direct", bytes: 9 });
    expect(result.key).to.equal(`uploads/${String(result.event_id)}`);
  });

  it("resolves files against the folder in which npm was called", async () => {
    file("called.txt");

    const { code, errors } = await runEvents([...connection, "upload", "called.txt"], {
      npm_lifecycle_event: "events",
      INIT_CWD: folder,
    });

    expect([code, errors]).to.deep.equal([0, []]);
  });

  it("ends at once on Ctrl-C, with exit code 130 and without a stack trace", async () => {
    fake.faults = { "GET /stats": [{ status: 503, headers: { "retry-after": "100" } }] };
    const child = spawnEvents([...connection, "stats"]);
    let errors = "";
    child.stderr.on("data", (chunk: Buffer) => (errors += chunk.toString()));
    const closed = once(child, "close");
    await eventually(() => fake.seen.length > 0 || undefined);

    child.kill("SIGINT");

    expect(await closed).to.deep.equal([130, null]);
    expect(errors).to.equal("");
  });

  it("ends quietly when its reader closes the pipe", async () => {
    fake.events = Array.from({ length: 5000 }, (_, n) => someEvent(`event-${n}`));
    const child = spawnEvents([...connection, "list", "--all"]);
    let errors = "";
    child.stderr.on("data", (chunk: Buffer) => (errors += chunk.toString()));
    const closed = once(child, "close");

    await once(child.stdout, "data");
    child.stdout.destroy();

    expect(await closed).to.deep.equal([0, null]);
    expect(errors).to.equal("");
    expect(fake.seen.length).to.be.lessThan(10);
  });
});
