// Runs a Pulumi program on this machine until Ctrl-C:
//   npx node -r ./tooling/register.js packages/local-aws/examples/run.ts <program folder> [port]
import { startRun } from "local-aws";

async function main(): Promise<void> {
  const [programDir = ".", port = "4566"] = process.argv.slice(2);
  const run = await startRun({
    programDir,
    port: Number(port),
    onEvent: (event) => {
      console.log(JSON.stringify(event));
    },
  });
  const { outputs, endpoint, region, credentials } = run;
  console.log(JSON.stringify({ type: "ready", outputs, endpoint, region, ...credentials }));
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => {
      void run.stop();
    });
  }
}

void main();
