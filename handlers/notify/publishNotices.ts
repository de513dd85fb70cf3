import { PublishCommand, type SNSClient } from "@aws-sdk/client-sns";
import type { FileEvent } from "../../events/event";
import { isMessageRefused } from "../../runtime/awsErrors";
import { logError, logInfo } from "../../runtime/log";
import type { RecentNames } from "../../runtime/recentNames";
import type { Retries } from "../../runtime/retries";
import {
  type Delivery,
  type FailedDelivery,
  redeliveryOf,
  workOff,
} from "../../runtime/streamBatch";
import type { Notice } from "./message";

/** Rows of a batch that are written at the same time. */
const CONCURRENCY = 32;

/** How notices of one kind are published, and recorded in the rows. */
export interface Publication {
  sns: SNSClient;
  /** Repeats the calls of `sns` and of the functions below. */
  retries: Pick<Retries, "hasTime">;
  topicArn: string;
  /** Makes the notices about events. */
  compose: (events: FileEvent[]) => Notice[];
  /** Events with the same key are published once. */
  deduplicationKey: (event: FileEvent) => string;
  /** Deduplication keys that this execution environment has published. */
  published: RecentNames;
  /** Of an event's row. */
  version: (event: FileEvent) => string;
  /** Versions that this execution environment knows to need nothing more. */
  finished: RecentNames;
  /** The events that the table does not record as published; reads consistently. */
  findUnpublished: (events: FileEvent[]) => Promise<FileEvent[]>;
  /** Records in the row that the event was published. */
  markPublished: (event: FileEvent) => Promise<unknown>;
  /** Ends an event whose notice SNS refuses permanently. */
  giveUp: (event: FileEvent, error: unknown) => Promise<unknown>;
}

function isPublished({ published, deduplicationKey }: Publication, { event }: Delivery): boolean {
  return published.has(deduplicationKey(event));
}

/** The first delivery of each deduplication key. */
function distinct({ deduplicationKey }: Publication, deliveries: Delivery[]): Delivery[] {
  const first = new Map<string, Delivery>();
  for (const delivery of deliveries) {
    const key = deduplicationKey(delivery.event);
    if (!first.has(key)) {
      first.set(key, delivery);
    }
  }
  return [...first.values()];
}

/** The deliveries that were not published before. The others are finished, or published by this environment. */
async function unpublishedOf(
  publication: Publication,
  deliveries: Delivery[],
): Promise<Delivery[]> {
  const { finished, version } = publication;
  const candidates = deliveries.filter((delivery) => !isPublished(publication, delivery));
  const unpublished = new Set(
    await publication.findUnpublished(candidates.map(({ event }) => event)),
  );
  for (const { event } of candidates) {
    if (!unpublished.has(event)) {
      finished.add(version(event));
    }
  }
  return candidates.filter(({ event }) => unpublished.has(event));
}

async function publish(publication: Publication, notice: Notice): Promise<void> {
  const { sns, topicArn, published, deduplicationKey } = publication;
  const { MessageId } = await sns.send(
    new PublishCommand({ TopicArn: topicArn, Subject: notice.subject, Message: notice.message }),
  );
  for (const event of notice.events) {
    published.add(deduplicationKey(event));
    logInfo("Notification published.", {
      event_id: event.event_id,
      event_status: event.event_status,
      message_id: MessageId,
    });
  }
}

/**
 * Publishes a notice. One that SNS refuses permanently is split in two halves; a refused notice
 * about a single event ends that event.
 *
 * @returns the notices to publish instead
 */
async function publishOrSplit(publication: Publication, notice: Notice): Promise<Notice[]> {
  const { events } = notice;
  try {
    await publish(publication, notice);
    return [];
  } catch (error) {
    const [first] = events;
    if (!first || !isMessageRefused(error)) {
      throw error;
    }
    if (events.length === 1) {
      logError("SNS refused the notification permanently.", error, { event_id: first.event_id });
      await publication.giveUp(first, error);
      return [];
    }
    const middle = Math.ceil(events.length / 2);
    return [events.slice(0, middle), events.slice(middle)].flatMap((half) =>
      publication.compose(half),
    );
  }
}

/** Publishes as many notices as possible. @returns the deliveries that Lambda must redeliver */
async function publishAll(publication: Publication, deliveries: Delivery[]): Promise<Delivery[]> {
  const failed: FailedDelivery[] = [];
  const left: Delivery[] = [];
  // Grows during the loop.
  const queue = publication.compose(deliveries.map(({ event }) => event));
  for (const notice of queue) {
    const events = new Set(notice.events);
    const own = deliveries.filter(({ event }) => events.has(event));
    if (!publication.retries.hasTime()) {
      left.push(...own);
      continue;
    }
    try {
      queue.push(...(await publishOrSplit(publication, notice)));
    } catch (error) {
      failed.push(...own.map((item) => ({ item, error })));
    }
  }
  const isOutage = failed.length + left.length === deliveries.length;
  return [...redeliveryOf(failed, { what: "Notification not published", isOutage }), ...left];
}

/**
 * Publishes events, with one message for a batch, and records it in their rows.
 *
 * A message is published before the row is written: a crash between the two causes a duplicate,
 * where the opposite order would lose a message. Streams deliver at least once, so rows are read
 * first, a hundred in one request. `published` covers rows that could not be written: their records are
 * redelivered at once, as another environment would publish them again.
 *
 * @returns the deliveries that Lambda must redeliver
 */
export async function publishNotices(
  publication: Publication,
  all: Delivery[],
): Promise<Delivery[]> {
  const { finished, version, retries } = publication;
  const unfinished = all.filter(({ event }) => !finished.has(version(event)));
  const deliveries = distinct(publication, unfinished);
  let unpublished: Delivery[];
  try {
    unpublished = await unpublishedOf(publication, deliveries);
  } catch (error) {
    const failed = deliveries.map((item) => ({ item, error }));
    return redeliveryOf(failed, { what: "Rows not read", isOutage: true });
  }
  const unannounced = await publishAll(publication, unpublished);
  const unwritten = await workOff(
    deliveries.filter((delivery) => isPublished(publication, delivery)),
    { limit: CONCURRENCY, what: "Row not written", redeliversAll: true, retries },
    async ({ event }) => {
      await publication.markPublished(event);
      finished.add(version(event));
      return true;
    },
  );
  return [...unannounced, ...unwritten];
}
