import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { PROGRAM_DIR } from "../start/programDir";
import { startRunner } from "../testing/startProcess";

/** A local run in a process of its own, and what clients need to reach it. */
export interface World {
  endpoint: string;
  /** The endpoint's host and port. */
  host: string;
  region: string;
  accessKeyId: string;
  secretAccessKey: string;
  /** The program's outputs. */
  outputs: Record<string, string>;
  /** A folder for everything that clients write, their home as well. */
  folder: string;
  /** The environment of clients: the printed variables, and nothing of the user's own settings. */
  env: NodeJS.ProcessEnv;
  /** The run's errors so far: one is a fault of the run, whatever the client got. */
  errors(): string[];
  /** Ends the run like Ctrl-C and removes all files. @returns its exit code */
  stop(): Promise<number | null>;
}

interface Ready {
  endpoint: string;
  region: string;
  accessKeyId: string;
  secretAccessKey: string;
  outputs: Record<string, string>;
}

/** Where `clients/install` puts Python's clients, and Go and Java what they have built. */
export const CACHE = path.join(PROGRAM_DIR, "node_modules", ".cache", "clients");

export async function openWorld(): Promise<World> {
  const runner = startRunner(["--port", "0", "--json"]);
  const folder = mkdtempSync(path.join(tmpdir(), "s3-uploader-clients-"));
  const dispose = async () => {
    await runner.dispose();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    const line: unknown = await runner.json(({ type }) => type === "ready");
    const { endpoint, region, accessKeyId, secretAccessKey, outputs } = line as Ready;
    return {
      endpoint,
      host: new URL(endpoint).host,
      region,
      accessKeyId,
      secretAccessKey,
      outputs,
      folder,
      env: {
        PATH: process.env.PATH,
        HOME: folder,
        TMPDIR: folder,
        LANG: "C.UTF-8",
        AWS_ENDPOINT_URL: endpoint,
        AWS_REGION: region,
        AWS_DEFAULT_REGION: region,
        AWS_ACCESS_KEY_ID: accessKeyId,
        AWS_SECRET_ACCESS_KEY: secretAccessKey,
        AWS_EC2_METADATA_DISABLED: "true",
        AWS_PAGER: "",
      },
      errors: () => [
        ...runner.lines.filter((text) => text.startsWith('{"type":"error"')),
        ...runner.errors().split("\n").filter(Boolean),
      ],
      async stop() {
        runner.process.kill("SIGINT");
        const code = await runner.exited;
        await dispose();
        return code;
      },
    };
  } catch (error) {
    await dispose();
    throw error;
  }
}
