import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { expect } from "chai";
import { eventually } from "../../testing/eventually";
import { type Runner, startRunner } from "../../testing/startProcess";
import { UNTHROTTLED } from "../../testing/unthrottled";
import {
  type Answer,
  ask,
  type Begun,
  type LinkClient,
  linkClient,
  type NamedPart,
} from "./linkClient";

const MAX_FILES = 50;

/** Each API's own: enough for 50 files, and soon used up. */
const THROTTLED = { requestsPerSecond: "1", burst: "150" };

/** Not faster than THROTTLED lets pass. */
const POLL_MS = 1000;

interface Link {
  link_id: string;
  url: string;
  status: string;
  files: { taken: number; stored: number };
}

interface Run {
  runner: Runner;
  outputs: Record<string, string>;
}

/** How often each status and code was answered, such as `201` or `409 link_used_up`. */
function countsOf(answers: Answer<unknown>[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { status, code } of answers) {
    const name = code === undefined ? String(status) : `${status} ${code}`;
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

describe("an upload link that everybody uses at once", () => {
  const data = mkdtempSync(path.join(tmpdir(), "s3-uploader-links-"));
  let run: Run;

  async function start(settings: Record<string, string>): Promise<Run> {
    const config = Object.entries(settings).flatMap(([name, value]) => [
      "--config",
      `${name}=${value}`,
    ]);
    const runner = startRunner(["--port", "0", "--json", "--data", data, ...config]);
    const { outputs } = await runner.json(({ type }) => type === "ready");
    return { runner, outputs: outputs as Record<string, string> };
  }

  before(async () => {
    run = await start(UNTHROTTLED);
  });

  after(async () => {
    await run.runner.dispose();
    rmSync(data, { recursive: true, force: true });
  });

  async function manager<Body>(route: string, body?: object): Promise<Body> {
    const [method = "", where = ""] = route.split(" ");
    const { managerUrl = "", managerApiKey = "" } = run.outputs;
    const headers = { "x-api-key": managerApiKey };
    const answer = await ask<Body>(managerUrl + where, method, body, headers);
    expect(answer.status, answer.message).to.be.within(200, 201);
    return answer.body;
  }

  /** The link's client at the present run: its address changes with the run. */
  function clientOf({ url }: Link): LinkClient {
    return linkClient(`${run.outputs.linkUrl ?? ""}${url.slice(url.lastIndexOf("/"))}`);
  }

  async function beginMany(link: Link, count: number, from = 0) {
    const client = clientOf(link);
    const numbers = Array.from({ length: count }, (_, index) => from + index);
    return Promise.all(numbers.map((number) => client.begin(`file ${number}.txt`)));
  }

  function admitted(answers: Answer<Begun>[]): Begun[] {
    return answers.flatMap(({ status, body }) => (status === 201 ? [body] : []));
  }

  it("stores as many as it may, and counts them exactly, also over a kill", async () => {
    const link = await manager<Link>("POST /links", { expires_in: 3600, max_files: MAX_FILES });
    const filesOf = async () => (await manager<Link>(`GET /links/${link.link_id}`)).files;

    const first = await beginMany(link, 4 * MAX_FILES);
    expect(countsOf(first)).to.deep.equal({ "201": 50, "409 link_used_up": 150 });
    expect(await filesOf()).to.deep.equal({ taken: 50, stored: 0 });

    const uploads = admitted(first);
    const aborted = await Promise.all(
      uploads.slice(0, 30).map((upload) => clientOf(link).abort(upload)),
    );
    expect(aborted.every(({ status }) => status < 300)).to.equal(true);
    const second = await beginMany(link, 40, 1000);
    expect(countsOf(second)).to.deep.equal({ "201": 30, "409 link_used_up": 10 });

    const kept = [...uploads.slice(30), ...admitted(second)];
    const sent = await Promise.all(
      kept.map(async (upload) => ({
        upload,
        parts: [await clientOf(link).send(upload, 1, Buffer.from(upload.key))],
      })),
    );
    await killWhileCompleting(link, sent);
    run = await start(THROTTLED);
    // Whoever got no answer asks again.
    const completed = await Promise.all(
      sent.map(({ upload, parts }) => clientOf(link).complete(upload, parts)),
    );
    expect(countsOf(completed)).to.deep.equal({ "200": 50 });
    const files = await eventually(async () => {
      const counted = await filesOf();
      return counted.stored >= MAX_FILES ? counted : undefined;
    }, POLL_MS);
    expect(files).to.deep.equal({ taken: 50, stored: 50 });

    const { events } = await manager<{ events: { event_info: { Key: string } }[] }>(
      `GET /events?link_id=${link.link_id}&limit=500`,
    );
    expect(events.map(({ event_info }) => event_info.Key)).to.have.members(
      kept.map(({ key }) => key),
    );
    expect(await manager<Link>(`GET /links/${link.link_id}`)).to.include({ status: "used_up" });
    expect(countsOf(await beginMany(link, 1, 2000))).to.deep.equal({ "409 link_used_up": 1 });
  });

  it("flooded, locks out neither operators nor the upload API", async () => {
    const flood = () => ask(`${run.outputs.linkUrl ?? ""}/no-ticket`);
    let refusal: Answer | undefined;
    for (let rounds = 0; refusal === undefined && rounds < 10; rounds += 1) {
      const answers = await Promise.all(Array.from({ length: 50 }, flood));
      refusal = answers.find(({ status }) => status === 429);
    }
    expect(refusal?.code).to.equal("too_many_requests");
    expect(refusal?.headers.get("retry-after")).to.equal("1");

    await manager("GET /links");
    const upload = await ask(run.outputs.uploadUrl ?? "", "POST", { any: "text" });
    expect(upload.status).to.equal(201);
  });

  /** Kills the run once some of the uploads are complete, while others are on their way. */
  async function killWhileCompleting(
    link: Link,
    sent: { upload: Begun; parts: NamedPart[] }[],
  ): Promise<void> {
    const client = clientOf(link);
    let done = 0;
    await Promise.all(
      sent.map(async ({ upload, parts }) => {
        const answer = await client.complete(upload, parts).catch(() => undefined);
        done += answer?.status === 200 ? 1 : 0;
        if (done === 10) {
          run.runner.process.kill("SIGKILL");
        }
      }),
    );
    await run.runner.dispose();
  }
});
