import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { promisify } from "node:util";
import { REGION } from "../../testing/mockedAws";
import { filesOf, only, type Recording } from "../../testing/recordingMocks";
import { variablesOf } from "../program/names";

/**
 * Runs in a folder with the bundle only. Invokes the bundle without each of its environment variables in
 * turn, then with all of them, with each event.
 */
const RUNNER = `
const { readFileSync, writeFileSync } = require("node:fs");
const { variables, events } = JSON.parse(readFileSync("input.json", "utf8"));
const invoke = async (bundle, event) => {
  const promise = bundle.handler(event, { getRemainingTimeInMillis: () => 120_000 });
  const answer = await promise;
  return { async: promise instanceof Promise, answer };
};
(async () => {
  const missing = {};
  for (const name of variables) {
    const value = process.env[name];
    delete process.env[name];
    await invoke(require("./index.js"), events[0]).catch(({ message }) => (missing[name] = message));
    delete require.cache[require.resolve("./index.js")];
    process.env[name] = value;
  }
  const bundle = require("./index.js");
  const results = [];
  for (const event of events) {
    results.push(await invoke(bundle, event).catch((error) => ({ error: String(error.stack) })));
  }
  const exports = Object.keys(bundle);
  writeFileSync("output.json", JSON.stringify({ exports, missing, results }));
})();
`;

/** The results of the runner. */
export interface Output {
  exports: string[];
  /** The error of an invocation, by the variable that is missing. */
  missing: Record<string, string>;
  /** One for each event, in order. */
  results: { async?: boolean; answer?: unknown; error?: string }[];
}

/**
 * Runs a Lambda's package in a Node process of its own, without node_modules. Its calls to AWS are signed
 * with its name as the access key.
 *
 * @param events of the invocations, in order
 */
export async function runPackage(
  recording: Recording,
  name: string,
  endpoint: string,
  events: unknown[],
): Promise<Output> {
  const cwd = await mkdtemp(path.join(tmpdir(), `bundle-${name}-`));
  try {
    const variables = variablesOf(recording, name);
    // SDK clients send to the queue URL's own host.
    const queue = variables.DEAD_LETTER_QUEUE_URL?.replace(/^https:\/\/[^/]+/, endpoint);
    const files = {
      ...(await filesOf(only(recording, "Function", name))),
      "input.json": JSON.stringify({ variables: Object.keys(variables), events }),
      "runner.js": RUNNER,
    };
    for (const [file, text] of Object.entries(files)) {
      await writeFile(path.join(cwd, file), text);
    }
    await promisify(execFile)(process.execPath, ["runner.js"], {
      cwd,
      timeout: 60_000,
      env: {
        ...variables,
        ...(queue && { DEAD_LETTER_QUEUE_URL: queue }),
        LAMBDA_TASK_ROOT: cwd,
        AWS_REGION: REGION,
        AWS_ACCESS_KEY_ID: name,
        AWS_SECRET_ACCESS_KEY: "a-secret",
        AWS_ENDPOINT_URL: endpoint,
      },
    });
    return JSON.parse(await readFile(path.join(cwd, "output.json"), "utf8")) as Output;
  } finally {
    await rm(cwd, { recursive: true, force: true });
  }
}
