import type { APIGatewayProxyResult } from "aws-lambda";
import { jsonResponse } from "../../../runtime/http";
import { parametersOf } from "../../../runtime/parameters";
import type { ManagerContext, ManagerRequest } from "../request";
import { countedLink, linkAnswer, requireLink } from "./linkAnswer";

/** `GET /links/{link_id}`: an upload link, and how many files have come through it. */
export async function showLink(
  manager: ManagerContext,
  { event, path }: ManagerRequest,
): Promise<APIGatewayProxyResult> {
  parametersOf(event, []);
  const link = await requireLink(manager, path.link_id);
  return jsonResponse(200, linkAnswer(manager, await countedLink(manager, link)));
}
