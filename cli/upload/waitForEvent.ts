import { Failure } from "./errors";
import type { Manager } from "./manager";
import type { Sleep } from "./retries";

const POLL_MS = 1000;

/** The sweeper, which finds what got lost, comes at most an hour later, and usually in minutes. */
const MAX_POLLS_WITHOUT_ROW = 3600;

/**
 * Waits until the event is notified.
 *
 * @throws Failure with the event's own error when it is failed, and what the manager throws
 */
export async function untilFinished(manager: Manager, eventId: string, wait: Sleep): Promise<void> {
  let wasThere = false;
  for (let polls = 1; ; polls += 1) {
    try {
      const { event } = await manager.show(eventId);
      wasThere = true;
      if (event.event_status === "notified") {
        return;
      }
      if (event.event_status === "failed") {
        const { code = "failed", message = "The event is failed." } = event.last_error ?? {};
        throw new Failure(code, message);
      }
    } catch (error) {
      // S3's own event comes a moment after a form's file, and only then there is a row.
      const isToCome = !wasThere && error instanceof Failure && error.status === 404;
      if (!isToCome || polls >= MAX_POLLS_WITHOUT_ROW) {
        throw error;
      }
    }
    await wait(POLL_MS);
  }
}
