import type { Command } from "commander";
import { commandLine } from "./commandLine";
import { optionTakenByNpm } from "./npmOptions";
import type { GlobalOptions } from "./runCommand";
import { interruptionNotice } from "./upload/multipart/underway";

const EXIT_INTERRUPTED = 130;

function refuseOptionsOfNpm(program: Command): void {
  const command = program.commands.find((each) => each.name() === process.argv[2]) ?? program;
  const taken = optionTakenByNpm("events", [...program.options, ...command.options]);
  if (taken) {
    const { option } = taken;
    const name = command === program ? "" : ` ${command.name()}`;
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
