import type { APIGatewayProxyResult } from "aws-lambda";
import { mapConcurrently } from "../../../runtime/concurrency";
import { jsonResponse } from "../../../runtime/http";
import { parametersOf } from "../../../runtime/parameters";
import { linkPage } from "../../../store/links/links";
import { cursorAt, positionOf } from "../cursor";
import { limitParameter } from "../parameters";
import type { ManagerContext, ManagerRequest } from "../request";
import { countedLink, linkAnswer } from "./linkAnswer";

const DEFAULT_LIMIT = 100;

const MAX_LIMIT = 500;

/** Of cursors. */
const SCOPE = "links";

/** `GET /links`: a page of upload links, newest first. */
export async function listLinks(
  manager: ManagerContext,
  { event }: ManagerRequest,
): Promise<APIGatewayProxyResult> {
  const parameters = parametersOf(event, ["limit", "cursor"]);
  const limit = limitParameter(parameters, DEFAULT_LIMIT, MAX_LIMIT);
  const after = positionOf(manager, SCOPE, parameters.cursor) as { link_id: string } | undefined;
  const page = await linkPage(manager.links.store, limit, after?.link_id);
  const links = await mapConcurrently(page.links, (link) => countedLink(manager, link));
  return jsonResponse(200, {
    links: links.map((link) => linkAnswer(manager, link)),
    next_cursor: cursorAt(
      manager,
      SCOPE,
      page.next === undefined ? undefined : { link_id: page.next },
    ),
  });
}
