import type { APIGatewayProxyResult } from "aws-lambda";
import { secondsInStatus } from "../../events/history";
import { jsonResponse } from "../../runtime/http";
import { parametersOf } from "../../runtime/parameters";
import { downloadLink } from "./downloadLink";
import type { ManagerContext, ManagerRequest } from "./request";
import { requireEvent } from "./requireEvent";

/** `GET /events/{event_id}`: an event, how long it was in each status, and a temporary link to its file, or why there is none. */
export async function showEvent(
  manager: ManagerContext,
  { event: request, path }: ManagerRequest,
): Promise<APIGatewayProxyResult> {
  parametersOf(request, []);
  const event = await requireEvent(manager.store, path.event_id);
  return jsonResponse(200, {
    event,
    ...(await downloadLink(manager, event)),
    ...(event.event_history && {
      seconds_in_status: secondsInStatus(event.event_history, Date.now()),
    }),
  });
}
