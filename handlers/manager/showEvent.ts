import { GetObjectCommand } from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import type { APIGatewayProxyResult } from "aws-lambda";
import { create as createContentDisposition } from "content-disposition";
import type { FileEvent } from "../../events/event";
import { fileNameOf } from "../../events/identity";
import { jsonResponse } from "../../runtime/http";
import { findEvent } from "./findEvent";
import { parametersOf } from "./parameters";
import type { Manager, ManagerRequest } from "./request";

/** Long enough to click on it, short enough to be of no use to who finds it later. */
const LINK_SECONDS = 300;

/** A link that serves the file as an attachment: no browser shows what somebody uploaded. */
async function downloadLink({ s3 }: Manager, { event_info: info }: FileEvent) {
  const expiresAt = new Date(Date.now() + LINK_SECONDS * 1000);
  const command = new GetObjectCommand({
    Bucket: info.Bucket,
    Key: info.Key,
    ResponseContentDisposition: createContentDisposition(info.FileName ?? fileNameOf(info.Key)),
  });
  const url = await getSignedUrl(s3, command, { expiresIn: LINK_SECONDS });
  return { url, expires_at: expiresAt.toISOString() };
}

/** `GET /events/{event_id}`: one event, and where its file can be fetched for a while. */
export async function showEvent(
  manager: Manager,
  { event: request, eventId }: ManagerRequest,
): Promise<APIGatewayProxyResult> {
  parametersOf(request, []);
  const event = await findEvent(manager.store, eventId);
  return jsonResponse(200, { event, download: await downloadLink(manager, event) });
}
