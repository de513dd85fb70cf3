import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import {
  createLambdaHost,
  type FunctionConfig,
  type LambdaHost,
  type LambdaHostOptions,
} from "../../lambda/host";

export const REGION = "eu-central-1";
export const ACCOUNT_ID = "123456789012";

export type LogEntry = Parameters<NonNullable<LambdaHostOptions["onLog"]>>[0];
export type Report = Parameters<NonNullable<LambdaHostOptions["onInvocation"]>>[0];

export interface TestHost extends LambdaHost {
  workDir: string;
  log: LogEntry[];
  reports: Report[];
  /** Creates a function from the text of its module, and returns its name. */
  create(code: string, config?: Partial<FunctionConfig>): Promise<string>;
  /** Closes the host and removes its folder. */
  dispose(): Promise<void>;
}

/** A host in a temporary folder of its own, which records its log and reports. */
export function createTestHost(options: Partial<LambdaHostOptions> = {}): TestHost {
  const workDir = mkdtempSync(join(tmpdir(), "lambda-host-"));
  const log: LogEntry[] = [];
  const reports: Report[] = [];
  const host = createLambdaHost({
    region: REGION,
    accountId: ACCOUNT_ID,
    endpointUrl: "http://127.0.0.1:4566",
    workDir,
    onLog: (entry) => log.push(entry),
    onInvocation: (report) => reports.push(report),
    ...options,
  });
  let functions = 0;
  return {
    ...host,
    workDir,
    log,
    reports,
    create: async (code, config = {}) => {
      const functionName = `function-${++functions}`;
      await host.createFunction(functionConfig(functionName, code, config));
      return functionName;
    },
    dispose: async () => {
      await host.close();
      rmSync(workDir, { recursive: true, force: true });
    },
  };
}

export function functionConfig(
  functionName: string,
  code: string,
  config: Partial<FunctionConfig> = {},
): FunctionConfig {
  return {
    functionName,
    functionArn: `arn:aws:lambda:${REGION}:${ACCOUNT_ID}:function:${functionName}`,
    files: { "index.js": code },
    handler: "index.handler",
    environment: {},
    credentials: { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "secret" },
    timeoutSeconds: 5,
    memoryMegabytes: 128,
    logFormat: "JSON",
    logGroupName: `/aws/lambda/${functionName}`,
    ...config,
  };
}

/** Waits until a condition holds; mocha's timeout ends the wait. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) {
    await delay(5);
  }
}

/** Whether a process runs. A zombie does not. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !existsSync("/proc/self") || !/^State:\s+Z/m.test(statusOf(pid));
  } catch {
    return false;
  }
}

function statusOf(pid: number): string {
  return readFileSync(`/proc/${pid}/status`, "latin1");
}
