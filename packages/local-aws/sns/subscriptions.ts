import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { AwsError } from "../awsError";
import type { Fauxqs } from "../fauxqs/fauxqs";
import type { RunSecret } from "../storage/secret";

type Subscription = NonNullable<ReturnType<Fauxqs["snsStore"]["getSubscription"]>>;

/** What is known of an e-mail subscription from run to run. */
interface Kept {
  topicArn: string;
  address: string;
  isConfirmed: boolean;
  /** Made by the program, which makes it at each start; others are restored with their topic. */
  isDeclared: boolean;
}

/** The e-mail subscriptions of all topics. A message reaches none that is not confirmed. */
export interface Subscriptions {
  /**
   * Subscribes an address.
   * @returns a pending subscription, unless it was confirmed before, or `isConfirmed` is true
   * @throws AwsError NotFound
   */
  subscribe(
    topicArn: string,
    address: string,
    how: Partial<Pick<Kept, "isConfirmed" | "isDeclared">>,
  ): { subscription: Subscription; isNew: boolean };
  /** What confirms a subscription, and nobody can guess. */
  tokenOf(subscription: Pick<Subscription, "topicArn" | "endpoint">): string;
  /** @throws AwsError InvalidParameter for a token of no subscription of the topic */
  confirm(topicArn: string, token: string): Subscription;
  /** @returns undefined if there is none */
  remove(subscriptionArn: string): Subscription | undefined;
  removeAll(topicArn: string): void;
  /** Restores what clients subscribed in earlier runs; for a topic that was just made. */
  restore(topicArn: string): void;
}

/** @param folder keeps the subscriptions between runs. @default they are in memory */
export function createSubscriptions(
  { snsStore }: Pick<Fauxqs, "snsStore">,
  secret: RunSecret,
  folder: string | undefined,
): Subscriptions {
  const file = folder && join(folder, "subscriptions.json");
  const kept = new Map<string, Kept>();
  if (file && existsSync(file)) {
    for (const each of JSON.parse(readFileSync(file, "utf8")) as Kept[]) {
      kept.set(nameOf(each.topicArn, each.address), each);
    }
  }

  function save(): void {
    if (folder && file) {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      writeFileSync(`${file}.new`, JSON.stringify([...kept.values()]), { mode: 0o600 });
      renameSync(`${file}.new`, file);
    }
  }

  function keep(each: Kept): void {
    kept.set(nameOf(each.topicArn, each.address), each);
    save();
  }

  /** The same in each run, so that a link in a mail still works. */
  function arnOf(topicArn: string, address: string): string {
    const id = secret.derive(`subscription ${nameOf(topicArn, address)}`).toString("hex", 0, 16);
    return `${topicArn}:${id.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-")}`;
  }

  function add({ topicArn, address, isConfirmed }: Kept): Subscription {
    const topic = snsStore.getTopic(topicArn);
    if (!topic) {
      throw new AwsError("NotFound", 404, "Topic does not exist");
    }
    const arn = arnOf(topicArn, address);
    const subscription = snsStore.subscriptions.get(arn) ?? {
      arn,
      topicArn,
      protocol: "email",
      endpoint: address,
      confirmed: false,
      attributes: {},
    };
    subscription.confirmed ||= isConfirmed;
    snsStore.subscriptions.set(arn, subscription);
    if (!topic.subscriptionArns.includes(arn)) {
      topic.subscriptionArns.push(arn);
    }
    return subscription;
  }

  function tokenOf({ topicArn, endpoint }: Pick<Subscription, "topicArn" | "endpoint">): string {
    return secret.derive(`confirmation ${nameOf(topicArn, endpoint)}`).toString("hex");
  }

  return {
    subscribe(topicArn, address, { isConfirmed = false, isDeclared = false }) {
      const before = kept.get(nameOf(topicArn, address));
      const subscription = add({
        topicArn,
        address,
        isConfirmed: isConfirmed || (before?.isConfirmed ?? false),
        isDeclared,
      });
      // Confirmed by nobody but the run, it is asked for by a later run that wants it.
      if (!isConfirmed) {
        keep({
          topicArn,
          address,
          isConfirmed: subscription.confirmed,
          isDeclared: isDeclared || (before?.isDeclared ?? false),
        });
      }
      return { subscription, isNew: !before };
    },
    tokenOf,
    confirm(topicArn, token) {
      const subscription = snsStore
        .getTopic(topicArn)
        ?.subscriptionArns.map((arn) => snsStore.getSubscription(arn))
        .find((each) => each?.protocol === "email" && tokenOf(each) === token);
      if (!subscription) {
        throw new AwsError("InvalidParameter", 400, "Invalid parameter: Token");
      }
      subscription.confirmed = true;
      const name = nameOf(topicArn, subscription.endpoint);
      const { isDeclared = false } = kept.get(name) ?? {};
      keep({ topicArn, address: subscription.endpoint, isConfirmed: true, isDeclared });
      return subscription;
    },
    remove(subscriptionArn) {
      const subscription = snsStore.getSubscription(subscriptionArn);
      if (subscription) {
        snsStore.unsubscribe(subscriptionArn);
        kept.delete(nameOf(subscription.topicArn, subscription.endpoint));
        save();
      }
      return subscription;
    },
    removeAll(topicArn) {
      for (const [name, each] of kept) {
        if (each.topicArn === topicArn) {
          kept.delete(name);
        }
      }
      save();
    },
    restore(topicArn) {
      for (const each of kept.values()) {
        if (each.topicArn === topicArn && !each.isDeclared) {
          add(each);
        }
      }
    },
  };
}

function nameOf(topicArn: string, address: string): string {
  return `${topicArn} ${address}`;
}
