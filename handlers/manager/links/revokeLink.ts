import type { APIGatewayProxyResult } from "aws-lambda";
import { jsonResponse } from "../../../runtime/http";
import { logInfo } from "../../../runtime/log";
import { parametersOf } from "../../../runtime/parameters";
import { revoke } from "../../../store/links/links";
import type { ManagerContext, ManagerRequest } from "../request";
import { countedLink, linkAnswer, requireLink } from "./linkAnswer";

/**
 * `DELETE /links/{link_id}`: revokes an upload link. It lets in nothing from then on, save parts that are
 * signed already. Answers with the link; again for one that was revoked before.
 */
export async function revokeLink(
  manager: ManagerContext,
  { event, path }: ManagerRequest,
): Promise<APIGatewayProxyResult> {
  parametersOf(event, []);
  const { link_id } = await requireLink(manager, path.link_id);
  if (await revoke(manager.links.store, link_id)) {
    logInfo("Upload link revoked.", { link_id });
  }
  const link = await requireLink(manager, link_id);
  return jsonResponse(200, linkAnswer(manager, await countedLink(manager, link)));
}
