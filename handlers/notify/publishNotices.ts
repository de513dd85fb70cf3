import { PublishCommand, type SNSClient } from "@aws-sdk/client-sns";
import type { FileEvent } from "../../events/event";
import { isMessageRefused } from "../../runtime/awsErrors";
import { forEachConcurrently } from "../../runtime/concurrency";
import { logError, logInfo } from "../../runtime/log";
import type { RecentNames } from "../../runtime/recentNames";
import type { Delivery } from "../../runtime/streamBatch";
import type { Notice } from "./message";

/** Rows of a batch that are written at the same time. */
const CONCURRENCY = 32;

/** How notices of one kind are published, and recorded in the rows. */
export interface Publication {
  sns: SNSClient;
  topicArn: string;
  /** Makes the notices about events. */
  compose: (events: FileEvent[]) => Notice[];
  /** Events with the same key are published once. */
  deduplicationKey: (event: FileEvent) => string;
  /** Deduplication keys that this execution environment has published. */
  published: RecentNames;
  /** The events that the table does not record as published; reads consistently. */
  findUnpublished: (events: FileEvent[]) => Promise<FileEvent[]>;
  /** Records in the row that the event was published. Repeated when it throws. */
  markPublished: (event: FileEvent) => Promise<unknown>;
  /** Ends an event whose notice SNS refuses permanently. Repeated when it throws. */
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

/** The deliveries that were not published before. */
async function unpublishedOf(
  publication: Publication,
  deliveries: Delivery[],
): Promise<Delivery[]> {
  const candidates = deliveries.filter((delivery) => !isPublished(publication, delivery));
  const unpublished = new Set(
    await publication.findUnpublished(candidates.map(({ event }) => event)),
  );
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
 * @param ended receives events that were ended
 * @returns the notices to publish instead
 */
async function publishOrSplit(
  publication: Publication,
  notice: Notice,
  ended: Set<FileEvent>,
): Promise<Notice[]> {
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
      ended.add(first);
      return [];
    }
    const middle = Math.ceil(events.length / 2);
    return [events.slice(0, middle), events.slice(middle)].flatMap((half) =>
      publication.compose(half),
    );
  }
}

/** Publishes as many notices as possible. @returns the events that were ended */
async function publishAll(publication: Publication, notices: Notice[]): Promise<Set<FileEvent>> {
  const ended = new Set<FileEvent>();
  // Grows during the loop.
  const queue = [...notices];
  for (const notice of queue) {
    try {
      queue.push(...(await publishOrSplit(publication, notice, ended)));
    } catch (error) {
      logError("Notification not published; the records will be redelivered.", error, {
        event_ids: notice.events.map(({ event_id }) => event_id),
      });
    }
  }
  return ended;
}

/**
 * Publishes events, with one message for a batch, and records it in their rows.
 *
 * A message is published before the row is written: a crash between the two causes a duplicate,
 * where the opposite order would lose a message. Streams deliver at least once, so rows are read
 * first, a hundred in one request. `published` covers rows that could not be written.
 *
 * @returns the deliveries that Lambda must redeliver
 */
export async function publishNotices(
  publication: Publication,
  all: Delivery[],
): Promise<Delivery[]> {
  const deliveries = distinct(publication, all);
  let unpublished: Delivery[];
  try {
    unpublished = await unpublishedOf(publication, deliveries);
  } catch (error) {
    logError("Rows not read; the records will be redelivered.", error, {
      event_ids: deliveries.map(({ event }) => event.event_id),
    });
    return deliveries;
  }
  const ended = await publishAll(
    publication,
    publication.compose(unpublished.map(({ event }) => event)),
  );
  const unwritten = await forEachConcurrently(
    deliveries.filter((delivery) => isPublished(publication, delivery)),
    CONCURRENCY,
    async ({ event }) => {
      await publication.markPublished(event);
    },
  );
  for (const { item, error } of unwritten) {
    logError("Row not written; the record will be redelivered.", error, {
      event_id: item.event.event_id,
    });
  }
  const failed = unpublished.filter(
    (delivery) => !isPublished(publication, delivery) && !ended.has(delivery.event),
  );
  return [...failed, ...unwritten.map(({ item }) => item)];
}
