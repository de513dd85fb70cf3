import { DEFAULT_PORT } from "../defaultPort";
import { Failure, UsageError } from "../errors";
import { sleep, withRetries } from "../http/retries";
import { send } from "../http/send";

/** The options for the manager's location and keys. */
export interface ConnectionOptions {
  url?: string;
  key?: string;
  uploadKey?: string;
  /** Port of the local run. @default 4510, unless `url` is given */
  port?: number;
}

export interface Connection {
  /** Without a trailing slash. */
  managerUrl: string;
  managerKey: string;
  /** For an upload API that requires one. */
  uploadKey?: string;
}

function checkedUrl(text: string): string {
  const url = URL.parse(text);
  if (!url || !["http:", "https:"].includes(url.protocol)) {
    throw new UsageError(`"${text}" is not the manager's URL: it begins with https://.`);
  }
  return text.replace(/\/+$/, "");
}

async function readStack(port: number): Promise<Record<string, unknown>> {
  const answer = await send({ method: "GET", url: `http://127.0.0.1:${port}/_stack` }).catch(() => {
    throw new Failure(
      "no_local_run",
      `Nothing answers on port ${port}. Start the local run with npm start, or give --url and ` +
        "--key.",
    );
  });
  if (answer.status === 503) {
    throw new Failure("starting", "The local run is starting.", { isTransient: true });
  }
  try {
    const { outputs } = JSON.parse(answer.text) as { outputs: Record<string, unknown> };
    return { ...outputs };
  } catch {
    return {};
  }
}

async function connectLocally(port: number, uploadKey?: string): Promise<Connection> {
  const outputs = await withRetries(() => readStack(port), sleep);
  const { managerUrl, managerApiKey, uploadApiKey } = outputs;
  if (typeof managerUrl !== "string" || typeof managerApiKey !== "string") {
    throw new Failure(
      "no_local_run",
      `What answers on port ${port} is not the local run of this program. Give --port, or --url ` +
        "and --key.",
    );
  }
  return {
    managerUrl,
    managerKey: managerApiKey,
    uploadKey: uploadKey ?? (typeof uploadApiKey === "string" ? uploadApiKey : undefined),
  };
}

/**
 * Finds the manager by the options, or else in the local run.
 *
 * @throws UsageError for options that do not go together, Failure without a local run
 */
export async function connect(options: ConnectionOptions): Promise<Connection> {
  const { url, key, uploadKey, port } = options;
  if (url === undefined) {
    if (key !== undefined) {
      throw new UsageError("--key (EVENTS_KEY) needs the manager's --url (EVENTS_URL).");
    }
    return connectLocally(port ?? DEFAULT_PORT, uploadKey);
  }
  if (key === undefined) {
    throw new UsageError(
      "--url (EVENTS_URL) needs the manager's --key (EVENTS_KEY): " +
        "npx pulumi stack output managerApiKey --show-secrets",
    );
  }
  return { managerUrl: checkedUrl(url), managerKey: key, uploadKey };
}
