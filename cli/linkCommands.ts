import { type Command, Option } from "commander";
import { parseCount, parseLinkId } from "./arguments";
import { createLink, type LinkOptions, listLinks, revokeLink, showLink } from "./commands/links";
import type { ListLimits } from "./commands/pages";
import { parseBytes, parseDuration, parseMetadata, parseTypes } from "./linkArguments";
import { type GlobalOptions, runCommand } from "./runCommand";

/** Adds `link create`, `link list`, `link show` and `link revoke`. */
export function addLinkCommands(program: Command, globals: () => GlobalOptions): void {
  const link = program
    .command("link")
    .description("upload links, through which anybody who has one may send files")
    .helpOption("--help", "show this help");
  link
    .command("create")
    .description("make a link, and print its URL")
    .requiredOption(
      "--expires-in <time>",
      "how long it works: 7d, 12h, or seconds; at most 30 days",
      parseDuration,
    )
    .option("--max-files <number>", "files that it takes", parseCount)
    .option("--max-bytes <size>", "size of each file, such as 5GB or 200MiB", parseBytes)
    .option("--content-types <types>", "media types, separated by commas", parseTypes)
    .option("--metadata <name=value>", "of all files; may be given again", parseMetadata)
    .option("--note <text>", "for those who open the link")
    .action((options: LinkOptions) =>
      runCommand(globals(), (context) => createLink(context, options)),
    );
  link
    .command("list")
    .description("list links, the newest first")
    .option("--limit <number>", "number of links (default: 20, with --json 100)", parseCount)
    .addOption(new Option("--all", "all links").conflicts("limit"))
    .action((options: ListLimits) =>
      runCommand(globals(), (context) => listLinks(context, options)),
    );
  link
    .command("show")
    .description("show a link with its URL, its limits and the number of its files")
    .argument("<id>", "", parseLinkId)
    .action((id: string) => runCommand(globals(), (context) => showLink(context, id)));
  link
    .command("revoke")
    .description("end a link at once")
    .argument("<id>", "", parseLinkId)
    .action((id: string) => runCommand(globals(), (context) => revokeLink(context, id)));
}
