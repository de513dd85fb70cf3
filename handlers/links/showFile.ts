import type { APIGatewayProxyResult } from "aws-lambda";
import type { EventStatus, FileEvent } from "../../events/event";
import { isUuid } from "../../events/identity";
import { httpError, jsonResponse } from "../../runtime/http";
import { parametersOf } from "../../runtime/parameters";
import { findClaim } from "../../store/links/read";
import { readEvent } from "../../store/rows";
import type { LinkRequest, LinksContext } from "./request";

/** How far a file is, for whoever sent it: less than an operator is told. */
type FileStatus = "stored" | "processed" | "failed";

function statusOf({ event_status, event_result }: FileEvent): FileStatus {
  const statuses: Record<EventStatus, FileStatus> = {
    created: "stored",
    uploaded: "stored",
    processed: "processed",
    notified: "processed",
    // The file was processed, but nobody could be told.
    failed: event_result ? "processed" : "failed",
  };
  return statuses[event_status];
}

/**
 * `GET /{ticket}/files/{event_id}`: what became of a file that was sent through the link, also after the
 * link has ended.
 *
 * @throws an `HttpError` 404 for a file that is not complete, or of another link
 */
export async function showFile(
  { store, events }: LinksContext,
  { event: request, linkId, path }: LinkRequest,
): Promise<APIGatewayProxyResult> {
  parametersOf(request, []);
  const claim = isUuid(path.event_id) ? await findClaim(store, linkId, path.event_id) : undefined;
  if (claim?.state !== "completing" && claim?.state !== "stored") {
    throw httpError(404, "file_not_found", "No such file has come through this link.");
  }
  const event = await readEvent(events, claim);
  const { size = claim.size, type, width, height } = event?.event_result ?? {};
  return jsonResponse(200, {
    event_id: claim.event_id,
    status: event ? statusOf(event) : "stored",
    size,
    type,
    width,
    height,
  });
}
