import * as path from "node:path";
import { Command, InvalidArgumentError, Option } from "commander";
import { EVENT_STATUSES } from "../events/event";
import {
  type Context,
  deleteEvent,
  listEvents,
  type ListOptions,
  retryEvents,
  type RetryOptions,
  showEvent,
  showStats,
  wrongRetry,
} from "./commands";
import { connect, type Connection, type ConnectionOptions } from "./connection";
import { DEFAULT_PORT } from "./defaultPort";
import { Failure, UsageError } from "./errors";
import { createManager } from "./manager";
import { plainText } from "./plainText";
import { barProgress, noProgress, type Progress } from "./progress";
import { sleep } from "./retries";
import { uploadFiles } from "./uploadFiles";
import { uploadRoutesOf } from "./uploadRoutes";

interface GlobalOptions extends ConnectionOptions {
  json?: boolean;
}

interface UploadOptions {
  type?: string;
  concurrency: number;
  new?: boolean;
  wait?: boolean;
}

const EXIT_WRONG_USE = 2;
const EXIT_INTERRUPTED = 130;

function parsePort(text: string): number {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port < 1 || port > 65535) {
    throw new InvalidArgumentError("A port is a whole number from 1 to 65535.");
  }
  return port;
}

function parseCount(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) {
    throw new InvalidArgumentError("It is a whole number from 1 on.");
  }
  return Number(text);
}

function parseConcurrency(text: string): number {
  if (!/^[1-9]\d?$/.test(text)) {
    throw new InvalidArgumentError("It is a whole number from 1 to 99.");
  }
  return Number(text);
}

/** Becomes a part of the URL's path, where nothing, `.` and `..` would make it another path. */
function parseEventId(text: string): string {
  if (/^\.{0,2}$/.test(text)) {
    throw new InvalidArgumentError("It is no event's id: list shows them.");
  }
  return text;
}

/** Becomes a header. */
function parseKey(text: string): string {
  if (!/^[\x21-\x7e]+$/.test(text)) {
    throw new InvalidArgumentError("An API key is printable ASCII without spaces, and not empty.");
  }
  return text;
}

/** Also becomes a header, which takes no line breaks. */
function parseMediaType(text: string): string {
  if (!/^[\w!#$&^.+-]+\/[\w!#$&^.+-]+[\t\x20-\x7e]*$/.test(text)) {
    throw new InvalidArgumentError("A media type is written like image/jpeg.");
  }
  return text;
}

function writeLine(line: string): void {
  process.stdout.write(`${line}\n`);
}

function report(error: unknown, json: boolean): void {
  const isUsage = error instanceof UsageError;
  // The API's 400 is about what the command line gave, such as a time.
  const isWrong = isUsage || (error instanceof Failure && error.status === 400);
  process.exitCode = isWrong ? EXIT_WRONG_USE : 1;
  if (!isUsage && !(error instanceof Failure)) {
    process.stderr.write(`${String((error as Error).stack)}\n`);
    return;
  }
  const { message } = error;
  const code = isUsage ? "wrong_usage" : error.code;
  const text = isUsage ? `error: ${message}` : `error: ${plainText(message)} (${plainText(code)})`;
  process.stderr.write(`${json ? JSON.stringify({ error: { code, message } }) : text}\n`);
}

/** Runs a command; what it throws becomes one line and an exit code. */
async function run(
  { json = false, ...options }: GlobalOptions,
  work: (context: Context, connection: Connection) => Promise<void>,
): Promise<void> {
  try {
    const connection = await connect(options);
    const manager = createManager(connection, sleep);
    await work({ manager, json, write: writeLine }, connection);
  } catch (error) {
    report(error, json);
  }
}

function progressFor(): Progress {
  if (!process.stderr.isTTY) {
    return noProgress(writeLine);
  }
  return barProgress(process.stdout.isTTY ? undefined : writeLine);
}

/** npm runs scripts in the package's folder, and says where it was called itself. */
function whereCalled(file: string): string {
  const { INIT_CWD: calledIn, npm_lifecycle_event: script } = process.env;
  return script === "events" && calledIn !== undefined && calledIn !== process.cwd()
    ? path.resolve(calledIn, file)
    : file;
}

async function upload(
  { manager, json }: Context,
  { uploadKey }: Connection,
  files: string[],
  options: UploadOptions,
): Promise<void> {
  const routes = uploadRoutesOf(await manager.description());
  const { type, new: asNew = false, wait = false, concurrency } = options;
  const uploader = { manager, routes, uploadKey, type, asNew, wait, sleep };
  const outcome = { concurrency, json, progress: progressFor() };
  if (!(await uploadFiles(uploader, files.map(whereCalled), outcome))) {
    process.exitCode = 1;
  }
}

function commandLine(): Command {
  const program = new Command("npm run events --")
    .description("Lists, shows, retries and deletes events, and uploads files.")
    .addOption(new Option("--url <url>", "the manager's URL").env("EVENTS_URL"))
    .addOption(
      new Option("--key <key>", "the manager's API key").env("EVENTS_KEY").argParser(parseKey),
    )
    .addOption(
      new Option("--upload-key <key>", "the upload API's key, if it wants one")
        .env("EVENTS_UPLOAD_KEY")
        .argParser(parseKey),
    )
    .addOption(
      new Option("--port <number>", `the local run's port (default: ${DEFAULT_PORT})`)
        .argParser(parsePort)
        .conflicts("url"),
    )
    .option("--json", "print JSON, for programs")
    .helpOption("--help", "show this help")
    .exitOverride((error) => {
      process.exit(error.exitCode === 0 ? 0 : EXIT_WRONG_USE);
    });
  const globals = () => program.opts<GlobalOptions>();

  program
    .command("list")
    .description("list events, the newest first")
    .addOption(new Option("--status <status>", "only with this status").choices(EVENT_STATUSES))
    .option("--from <date>", "from this time on, such as 2026-11-21 or 2026-11-21T08:00:00Z")
    .option("--to <date>", "before this time")
    .addOption(new Option("--order <order>", "by time").choices(["asc", "desc"]))
    .option("--limit <number>", "how many (default: 20, with --json 100)", parseCount)
    .addOption(new Option("--all", "all of them").conflicts("limit"))
    .action((options: ListOptions) => run(globals(), (context) => listEvents(context, options)));
  program
    .command("show")
    .description("show all of one event, with a link to its file")
    .argument("<id>", "", parseEventId)
    .action((id: string) => run(globals(), (context) => showEvent(context, id)));
  program
    .command("retry")
    .description("let failed events go on from where they failed")
    .argument("[id]", "", parseEventId)
    .option("--all-failed", "all that are failed, instead of one")
    .option("--from <date>", "with --all-failed: from this time on")
    .option("--to <date>", "with --all-failed: before this time")
    .option("--dry-run", "with --all-failed: only say how many")
    .action((id: string | undefined, options: RetryOptions, command: Command) => {
      const wrong = wrongRetry(id, options);
      return wrong === undefined
        ? run(globals(), (context) => retryEvents(context, id, options))
        : command.error(`error: ${wrong}`);
    });
  program
    .command("delete")
    .description("delete a finished event and its file, without asking")
    .argument("<id>", "", parseEventId)
    .action((id: string) => run(globals(), (context) => deleteEvent(context, id)));
  program
    .command("stats")
    .description("count the events in each status")
    .action(() => run(globals(), showStats));
  program
    .command("upload")
    .description("send files: small ones to the upload API, others with S3's form")
    .argument("<file...>")
    .option("--type <media-type>", "of all files (default: by their extensions)", parseMediaType)
    .option("--concurrency <number>", "files under way at one time", parseConcurrency, 3)
    .option("--new", "send again what was sent within a day")
    .option("--wait", "wait until the events are notified or failed")
    .action((files: string[], options: UploadOptions) =>
      run(globals(), (context, connection) => upload(context, connection, files, options)),
    );
  return program;
}

async function main(): Promise<void> {
  process.on("SIGINT", () => {
    if (process.stderr.isTTY) {
      // The shell's prompt does not go on in the line of a progress bar.
      process.stderr.write("\n");
    }
    process.exit(EXIT_INTERRUPTED);
  });
  // A reader that goes away (`… | head`) wants no more.
  process.stdout.on("error", () => process.exit(0));
  await commandLine().parseAsync();
}

void main();
