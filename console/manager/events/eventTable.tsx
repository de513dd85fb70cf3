import { useLayoutEffect, useRef } from "preact/hooks";
import type { FileEvent } from "../../../events/event";
import { bytesText } from "../../shared/units";
import { eventHref } from "../route";
import { StatusBadge, Time } from "../ui/parts";
import { nameOf, type Span } from "./loadedEvents";
import { useWindow } from "./useWindow";

/** Rows before the last one at which more are asked for. */
const NEAR_END = 30;

function typeOf({ event_status, event_info, event_result, last_error }: FileEvent): string {
  if (event_status === "failed" && last_error) {
    return last_error.code;
  }
  return event_result?.type ?? event_info.ContentType ?? "";
}

function EventRow({ event, index }: { event: FileEvent; index: number }) {
  const size = event.event_info.Size ?? event.event_result?.size;
  return (
    <div role="row" aria-rowindex={index + 2} class="row">
      <span role="cell" class="cell-status">
        <StatusBadge status={event.event_status} />
      </span>
      <span role="cell" class="cell-name">
        <a href={eventHref(event.event_id)} title={nameOf(event)}>
          <bdi>{nameOf(event)}</bdi>
        </a>
      </span>
      <span role="cell" class="cell-type" title={typeOf(event)}>
        {typeOf(event)}
      </span>
      <span role="cell" class="cell-size">
        {size === undefined ? "" : bytesText(size)}
      </span>
      <span role="cell" class="cell-time">
        <Time iso={event.event_timestamp} />
      </span>
    </div>
  );
}

export interface EventTableProps {
  events: FileEvent[];
  isBusy: boolean;
  /** Called as the list is scrolled. */
  onVisible: (span: Span | undefined) => void;
  /** Called when the end comes near. */
  onNearEnd: () => void;
}

/** A list of events, of which only the rows around the visible ones are rendered. */
export function EventTable({ events, isBusy, onVisible, onNearEnd }: EventTableProps) {
  const rows = useRef<HTMLDivElement>(null);
  const { start, end, firstVisible, lastVisible, rowHeight } = useWindow(rows, events.length);
  const anchor = useRef<{ id: string; index: number }>();

  // New events above the visible ones do not move those.
  useLayoutEffect(() => {
    const { id, index } = anchor.current ?? {};
    const isAbove = (rows.current?.getBoundingClientRect().top ?? 0) < -rowHeight;
    if (id !== undefined && index !== undefined && isAbove && events[index]?.event_id !== id) {
      const now = events.findIndex((event) => event.event_id === id);
      if (now >= 0) {
        scrollBy(0, (now - index) * rowHeight);
        anchor.current = { id, index: now };
      }
    }
  }, [events]);

  useLayoutEffect(() => {
    const first = events[firstVisible];
    const last = events[Math.max(firstVisible, lastVisible - 1)];
    anchor.current = first && { id: first.event_id, index: firstVisible };
    onVisible(first && last && { newest: first.event_timestamp, oldest: last.event_timestamp });
    if (lastVisible >= events.length - NEAR_END) {
      onNearEnd();
    }
  }, [firstVisible, lastVisible, events]);

  return (
    <div
      role="table"
      aria-label="Events"
      aria-rowcount={events.length + 1}
      aria-busy={isBusy}
      class={`events${isBusy ? " outdated" : ""}`}
    >
      <div role="rowgroup">
        <div role="row" aria-rowindex={1} class="row row-head">
          <span role="columnheader">Status</span>
          <span role="columnheader">File</span>
          <span role="columnheader">Type or error</span>
          <span role="columnheader" class="cell-size">
            Size
          </span>
          <span role="columnheader">Time</span>
        </div>
      </div>
      <div
        ref={rows}
        role="rowgroup"
        style={{
          paddingTop: `${start * rowHeight}px`,
          paddingBottom: `${(events.length - end) * rowHeight}px`,
        }}
      >
        {events.slice(start, end).map((event, index) => (
          <EventRow key={event.event_id} event={event} index={start + index} />
        ))}
      </div>
    </div>
  );
}
