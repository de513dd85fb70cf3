// Runs a Pulumi program on this machine until Ctrl-C:
//   npx node -r ./tooling/register.js packages/local-aws/examples/run.ts <program folder> [port]
import { type Run, StartError, startRun } from "local-aws";

/** Starts the program; ends the process with code 2 for a problem that the user can solve. */
async function start(programDir: string, port: number): Promise<Run> {
  try {
    return await startRun({
      programDir,
      port,
      onEvent: (event) => {
        console.log(JSON.stringify(event));
      },
    });
  } catch (error) {
    if (!(error instanceof StartError)) {
      throw error;
    }
    console.error(error.message);
    process.exit(2);
  }
}

async function main(): Promise<void> {
  const [programDir = ".", port = "4566"] = process.argv.slice(2);
  const run = await start(programDir, Number(port));
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => {
      void run.stop();
    });
  }
  const { accessKeyId, secretAccessKey } = run.credentials;
  console.log(`The program is running. Its outputs:
${JSON.stringify(run.outputs, undefined, 2)}

For AWS clients:
export AWS_ENDPOINT_URL=${run.endpoint} AWS_REGION=${run.region} AWS_DEFAULT_REGION=${run.region}
export AWS_ACCESS_KEY_ID=${accessKeyId}
export AWS_SECRET_ACCESS_KEY=${secretAccessKey}
`);
}

void main();
