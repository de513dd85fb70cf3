import type { ResourcePolicies } from "../iam/resourcePolicies";
import type { AsyncInvoker } from "../lambda/asyncInvoke";
import type { ObjectCreated, S3 } from "./engine";
import { toS3Event } from "./objectCreated";

/** An object's writer has its answer before the event is delivered, as on AWS. */
const DELAY_MS = 100;

export interface NotificationsOptions {
  region: string;
  accountId: string;
  s3: Pick<S3, "onObjectCreated">;
  asyncInvoker: Pick<AsyncInvoker, "invoke">;
  resourcePolicies: Pick<ResourcePolicies, "checkInvoke">;
  /** Milliseconds from an object's creation to its event. @default 100; on AWS typically a second */
  delayMs?: number;
  /**
   * Milliseconds from an object's creation to each delivery of its event, in place of the one
   * `baseMs`: for events that are late, out of order or delivered twice.
   */
  delays?(baseMs: number): number[];
}

/** The notifications of buckets: an ObjectCreated event for each object, to functions. */
export interface Notifications {
  /** @throws AwsError AccessDeniedException where the function's policy does not let S3 invoke it */
  add(bucketName: string, functionArn: string): void;
  /** Delivers an event to the bucket's functions, as S3 may more than once. */
  deliver(event: ObjectCreated, delayMs?: number): void;
}

export function createNotifications(options: NotificationsOptions): Notifications {
  const { region, accountId, asyncInvoker, resourcePolicies, delayMs = DELAY_MS } = options;
  const targets = new Map<string, string[]>();

  function deliver(event: ObjectCreated, afterMs = 0): void {
    for (const functionArn of targets.get(event.bucket) ?? []) {
      const message = toS3Event(event, { region, accountId, configurationId: "object-created" });
      asyncInvoker.invoke(functionArn, message, afterMs);
    }
  }

  options.s3.onObjectCreated((event) => {
    for (const afterMs of options.delays?.(delayMs) ?? [delayMs]) {
      deliver(event, afterMs);
    }
  });

  return {
    add(bucketName, functionArn) {
      resourcePolicies.checkInvoke(functionArn, "s3.amazonaws.com", `arn:aws:s3:::${bucketName}`);
      targets.set(bucketName, [...(targets.get(bucketName) ?? []), functionArn]);
    },
    deliver,
  };
}
