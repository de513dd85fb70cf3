import type { Command } from "commander";
import { commandLine } from "./commandLine";
import { optionTakenByNpm } from "./npmOptions";
import type { GlobalOptions } from "./runCommand";
import { interruptionNotice } from "./upload/multipart/underway";

const EXIT_INTERRUPTED = 130;

function refuseOptionsOfNpm(program: Command): void {
  const words = process.argv.slice(2);
  const find = (parent: Command, word = "") =>
    parent.commands.find((each) => each.name() === word) ?? parent;
  const group = find(program, words[0]);
  const command = group === program ? program : find(group, words[1]);
  const taken = optionTakenByNpm("events", [...program.options, ...command.options]);
  if (taken) {
    const { option } = taken;
    const names = [group, command].filter((each) => each !== program);
    const name = [...new Set(names)].map((each) => ` ${each.name()}`).join("");
    program.error(
      `error: npm took the option --${option.name()} for its own. Write two dashes before the command: ` +
        `npm run events --${name} ${option.flags}`,
    );
  }
}

async function main(): Promise<void> {
  const program = commandLine();
  process.on("SIGINT", () => {
    if (process.stderr.isTTY) {
      // Keeps the shell's prompt off the line of a progress bar.
      process.stderr.write("\n");
    }
    const message = interruptionNotice();
    if (message !== undefined) {
      const isJson = program.opts<GlobalOptions>().json ?? false;
      const error = { code: "interrupted", message };
      process.stderr.write(`${isJson ? JSON.stringify({ error }) : message}\n`);
    }
    process.exit(EXIT_INTERRUPTED);
  });
  // The reader has closed its end, as in `… | head`.
  process.stdout.on("error", () => process.exit(0));
  refuseOptionsOfNpm(program);
  await program.parseAsync();
}

void main();
