import { Failure } from "../errors";
import type { Sleep } from "../http/retries";
import type { ManagerClient } from "../manager/managerClient";

const POLL_MS = 1000;

/** An hour: the sweeper writes a missing row within minutes, at most within an hour. */
const MAX_POLLS_WITHOUT_ROW = 3600;

/**
 * Waits until the event is notified.
 *
 * @throws Failure with the event's error when it failed, and failures of the manager's API
 */
export async function untilFinished(
  manager: ManagerClient,
  eventId: string,
  wait: Sleep,
): Promise<void> {
  let wasFound = false;
  for (let polls = 1; ; polls += 1) {
    try {
      const { event } = await manager.show(eventId);
      wasFound = true;
      if (event.event_status === "notified") {
        return;
      }
      if (event.event_status === "failed") {
        const { code = "failed", message = "The event is failed." } = event.last_error ?? {};
        throw new Failure(code, message);
      }
    } catch (error) {
      // The row of a presigned upload is written after S3's event.
      const isPending = !wasFound && error instanceof Failure && error.status === 404;
      if (!isPending || polls >= MAX_POLLS_WITHOUT_ROW) {
        throw error;
      }
    }
    await wait(POLL_MS);
  }
}
