import type { APIGatewayProxyResult } from "aws-lambda";
import { jsonResponse } from "../../runtime/http";
import { parametersOf } from "../../runtime/parameters";
import type { UploadLink } from "../../store/links/link";
import { freePlaces } from "./claimed";
import { type LinkRequest, type LinksContext, openLink } from "./request";

function filesLeft({ max_files, taken }: UploadLink): number | undefined {
  return max_files === undefined ? undefined : Math.max(0, max_files - taken);
}

/** `GET /{ticket}`: what the link takes, for whoever is going to send files. */
export async function showLink(
  context: LinksContext,
  { event, linkId }: LinkRequest,
): Promise<APIGatewayProxyResult> {
  parametersOf(event, []);
  let link = await openLink(context.store, linkId);
  if (filesLeft(link) === 0 && (await freePlaces(context, linkId)) > 0) {
    link = await openLink(context.store, linkId);
  }
  const { link_id, expires_at, note, max_files, max_bytes } = link;
  return jsonResponse(200, {
    link_id,
    expires_at,
    note,
    organisation: context.organisation,
    max_files,
    files_left: filesLeft(link),
    max_bytes,
    content_types: link.content_types ?? context.allowedTypes,
  });
}
