import { AwsError } from "../awsError";
import {
  type EnvironmentOptions,
  type ExecutionEnvironment,
  startEnvironment,
} from "./environment/executionEnvironment";
import { InitError, type Outcome } from "./environment/outcome";
import type { Fault } from "./fault";

/** How an invocation ended. */
interface End {
  outcome: Outcome;
  /** Whether it waited for the start of its environment. */
  coldStart: boolean;
}

/** An invocation that waits for an environment. */
export interface Job {
  requestId: string;
  /** JSON text in UTF-8. */
  payload: Buffer;
  queuedAt: number;
  fault: Fault | undefined;
  resolve: (end: End) => void;
  reject: (error: unknown) => void;
}

export interface PoolOptions extends EnvironmentOptions {
  /** The most environments. */
  limit: number;
  /** No environment starts before it resolves. @default at once */
  startsAfter?: Promise<unknown>;
}

/** The execution environments of one function's code. */
export interface Pool {
  readonly config: PoolOptions;
  /** Runs an invocation in a free environment, or in a new one, or later. */
  invoke(job: Pick<Job, "requestId" | "payload" | "fault">): Promise<End>;
  enqueue(job: Job): void;
  /** Starts an environment, if there is none, and resolves when it is ready or has failed. */
  warm(): Promise<void>;
  /**
   * Ends each environment, a busy one after its invocation.
   *
   * @returns the invocations that wait, for another pool
   */
  retire(): Job[];
  /** Resolves when no environment is left, once it is retired or closed. */
  gone(): Promise<void>;
  /** Kills every environment; resolves when they are gone. Open invocations are rejected. */
  close(): Promise<void>;
}

export function createPool(config: PoolOptions): Pool {
  const environments = new Set<ExecutionEnvironment>();
  const queue: Job[] = [];
  let idle: ExecutionEnvironment[] = [];
  let starting = 0;
  let held = config.startsAfter !== undefined;
  let retired = false;
  let closed = false;
  const { promise: gone, resolve: onGone } = Promise.withResolvers<undefined>();

  void config.startsAfter?.then(() => {
    held = false;
    dispatch();
  });

  function enqueue(job: Job): void {
    queue.push(job);
    dispatch();
  }

  /** Gives waiting invocations to free environments, and starts environments for the others. */
  function dispatch(): void {
    if (closed || held) {
      return;
    }
    while (queue.length > 0 && idle.length > 0) {
      const environment = idle.pop();
      if (!environment?.alive()) {
        continue;
      }
      const job = queue.shift();
      if (job) {
        run(environment, job).catch(job.reject);
      }
    }
    while (starting < queue.length && environments.size < config.limit) {
      void start();
    }
  }

  async function run(environment: ExecutionEnvironment, job: Job): Promise<void> {
    const coldStart = environment.invocations() === 0 && environment.readyAt() > job.queuedAt;
    const running = environment.invoke(job);
    const killer =
      job.fault?.kind === "kill" &&
      setTimeout(() => {
        environment.kill();
      }, job.fault.afterMs);
    const outcome = await running;
    if (killer) {
      clearTimeout(killer);
    }
    if (closed) {
      job.reject(closedError());
      return;
    }
    // Free before the caller has the answer, so that its next call finds it.
    release(environment);
    dispatch();
    job.resolve({ outcome, coldStart });
  }

  function release(environment: ExecutionEnvironment): void {
    if (retired) {
      environment.stop();
    } else if (environments.has(environment)) {
      idle.push(environment);
    }
  }

  /** Starts one environment; its failure is the result of the invocation that waits longest. */
  async function start(): Promise<void> {
    const environment = startEnvironment(config);
    environments.add(environment);
    starting++;
    void environment.gone.then(() => {
      environments.delete(environment);
      idle = idle.filter((other) => other !== environment);
      endIfGone();
      dispatch();
    });
    try {
      await environment.ready;
      starting--;
      release(environment);
    } catch (error) {
      starting--;
      const job = queue.shift();
      if (!(error instanceof InitError)) {
        job?.reject(error);
      } else {
        job?.resolve({ outcome: error.outcomeOf(job.requestId), coldStart: true });
      }
    }
    dispatch();
  }

  function endIfGone(): void {
    if ((retired || closed) && environments.size === 0) {
      onGone(undefined);
    }
  }

  function stop(stopped: Iterable<ExecutionEnvironment>): void {
    for (const environment of [...stopped]) {
      environment.stop();
    }
    endIfGone();
  }

  return {
    config,
    enqueue,
    invoke(job) {
      if (closed) {
        throw closedError();
      }
      return new Promise((resolve, reject) => {
        enqueue({ ...job, queuedAt: performance.now(), resolve, reject });
      });
    },
    async warm() {
      await config.startsAfter;
      if (closed) {
        throw closedError();
      }
      if (environments.size === 0 && !retired) {
        await start();
      } else {
        await Promise.allSettled([...environments].map(({ ready }) => ready));
      }
    },
    retire() {
      retired = true;
      const busyOrStarting = [...environments].filter((each) => !idle.includes(each));
      stop([...idle, ...busyOrStarting.filter((each) => each.readyAt() === Infinity)]);
      return queue.splice(0);
    },
    gone: () => gone,
    close() {
      closed = true;
      for (const job of queue.splice(0)) {
        job.reject(closedError());
      }
      stop(environments);
      return gone;
    },
  };
}

function closedError(): AwsError {
  return new AwsError(
    "ServiceUnavailableException",
    503,
    "The Lambda host was closed before the invocation ended.",
  );
}
