// A host for close.test.ts, which kills this process. It prints its folder, and its environments
// print their process ids: one is idle, one in the middle of an invocation, one of its start.
import { createTestHost } from "./testHost";

async function main(): Promise<void> {
  const host = createTestHost({ onLog: ({ line }) => process.stdout.write(`${line}\n`) });
  process.stdout.write(`workDir ${host.workDir}\n`);
  const idle = await host.create("exports.handler = async () => { console.log(process.pid); };");
  const busy = await host.create(
    `exports.handler = async () => {
       console.log(process.pid);
       for (;;) await new Promise(setImmediate);
     };`,
    { timeoutSeconds: 60 },
  );
  const starting = await host.create("", {
    files: {
      "index.mjs": "console.log(process.pid); await new Promise((r) => setTimeout(r, 60_000));",
    },
  });
  await host.invoke(idle, {});
  await Promise.all([host.invoke(busy, {}), host.warm(starting)]);
}

void main();
