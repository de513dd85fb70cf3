import { DEFAULT_PORT } from "../cli/defaultPort";
import { plainText } from "../cli/output/plainText";
import type { Run, RunEvent } from "./run";

type ReloadEvent = Extract<RunEvent, { type: "reload" }>;

/** Where a run's lines go; one call a line. */
export type WriteLine = (line: string) => void;

/** Prints a run. */
export interface Output {
  ready(run: Run): void;
  /** @param seed makes the same choices in another run */
  faults(seed: number): void;
  event(event: RunEvent): void;
}

interface LogEntry {
  level?: string;
  message?: unknown;
}

/** A Lambda's line in its JSON log format; undefined for a line of another form. */
function parseEntry(line: string): LogEntry | undefined {
  try {
    return (JSON.parse(line) as LogEntry | null) ?? undefined;
  } catch {
    return undefined;
  }
}

/** What the program's own log and Lambda's runtime write about an error. */
interface Logged {
  error?: { stack?: string };
  stackTrace?: string[];
}

/** A log entry in one line, and the stack of its error in lines of their own, without the first. */
function entryText(entry: LogEntry): string {
  const { message = entry } = entry;
  if (typeof message !== "object" || message === null) {
    return String(message).split("\n").map(plainText).join("\n");
  }
  const { stackTrace, ...fields } = message as Logged;
  const { stack, ...error } = fields.error ?? {};
  const frames = stackTrace ?? stack?.split("\n") ?? [];
  const shown = fields.error ? { ...fields, error } : fields;
  const lines = frames.filter((line) => /^\s+at /.test(line)).map(plainText);
  return [JSON.stringify(shown), ...lines].join("\n");
}

/** The program's own entries are objects with a message (runtime/log.ts), or metrics. */
function isRoutine(entry: LogEntry): boolean {
  const { level, message } = entry;
  const isOfProgram = typeof message === "object" && message !== null && "message" in message;
  return "_aws" in entry || (level === "INFO" && isOfProgram);
}

function clock(): string {
  return new Date().toTimeString().slice(0, 8);
}

/** One JSON object a line, and errors on standard error, too; the first is `{"type":"ready",…}`. */
export function jsonOutput(write: WriteLine, writeError: WriteLine): Output {
  const line = (value: object) => {
    write(JSON.stringify(value));
  };
  return {
    ready: ({ outputs, endpoint, region, inboxUrl, credentials, mailDir, inspect }) => {
      const { accessKeyId, secretAccessKey } = credentials;
      line({
        type: "ready",
        outputs,
        endpoint,
        accessKeyId,
        secretAccessKey,
        region,
        mail: mailDir,
        inbox: inboxUrl,
        ...(inspect && {
          inspect: { function: inspect.functionName, port: inspect.port },
        }),
      });
    },
    faults: (seed) => {
      line({ type: "faults", seed });
    },
    event: (event) => {
      switch (event.type) {
        case "status":
          line({ type: "status", ...event.event });
          break;
        case "mail":
          line({ type: "mail", ...event.mail });
          break;
        case "log": {
          // A JSON line is an entry as it stands.
          const isEntry = parseEntry(event.line) !== undefined;
          const entry = isEntry ? event.line : JSON.stringify(event.line);
          write(`{"type":"log","function":${JSON.stringify(event.functionName)},"entry":${entry}}`);
          break;
        }
        case "reload":
        case "reloadFailed":
          line(event);
          break;
        case "error":
          line({ type: "error", message: event.message });
          writeError(event.message);
      }
    },
  };
}

/** A command of npm run events, which reads the manager's URL and key from the run. */
function eventsCommand({ endpoint }: Run, command: string): string {
  const { port } = new URL(endpoint);
  return `npm run events -- ${command}${port === String(DEFAULT_PORT) ? "" : ` --port ${port}`}`;
}

function inspectText({ inspect }: Run): string {
  return inspect
    ? `
The Lambda ${inspect.functionName} runs under Node's debugger, at 127.0.0.1:${inspect.port}
`
    : "";
}

function readyText(run: Run): string {
  const { outputs, endpoint, region, inboxUrl, mailDir } = run;
  const { accessKeyId, secretAccessKey } = run.credentials;
  const { uploadCommand } = outputs;
  // The command has a line of its own below; what follows a deployment is not for a local run.
  const others = Object.entries(outputs).filter(
    ([name]) => name !== "uploadCommand" && name !== "nextSteps",
  );
  const width = Math.max(...others.map(([name]) => name.length));
  const rows = others.map(
    ([name, value]) =>
      `  ${name.padEnd(width)}  ${typeof value === "string" ? value : JSON.stringify(value)}`,
  );
  return `The program is running on this machine.

${rows.join("\n")}

Upload a file:
  ${String(uploadCommand)}

See what became of it, in the console, with the key ${String(outputs.managerApiKey)}:
  ${String(outputs.consoleUrl)}
or in the terminal:
  ${eventsCommand(run, "list")}

Make a link by which anyone can upload files in a browser:
  ${eventsCommand(run, "link create --expires-in 7d")}

Mails appear here, at ${inboxUrl}
and as files in ${mailDir}

For the AWS CLI and SDKs:
  export AWS_ENDPOINT_URL=${endpoint}
  export AWS_REGION=${region} AWS_DEFAULT_REGION=${region}
  export AWS_ACCESS_KEY_ID=${accessKeyId}
  export AWS_SECRET_ACCESS_KEY=${secretAccessKey}
AWS CLI from 1.29 or 2.13 and boto3 from 1.28 know AWS_ENDPOINT_URL (AWS CLI 1 not for SQS). Others would
call AWS itself:
  aws --endpoint-url ${endpoint} s3 ls
  boto3.client("s3", endpoint_url="${endpoint}")
${inspectText(run)}
Ctrl-C ends everything.
`;
}

function reloadText({ functions, restartFor, milliseconds }: ReloadEvent): string {
  const names = functions.join(", ") || "no Lambda changed";
  const lines = [`${clock()}  reloaded: ${names} (${milliseconds} ms)`];
  if (restartFor.length > 0) {
    lines.push(`${clock()}  start again for the changes of ${restartFor.join(", ")}`);
  }
  return lines.join("\n");
}

/**
 * Lines for people: what was started, then one for each status, mail and line that a function logs;
 * errors apart.
 *
 * @param options.verbose prints the program's own log, too: what its Lambdas do
 */
export function textOutput(
  write: WriteLine,
  writeError: WriteLine,
  { verbose = false }: { verbose?: boolean } = {},
): Output {
  return {
    ready: (run) => {
      write(readyText(run));
    },
    faults: (seed) => {
      write(`Faults with seed ${seed}`);
    },
    event: (event) => {
      switch (event.type) {
        case "status": {
          const { event_id, event_status, event_info, last_error } = event.event;
          const name = event_info.FileName ?? event_info.Key;
          const reason = last_error ? `  ${last_error.code}: ${last_error.message}` : "";
          write(plainText(`${clock()}  ${event_id}  ${event_status.padEnd(10)}${name}${reason}`));
          break;
        }
        case "mail":
          write(plainText(`${clock()}  mail to ${event.mail.to}: ${event.mail.subject}`));
          break;
        case "log": {
          const parsed = parseEntry(event.line);
          const entry = typeof parsed === "object" ? parsed : undefined;
          if (!entry || verbose || !isRoutine(entry)) {
            const message = entry ? entryText(entry) : plainText(event.line);
            write(`${clock()}  ${event.functionName}: ${message}`);
          }
          break;
        }
        case "reload":
          write(reloadText(event));
          break;
        case "reloadFailed":
          write(`${clock()}  not reloaded: ${event.message}`);
          break;
        case "error":
          writeError(`${clock()}  ${event.message}`);
      }
    },
  };
}
