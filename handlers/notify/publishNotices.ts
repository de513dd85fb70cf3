import { PublishCommand, type SNSClient } from "@aws-sdk/client-sns";
import type { FileEvent } from "../../events/event";
import { isMessageRefused } from "../../runtime/awsErrors";
import { logError, logInfo } from "../../runtime/log";
import { memory } from "../../runtime/recentNames";
import { type Delivery, forEachConcurrently } from "../../runtime/streamBatch";
import type { Notice } from "./message";

/** Rows of one batch that are written at the same time. */
const CONCURRENCY = 32;

/** One kind of telling: what people are told, where, and how the row remembers it. */
export interface Telling {
  sns: SNSClient;
  topicArn: string;
  /** Words the messages. */
  wording(events: FileEvent[]): Notice[];
  /** Names what an event is told of once: two occasions of one event are told of twice. */
  occasion(event: FileEvent): string;
  /** Which of these events people are still to be told of, by a consistent read. */
  due(events: FileEvent[]): Promise<FileEvent[]>;
  /** Writes into the row that people were told. Called again when it throws. */
  markTold(event: FileEvent): Promise<void>;
  /** Ends an event whose message SNS refuses for good. Called again when it throws. */
  giveUp(event: FileEvent, error: unknown): Promise<void>;
}

function eventOf({ event }: Delivery): FileEvent {
  return event;
}

/**
 * Tells people of events, one message for each batch, and has the rows remember it.
 *
 * A message goes out before the row is written: a crash between the two doubles a message, the
 * other order would lose one. Streams deliver more than once, so the rows are looked up first, in
 * one request for a hundred; and what this environment has told of, it remembers, for the case that
 * the row could not be written.
 *
 * @returns a function that tells of deliveries, and returns those that have to come again
 */
export function teller(telling: Telling): (deliveries: Delivery[]) => Promise<Delivery[]> {
  const told = memory();

  const isTold = ({ event }: Delivery) => told.has(telling.occasion(event));

  /** The deliveries that nobody has been told of yet. */
  const untold = async (deliveries: Delivery[]): Promise<Delivery[]> => {
    const candidates = deliveries.filter((delivery) => !isTold(delivery));
    const due = new Set(await telling.due(candidates.map(eventOf)));
    return candidates.filter(({ event }) => due.has(event));
  };

  const publish = async ({ subject, message, events }: Notice) => {
    const { MessageId } = await telling.sns.send(
      new PublishCommand({ TopicArn: telling.topicArn, Subject: subject, Message: message }),
    );
    for (const event of events) {
      told.add(telling.occasion(event));
      logInfo("People were told of the file.", {
        event_id: event.event_id,
        event_status: event.event_status,
        message_id: MessageId,
      });
    }
  };

  /**
   * Publishes one message.
   *
   * @returns the messages to try instead, for one that SNS refuses for good: its two halves. A
   *   message about a single event has none; that event is given up
   */
  const publishOrSplit = async (notice: Notice, ended: Set<FileEvent>): Promise<Notice[]> => {
    const { events } = notice;
    try {
      await publish(notice);
      return [];
    } catch (error) {
      const [first] = events;
      if (!first || !isMessageRefused(error)) {
        throw error;
      }
      if (events.length === 1) {
        logError("A message was refused for good.", error, { event_id: first.event_id });
        await telling.giveUp(first, error);
        ended.add(first);
        return [];
      }
      const middle = Math.ceil(events.length / 2);
      return [events.slice(0, middle), events.slice(middle)].flatMap((half) =>
        telling.wording(half),
      );
    }
  };

  /** Publishes all that can be. Returns the events that were given up. */
  const publishAll = async (notices: Notice[]): Promise<Set<FileEvent>> => {
    const ended = new Set<FileEvent>();
    // It grows while it is gone through.
    const queue = [...notices];
    for (const notice of queue) {
      try {
        queue.push(...(await publishOrSplit(notice, ended)));
      } catch (error) {
        logError("A message could not be published; its files will come again.", error, {
          event_ids: notice.events.map(({ event_id }) => event_id),
        });
      }
    }
    return ended;
  };

  return async (deliveries) => {
    let due: Delivery[];
    try {
      due = await untold(deliveries);
    } catch (error) {
      logError("The rows could not be looked up; the events will come again.", error, {
        event_ids: deliveries.map(({ event }) => event.event_id),
      });
      return deliveries;
    }
    const ended = await publishAll(telling.wording(due.map(eventOf)));
    const unwritten = await forEachConcurrently(
      deliveries.filter(isTold),
      CONCURRENCY,
      ({ event }) => telling.markTold(event),
    );
    for (const { item, error } of unwritten) {
      logError("The row could not be written; the event will come again.", error, {
        event_id: item.event.event_id,
      });
    }
    const unpublished = due.filter((item) => !isTold(item) && !ended.has(item.event));
    return [...unpublished, ...unwritten.map(({ item }) => item)];
  };
}
