import { Command, Option } from "commander";
import { EVENT_STATUSES } from "../events/event";
import {
  parseConcurrency,
  parseCount,
  parseEventId,
  parseKey,
  parseLinkId,
  parseMediaType,
  parsePort,
} from "./arguments";
import { deleteEvent } from "./commands/delete";
import { listEvents, type ListOptions } from "./commands/list";
import { retryEvents, type RetryOptions, retryUsageError } from "./commands/retry";
import { showEvent } from "./commands/show";
import { showStats } from "./commands/stats";
import { uploadFiles, type UploadOptions } from "./commands/upload";
import { DEFAULT_PORT } from "./defaultPort";
import { parseFileMetadata } from "./linkArguments";
import { addLinkCommands } from "./linkCommands";
import { EXIT_USAGE_ERROR, type GlobalOptions, runCommand } from "./runCommand";

/** The commands and options of `npm run events --`. */
export function commandLine(): Command {
  const program = new Command("npm run events --")
    .description("Lists, shows, retries and deletes events, uploads files, and makes upload links.")
    .addOption(new Option("--url <url>", "the manager's URL").env("EVENTS_URL"))
    .addOption(
      new Option("--key <key>", "the manager's API key").env("EVENTS_KEY").argParser(parseKey),
    )
    .addOption(
      new Option("--upload-key <key>", "the upload API's key, if it requires one")
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
      process.exit(error.exitCode === 0 ? 0 : EXIT_USAGE_ERROR);
    });
  const globals = () => program.opts<GlobalOptions>();

  program
    .command("list")
    .description("list events, the newest first")
    .addOption(new Option("--status <status>", "only with this status").choices(EVENT_STATUSES))
    .option("--link <id>", "only files that came through this upload link", parseLinkId)
    .option("--from <date>", "from this time on, such as 2026-11-21 or 2026-11-21T08:00:00Z")
    .option("--to <date>", "before this time")
    .addOption(new Option("--order <order>", "by time").choices(["asc", "desc"]))
    .option("--limit <number>", "number of events (default: 20, with --json 100)", parseCount)
    .addOption(new Option("--all", "all events").conflicts("limit"))
    .action((options: ListOptions) =>
      runCommand(globals(), (context) => listEvents(context, options)),
    );
  program
    .command("show")
    .description("show one event in full, with a link to its file")
    .argument("<id>", "", parseEventId)
    .action((id: string) => runCommand(globals(), (context) => showEvent(context, id)));
  program
    .command("retry")
    .description("retry failed events from the step that failed")
    .argument("[id]", "", parseEventId)
    .option("--all-failed", "all failed events, instead of one")
    .option("--from <date>", "with --all-failed: from this time on")
    .option("--to <date>", "with --all-failed: before this time")
    .option("--dry-run", "with --all-failed: only count them")
    .action((id: string | undefined, options: RetryOptions, command: Command) => {
      const message = retryUsageError(id, options);
      return message === undefined
        ? runCommand(globals(), (context) => retryEvents(context, id, options))
        : command.error(`error: ${message}`);
    });
  program
    .command("delete")
    .description("delete a finished event and its file, without confirmation")
    .argument("<id>", "", parseEventId)
    .action((id: string) => runCommand(globals(), (context) => deleteEvent(context, id)));
  program
    .command("stats")
    .description("count the events in each status")
    .action(() => runCommand(globals(), showStats));
  program
    .command("upload")
    .description(
      "upload files: small ones through the upload API, others to S3 itself, large ones in parts",
    )
    .argument("<file...>")
    .option("--type <media-type>", "of all files (default: by their extensions)", parseMediaType)
    .option("--concurrency <number>", "concurrent uploads", parseConcurrency, 3)
    .option("--metadata <name=value>", "of all files; may be given again", parseFileMetadata)
    .option("--new", "upload files again that were uploaded within a day")
    .option("--wait", "wait until the events are notified or failed")
    .action((files: string[], options: UploadOptions) =>
      runCommand(globals(), (context, connection) =>
        uploadFiles(context, connection, files, options),
      ),
    );
  addLinkCommands(program, globals);
  return program;
}
