import { GetObjectCommand } from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import type { APIGatewayProxyResult } from "aws-lambda";
import { create as createContentDisposition } from "content-disposition";
import type { FileEvent } from "../../events/event";
import { withoutDirections } from "../../events/fileName";
import { secondsInStatus } from "../../events/history";
import { fileNameOf } from "../../events/identity";
import { jsonResponse } from "../../runtime/http";
import { parametersOf } from "./parameters";
import type { ManagerContext, ManagerRequest } from "./request";
import { requireEvent } from "./requireEvent";

/** Seconds; long enough to click the link, short enough to limit its misuse. */
const LINK_SECONDS = 300;

/** A link to the file as an attachment, so that no browser renders an uploaded file. */
async function downloadLink({ s3 }: ManagerContext, { event_info: info }: FileEvent) {
  const expiresAt = new Date(Date.now() + LINK_SECONDS * 1000);
  const command = new GetObjectCommand({
    Bucket: info.Bucket,
    Key: info.Key,
    ResponseContentDisposition: createContentDisposition(
      withoutDirections(info.FileName ?? fileNameOf(info.Key)),
    ),
  });
  const url = await getSignedUrl(s3, command, { expiresIn: LINK_SECONDS });
  return { url, expires_at: expiresAt.toISOString() };
}

/** `GET /events/{event_id}`: an event, how long it was in each status, and a temporary download link. */
export async function showEvent(
  manager: ManagerContext,
  { event: request, eventId }: ManagerRequest,
): Promise<APIGatewayProxyResult> {
  parametersOf(request, []);
  const event = await requireEvent(manager.store, eventId);
  return jsonResponse(200, {
    event,
    download: await downloadLink(manager, event),
    ...(event.event_history && {
      seconds_in_status: secondsInStatus(event.event_history, Date.now()),
    }),
  });
}
