import { commandLine } from "./commandLine";

const EXIT_INTERRUPTED = 130;

async function main(): Promise<void> {
  process.on("SIGINT", () => {
    if (process.stderr.isTTY) {
      // Keeps the shell's prompt off the line of a progress bar.
      process.stderr.write("\n");
    }
    process.exit(EXIT_INTERRUPTED);
  });
  // The reader has closed its end, as in `… | head`.
  process.stdout.on("error", () => process.exit(0));
  await commandLine().parseAsync();
}

void main();
